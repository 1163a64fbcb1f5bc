//! Devices of the demo: each replays a real recording through an MQTT client of its own, for ever, dated now.

use std::time::Duration;

use anyhow::Context;
use outpost_fences::Point;
use outpost_fences::sight::bearing_and_distance;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::config;
use crate::ingest::mqtt::Publisher;
use crate::telemetry::{now_ms, time_text};

/// Numenta Anomaly Benchmark, a machine's temperature in °F, every 5 minutes; replayed 600 times as fast.
const MACHINE: &str = include_str!("../../../fixtures/demo/machine_temperature.csv");
/// Numenta Anomaly Benchmark, an office's temperature in °F, hourly.
const OFFICE: &str = include_str!("../../../fixtures/demo/ambient_temperature.csv");
/// UK Bus Open Data Service, positions of one bus, about every 24 s.
const BUS: &str = include_str!("../../../fixtures/demo/bus_4842.csv");
/// Three fuses in a cabinet by a FLIR T640: 80x60 hundredths of a kelvin, little-endian.
const THERMAL: &[u8] = include_bytes!("../../../fixtures/thermal/fuses_80x60.u16");

/// A landscape by a DJI XT2 (a FLIR core): 80x64 hundredths of a kelvin, little-endian. The fire in it is drawn.
const LANDSCAPE: &[u8] = include_bytes!("../../../fixtures/thermal/landscape_80x64.u16");
const LANDSCAPE_SIZE: (usize, usize) = (64, 80);

/// Where the drawn fire is; two towers look at it from here, so high over it (`configs/demo.toml` has the same).
pub const FIRE: Point = Point { lon: 106.0712, lat: 29.8257 };
const TOWERS: [(&str, Point, f64); 2] =
    [("west", Point { lon: 106.0461, lat: 29.8391 }, 150.0), ("east", Point { lon: 106.0905, lat: 29.8362 }, 120.0)];
/// Frames of a fire, and frames of rest.
const FIRE_FRAMES: usize = 60;
const REST_FRAMES: usize = 40;

/// Officers on patrol: each goes round a block, so far from its middle. Nobody recorded a patrol; their ways are drawn.
const PATROLS: [(&str, Point, f64); 2] =
    [("li", Point { lon: 106.0520, lat: 29.8455 }, 160.0), ("wu", Point { lon: 106.0400, lat: 29.8400 }, 240.0)];
const PATROL_INTERVAL: Duration = Duration::from_secs(3);
/// Metres between two positions: walking.
const PATROL_STEP_M: f64 = 4.0;

/// A contact sensor by zigbee2mqtt, open and closed.
const COVER: &str = include_str!("../../../fixtures/payloads/zigbee2mqtt/door.json");
const COVER_RESTS: Duration = Duration::from_secs(12);
const COVER_IS_OPEN: Duration = Duration::from_secs(30);

const INTERVAL: Duration = Duration::from_millis(500);

/// The office's sensor rests this many intervals after every [`OFFICE_TALK`] readings: the rule for silence has work.
const OFFICE_REST: u32 = 24;
const OFFICE_TALK: usize = 60;

pub(super) fn start(broker: &config::Broker, stop: CancellationToken) -> anyhow::Result<()> {
    let machine = column(MACHINE, 1)?;
    let office = column(OFFICE, 1)?;
    let (lon, lat) = (column(BUS, 2)?, column(BUS, 3)?);

    spawn(broker, "demo-machine", &stop, async move |publisher| {
        for value in machine.iter().cycle() {
            let payload = json!({ "time": now_ms(), "temperature": value });
            publish(&publisher, "demo/machine/temperature", payload.to_string()).await;
            tokio::time::sleep(INTERVAL).await;
        }
    });
    spawn(broker, "demo-office", &stop, async move |publisher| {
        for (n, value) in office.iter().cycle().enumerate() {
            let time_s = now_ms() as f64 / 1000.0;
            let payload = json!([{ "bn": "office/", "bt": time_s, "n": "temperature", "u": "[degF]", "v": value }]);
            publish(&publisher, "demo/senml/office", payload.to_string()).await;
            let rest = if n % OFFICE_TALK == OFFICE_TALK - 1 { OFFICE_REST } else { 1 };
            tokio::time::sleep(INTERVAL * rest).await;
        }
    });
    spawn(broker, "demo-bus", &stop, async move |publisher| {
        let fixes: Vec<(f64, f64)> = lon.into_iter().zip(lat).collect();
        for (lon, lat) in fixes.iter().cycle() {
            let payload = json!({ "_type": "location", "tst": now_ms() / 1000, "lon": lon, "lat": lat, "acc": 10 });
            publish(&publisher, "demo/owntracks/bus/4842", payload.to_string()).await;
            tokio::time::sleep(INTERVAL).await;
        }
    });
    spawn(broker, "demo-thermal", &stop, async move |publisher| {
        loop {
            publish(&publisher, "demo/thermal/cabinet", THERMAL.to_vec()).await;
            tokio::time::sleep(INTERVAL * 2).await;
        }
    });
    let cover: serde_json::Value = serde_json::from_str(COVER).context("the cover's payload")?;
    spawn(broker, "demo-cover", &stop, async move |publisher| {
        let mut payload = cover;
        for is_closed in [true, false].into_iter().cycle() {
            payload["contact"] = is_closed.into();
            payload["last_seen"] = time_text(now_ms()).into();
            publish(&publisher, "demo/zigbee2mqtt/cover/18", payload.to_string()).await;
            tokio::time::sleep(if is_closed { COVER_RESTS } else { COVER_IS_OPEN }).await;
        }
    });
    // Nobody filmed the house in both spectra: what its visible camera shows is real, and the heat is drawn.
    spawn(broker, "demo-house", &stop, async move |publisher| {
        for n in 0.. {
            let payload = json!({ "n": n, "pixels": landscape(n % (FIRE_FRAMES + REST_FRAMES)) });
            publish(&publisher, "demo/house/thermal", payload.to_string()).await;
            tokio::time::sleep(INTERVAL).await;
        }
    });
    for (officer, middle, radius_m) in PATROLS {
        spawn(broker, &format!("demo-patrol-{officer}"), &stop, async move |publisher| {
            for n in 0.. {
                let Point { lon, lat } = round(middle, radius_m, f64::from(n) * PATROL_STEP_M);
                let payload = json!({ "_type": "location", "tst": now_ms() / 1000, "lon": lon, "lat": lat, "acc": 6 });
                publish(&publisher, &format!("demo/patrol/{officer}"), payload.to_string()).await;
                tokio::time::sleep(PATROL_INTERVAL).await;
            }
        });
    }
    for (name, tower, over_m) in TOWERS {
        let (bearing_deg, distance_m) = bearing_and_distance(tower, FIRE);
        let elevation_deg = -(over_m / distance_m).atan().to_degrees();
        spawn(broker, &format!("demo-tower-{name}"), &stop, async move |publisher| {
            for n in 0.. {
                let payload = json!({
                    "n": n,
                    "pan": bearing_deg,
                    "tilt": elevation_deg,
                    "pixels": landscape(n % (FIRE_FRAMES + REST_FRAMES)),
                });
                publish(&publisher, &format!("demo/tower/{name}"), payload.to_string()).await;
                tokio::time::sleep(INTERVAL).await;
            }
        });
    }
    Ok(())
}

