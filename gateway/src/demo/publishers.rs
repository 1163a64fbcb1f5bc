//! Devices of the demo: each replays a real recording through an MQTT client of its own, for ever, dated now.

use std::time::Duration;

use anyhow::Context;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::config;
use crate::ingest::mqtt::Publisher;
use crate::telemetry::now_ms;

/// Numenta Anomaly Benchmark, a machine's temperature in °F, every 5 minutes; replayed 600 times as fast.
const MACHINE: &str = include_str!("../../../fixtures/demo/machine_temperature.csv");
/// Numenta Anomaly Benchmark, an office's temperature in °F, hourly.
const OFFICE: &str = include_str!("../../../fixtures/demo/ambient_temperature.csv");
/// UK Bus Open Data Service, positions of one bus, about every 24 s.
const BUS: &str = include_str!("../../../fixtures/demo/bus_4842.csv");
/// Three fuses in a cabinet by a FLIR T640: 80x60 hundredths of a kelvin, little-endian.
const THERMAL: &[u8] = include_bytes!("../../../fixtures/thermal/fuses_80x60.u16");

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
    Ok(())
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
