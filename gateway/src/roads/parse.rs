//! The tables of a road graph: nodes `id,lon,lat`, edges `from,to,length_m` with, if known, `maxspeed` in km/h. Each edge leads one
//! way; further columns are passed over. Gzip where the name says so is the caller's.

use std::collections::HashMap;

use outpost_fences::Point;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::snap::Cells;
use super::{Cost, Edge, Roads};

/// Edges of a graph.
const EDGES_MAX: usize = 5_000_000;
/// Longest edge: what is longer is a mistake of units.
const EDGE_M_MAX: f64 = 50_000.0;
/// Speeds that a road can have, in km/h.
const KMH: std::ops::RangeInclusive<f64> = 1.0..=200.0;

#[derive(Debug, thiserror::Error)]
pub enum RoadsError {
    #[error("{table}: {cause}")]
    Table { table: &'static str, cause: csv::Error },
    #[error("{table}: line {line}: {what}")]
    Line { table: &'static str, line: u64, what: String },
    #[error("there is no road in it")]
    Empty,
}

#[derive(Deserialize)]
struct NodeLine {
    id: i64,
    lon: f64,
    lat: f64,
}

#[derive(Deserialize)]
struct EdgeLine {
    from: i64,
    to: i64,
    length_m: f64,
    /// As OpenStreetMap has it: `40`, or nothing.
    #[serde(default)]
    maxspeed: Option<String>,
}

impl Roads {
    /// `kmh`: on roads that do not say. `reach_m`: how far from the nearest road a point may be.
    pub fn parse(nodes: &str, edges: &str, kmh: f64, reach_m: f64) -> Result<Roads, RoadsError> {
        let mut points = Vec::new();
        let mut by_id = HashMap::new();
        each(nodes, "nodes", |line: NodeLine| {
            let NodeLine { id, lon, lat } = line;
            let point = Point::new(lon, lat).ok_or_else(|| format!("{lon},{lat} is no longitude and latitude"))?;
            if by_id.insert(id, points.len() as u32).is_some() {
                return Err(format!("node {id} is there twice"));
            }
            points.push(point);
            Ok(())
        })?;
        let mut kept = Vec::new();
        each(edges, "edges", |line: EdgeLine| {
            let EdgeLine { from, to, length_m, maxspeed } = line;
            let node = |id: i64| by_id.get(&id).copied().ok_or_else(|| format!("there is no node {id}"));
            let (from, to) = (node(from)?, node(to)?);
            let straight_m = points[from as usize].distance_m(points[to as usize]);
            if !(0.0..=EDGE_M_MAX).contains(&length_m) || straight_m > EDGE_M_MAX {
                return Err(format!(
                    "a length of {length_m} m ({straight_m:.0} m straight) is not within 0..{EDGE_M_MAX}"
                ));
            }
            if kept.len() == EDGES_MAX {
                return Err(format!("{EDGES_MAX} edges are the most"));
            }
            // What is not a number of km/h ("walk", "CN:urban") says nothing.
            let limit = maxspeed.and_then(|text| text.trim().parse().ok()).filter(|limit| KMH.contains(limit));
            kept.push(Edge { from, to, cost: Cost::of(length_m, limit.unwrap_or(kmh)) });
            Ok(())
        })?;
        if kept.is_empty() {
            return Err(RoadsError::Empty);
        }
        Ok(Roads::new(points, kept, reach_m))
    }

    fn new(nodes: Vec<Point>, edges: Vec<Edge>, reach_m: f64) -> Roads {
        let mut into: Vec<u32> = (0..edges.len() as u32).collect();
        into.sort_by_key(|edge| edges[*edge as usize].to);
        let mut begins = vec![0; nodes.len() + 1];
        for edge in &edges {
            begins[edge.to as usize + 1] += 1;
        }
        for node in 0..nodes.len() {
            begins[node + 1] += begins[node];
        }
        let cells = Cells::new(&nodes, &edges, reach_m);
        Roads { nodes, edges, into, begins, cells }
    }
}

fn each<L: DeserializeOwned>(
    text: &str,
    table: &'static str,
    mut take: impl FnMut(L) -> Result<(), String>,
) -> Result<(), RoadsError> {
    let wrong = |cause| RoadsError::Table { table, cause };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let headers = reader.headers().map_err(wrong)?.clone();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(wrong)? {
        let line = record.position().map_or(0, csv::Position::line);
        let read: L = record.deserialize(Some(&headers)).map_err(wrong)?;
        take(read).map_err(|what| RoadsError::Line { table, line, what })?;
    }
    Ok(())
}