/// On a circle, so far along it from its northernmost point; true to a thousandth below a kilometre.
fn round(middle: Point, radius_m: f64, along_m: f64) -> Point {
    const DEGREE_M: f64 = 111_195.0;
    let (east, north) = (along_m / radius_m).sin_cos();
    let lat = middle.lat + north * radius_m / DEGREE_M;
    Point { lon: middle.lon + east * radius_m / DEGREE_M / middle.lat.to_radians().cos(), lat }
}

/// The landscape, and in the middle of it for so many frames a fire that grows and flickers. Degrees Celsius, rows of pixels.
fn landscape(frame: usize) -> Vec<Vec<f32>> {
    let (rows, columns) = LANDSCAPE_SIZE;
    let celsius =
        LANDSCAPE.chunks_exact(2).map(|pair| f32::from(u16::from_le_bytes([pair[0], pair[1]])) / 100.0 - 273.15);
    let mut pixels: Vec<Vec<f32>> = celsius.collect::<Vec<_>>().chunks(columns).map(<[f32]>::to_vec).collect();
    if frame < FIRE_FRAMES {
        // Around the corner of the four middle pixels, so that its middle is the picture's.
        let radius = 1.2 + frame as f32 / 40.0 + if frame.is_multiple_of(3) { 0.4 } else { 0.0 };
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
            let off = |at: usize, of: usize| at as f32 + 0.5 - of as f32 / 2.0;
            let share = 1.0 - off(row, rows).hypot(off(column, columns)) / radius;
            if share > 0.0 {
                pixels[row][column] = 180.0 + 240.0 * share;
            }
        }
    }
    pixels
}

fn spawn<F>(broker: &config::Broker, client_id: &str, stop: &CancellationToken, device: impl FnOnce(Publisher) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let publisher = Publisher::start(broker, client_id, stop.clone());
    let (device, stop) = (device(publisher), stop.clone());
    tokio::spawn(async move { stop.run_until_cancelled(device).await });
}

async fn publish(publisher: &Publisher, topic: &str, payload: impl Into<bytes::Bytes>) {
    if let Err(error) = publisher.publish(topic, payload).await {
        warn!(%topic, %error, "demo device failed to publish");
    }
}

/// Numbers of one column of a CSV text with a header.
fn column(csv: &str, index: usize) -> anyhow::Result<Vec<f64>> {
    csv.lines()
        .skip(1)
        .map(|line| {
            let field = line.split(',').nth(index).with_context(|| format!("{line:?} has no column {index}"))?;
            field.parse().with_context(|| format!("{field:?} is not a number"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patrol_walks_at_the_same_distance_from_its_middle() {
        for (_, middle, radius_m) in PATROLS {
            let steps = (0..400).map(|n| round(middle, radius_m, f64::from(n) * PATROL_STEP_M));
            let way: Vec<Point> = steps.collect();
            assert!(way.iter().all(|at| (at.distance_m(middle) - radius_m).abs() < 0.01 * radius_m));
            assert!(way.windows(2).all(|pair| (pair[0].distance_m(pair[1]) - PATROL_STEP_M).abs() < 0.1));
        }
    }
}
