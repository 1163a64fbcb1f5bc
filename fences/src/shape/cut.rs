//! Polygons across the antimeridian, and around a pole, cut into parts that are not.
//!
//! A ring that has an edge longer than 180 degrees of longitude goes the short way there, on beyond 180. What lies beyond
//! is cut off along the antimeridian and comes in from the other side. A ring that goes around a pole encloses it.

use crate::plane::{Xy, is_odd, ring_edges};

/// Rings of one polygon, unrolled: longitudes go on beyond 180 where an edge crosses the antimeridian. Says whether one
/// did. An edge of exactly 360 degrees is one around the whole map.
pub(super) fn unroll(rings: &mut [&mut Vec<Xy>]) -> bool {
    let is_across = |ring: &&mut Vec<Xy>| {
        ring_edges(ring).any(|edge| {
            let long = (edge.low.x - edge.high.x).abs();
            long > 180.0 && long < 360.0
        })
    };
    if !rings.iter().any(is_across) {
        return false;
    }
    let mut shell_middle = None;
    for ring in rings {
        let Some(&first) = ring.first() else { continue };
        let mut last_x = first.x;
        for vertex in ring.iter_mut() {
            vertex.x = near(vertex.x, last_x);
            last_x = vertex.x;
        }
        let home_x = near(first.x, last_x);
        if (home_x - first.x).abs() > 180.0 {
            // Once around: the pole that it encloses is the nearer one.
            let pole = if ring.iter().map(|vertex| vertex.y).sum::<f64>() < 0.0 { -90.0 } else { 90.0 };
            let corners = [Xy { x: home_x, y: first.y }, Xy { x: home_x, y: pole }, Xy { x: first.x, y: pole }];
            ring.extend(corners.into_iter().filter(|corner| corner.y != pole || first.y != pole));
        }
        let (least, most) = span(ring);
        let middle = f64::midpoint(least, most);
        // A hole lies beside its shell, however it was written.
        let shell = *shell_middle.get_or_insert(middle);
        let shift = ((shell - middle) / 360.0).round() * 360.0;
        ring.iter_mut().for_each(|vertex| vertex.x += shift);
    }
    true
}

/// The parts of an unrolled polygon on the map, each with its shell first.
pub(super) fn cut(rings: Vec<Vec<Xy>>) -> Vec<Vec<Vec<Xy>>> {
    let (least, most) = rings.first().map_or((0.0, 0.0), |shell| span(shell));
    let turn = |x: f64| ((x + 180.0) / 360.0).floor() as i32;
    let mut parts = Vec::new();
    let mut rest = rings;
    for turn in turn(least)..=turn(most) {
        let east = 180.0 + 360.0 * f64::from(turn);
        let here = side(&rest, east, |x| x < east);
        rest = side(&rest, east, |x| x >= east);
        let back = |mut ring: Vec<Xy>| {
            ring.iter_mut().for_each(|vertex| vertex.x -= 360.0 * f64::from(turn));
            ring
        };
        parts.extend(shells(here.into_iter().map(back).collect()));
    }
    parts
}

/// Rings that enclose what is on one side of a meridian.
fn side(rings: &[Vec<Xy>], meridian: f64, is_here: impl Fn(f64) -> bool) -> Vec<Vec<Xy>> {
    let (mut whole, mut chains) = (Vec::new(), Vec::new());
    for ring in rings {
        let Some(away) = ring.iter().position(|vertex| !is_here(vertex.x)) else {
            whole.push(ring.clone());
            continue;
        };
        let mut chain: Vec<Xy> = Vec::new();
        for i in 0..ring.len() {
            let (from, to) = (ring[(away + i) % ring.len()], ring[(away + i + 1) % ring.len()]);
            if is_here(from.x) != is_here(to.x) {
                let share = (meridian - from.x) / (to.x - from.x);
                let y = if to.x == meridian { to.y } else { from.y + (to.y - from.y) * share };
                chain.push(Xy { x: meridian, y });
            }
            match is_here(to.x) {
                true => chain.push(to),
                false if chain.is_empty() => {}
                false => chains.push(std::mem::take(&mut chain)),
            }
        }
    }
    whole.extend(joined(chains));
    whole.iter_mut().for_each(|ring| {
        ring.dedup();
        if ring.len() > 1 && ring.first() == ring.last() {
            ring.pop();
        }
    });
    whole.retain(|ring| ring.len() >= 3);
    whole
}

/// Chains that begin and end on the meridian, joined along it: between the first and the second end from below is inside,
/// and so between the third and the fourth.
fn joined(mut chains: Vec<Vec<Xy>>) -> Vec<Vec<Xy>> {
    let ends = |(i, chain): (usize, &Vec<Xy>)| [(chain[0].y, i, false), (chain[chain.len() - 1].y, i, true)];
    let mut ends: Vec<(f64, usize, bool)> = chains.iter().enumerate().flat_map(ends).collect();
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut rings = Vec::new();
    while let Some(start) = chains.iter().position(|chain| !chain.is_empty()) {
        let mut ring = Vec::new();
        let (mut chain, mut is_backward) = (start, false);
        while !chains[chain].is_empty() {
            let mut vertices = std::mem::take(&mut chains[chain]);
            if is_backward {
                vertices.reverse();
            }
            ring.extend(vertices);
            let Some(end) = ends.iter().position(|end| end.1 == chain && end.2 != is_backward) else { break };
            let Some(&(_, next, is_last)) = ends.get(end ^ 1) else { break };
            (chain, is_backward) = (next, is_last);
        }
        rings.push(ring);
    }
    rings
}

/// Each shell with the rings within it: only holes that the meridian does not touch are rings within rings.
fn shells(rings: Vec<Vec<Xy>>) -> Vec<Vec<Vec<Xy>>> {
    let is_within = |ring: &[Xy], other: &[Xy]| is_odd(ring_edges(other), ring[0]);
    let is_hole = |i: usize| (0..rings.len()).any(|j| j != i && is_within(&rings[i], &rings[j]));
    let (holes, shells): (Vec<usize>, Vec<usize>) = (0..rings.len()).partition(|i| is_hole(*i));
    let part = |shell: &usize| {
        let within = holes.iter().filter(|hole| is_within(&rings[**hole], &rings[*shell]));
        std::iter::once(shell).chain(within).map(|ring| rings[*ring].clone()).collect()
    };
    shells.iter().map(part).collect()
}

fn span(ring: &[Xy]) -> (f64, f64) {
    ring.iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), vertex| (least.min(vertex.x), most.max(vertex.x)))
}

/// The same longitude, at most 180 degrees from another.
fn near(x: f64, other: f64) -> f64 {
    x - ((x - other) / 360.0).round() * 360.0
}
