//! A reading that says nothing new costs no allocation: not to decode it, and not to judge it by several rules.

use std::sync::Arc;

use outpost::config::Config;
use outpost::decode::{Decoded, Decoders};
use outpost::pipeline::watch::Watch;
use outpost_fences::{FenceSet, geojson};

const SITE: &str = r#"
[[brokers]]
id = "b"
host = "127.0.0.1"

[[feeds]]
id = "devices"
broker = "b"
topics = ["site/+/dev/+"]
source = "dev/{3}"

[feeds.format]
kind = "json"
time = { pointer = "/ts", unit = "ms" }
position = { lon = "/lon", lat = "/lat" }
readings = [{ metric = "temp", value = "/temp", unit = "Cel" }]

[[rules]]
id = "hot"
sources = ["dev/+"]
detect = { kind = "threshold", metric = "temp", above = 39.0, clear = 37.0, unit = "Cel" }
severity = "severe"

[[rules]]
id = "cold"
sources = ["dev/+"]
detect = { kind = "threshold", metric = "temp", below = 0.0, hold = "10s" }
severity = "minor"

[[rules]]
id = "quiet"
sources = ["dev/+"]
detect = { kind = "silent", after = "10m" }
severity = "minor"

[[rules]]
id = "inside"
sources = ["dev/+"]
detect = { kind = "enter", fence = "yard" }
severity = "moderate"
"#;

const YARD: &str = r#"{"type":"Feature","id":"yard","properties":{},"geometry":{"type":"Polygon","coordinates":
    [[[106.0,29.0],[106.1,29.0],[106.1,29.1],[106.0,29.1],[106.0,29.0]]]}}"#;

const DEVICES: usize = 100;

struct Path {
    decoders: Decoders,
    watch: Watch,
    decoded: Decoded,
    effects: Vec<outpost::pipeline::watch::Effect>,
    topics: Vec<Arc<str>>,
    n_effects: usize,
}

impl Path {
    fn new() -> Path {
        let config: Config = toml::from_str(SITE).unwrap();
        Path {
            decoders: Decoders::new(&config).unwrap(),
            watch: Watch::new(&config, &FenceSet::new(geojson::parse(YARD).fences)).unwrap(),
            decoded: Decoded::default(),
            effects: Vec::new(),
            topics: (0..DEVICES).map(|i| format!("site/1/dev/{i}").into()).collect(),
            n_effects: 0,
        }
    }

    fn take(&mut self, device: usize, payload: &[u8], received_ms: i64) {
        let decoder = self.decoders.decoder("b").unwrap();
        self.decoded.clear();
        assert!(decoder.decode(&self.topics[device], payload, received_ms, &mut self.decoded).is_some());
        assert!(self.decoded.rejects.is_empty() && self.decoded.observations.len() == 2);
        for observation in self.decoded.observations.drain(..) {
            self.watch.step(&observation, &mut self.effects);
        }
        self.watch.remember(&mut self.effects);
        self.n_effects += self.effects.drain(..).count();
    }
}

#[test]
fn a_reading_that_says_nothing_new_allocates_nothing() {
    const BEGIN_MS: i64 = 1_700_000_000_000;
    let payload = |round: usize| {
        let at_ms = BEGIN_MS + round as i64 * 1000;
        format!(r#"{{"ts":{at_ms},"temp":21.{},"lon":106.2{},"lat":29.05,"id":"x","ok":true}}"#, round % 10, round % 7)
    };
    let payloads: Vec<String> = (0..100).map(payload).collect();
    let mut path = Path::new();
    let round = |path: &mut Path, round: usize| {
        for device in 0..DEVICES {
            path.take(device, payloads[round].as_bytes(), BEGIN_MS + round as i64 * 1000 + 5);
        }
    };
    // What is made once: the source of a topic, the slots of a source, buffers.
    (0..10).for_each(|i| round(&mut path, i));
    let before = path.n_effects;
    let counted = allocation_counter::measure(|| (10..100).for_each(|i| round(&mut path, i)));
    assert_eq!((counted.count_total, path.n_effects - before), (0, 0), "9,000 messages");

    // The counter counts: an excursion opens an alert, which does allocate.
    let hot = format!(r#"{{"ts":{},"temp":40,"lon":106.2,"lat":29.05}}"#, BEGIN_MS + 200_000);
    let counted = allocation_counter::measure(|| path.take(0, hot.as_bytes(), BEGIN_MS + 200_005));
    assert!(counted.count_total > 0 && path.n_effects > before);
}
