//! A recorded day of several sources as MQTT messages, made from the demo's real recordings and dated as a test says.
//! The same day for the same dates.

use serde_json::json;

const MACHINE: &str = include_str!("../../../../fixtures/demo/machine_temperature.csv");
const OFFICE: &str = include_str!("../../../../fixtures/demo/ambient_temperature.csv");
const BUS: &str = include_str!("../../../../fixtures/demo/bus_4842.csv");
const THERMAL: &[u8] = include_bytes!("../../../../fixtures/thermal/fuses_80x60.u16");

pub(crate) const DAY_MS: i64 = 86_400_000;

/// Sources whose messages have no time of their own: what is dated by them is dated by the gateway's clock.
pub(crate) const UNDATED: [&str; 3] = ["pump/", "thermal/", "end/"];

pub(crate) struct Post {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
}

/// Brings the day's sources to the gateway; `client_id` tells two gateways at one broker apart.
pub(crate) fn config(broker_port: u16, client_id: &str, version: &str) -> String {
    format!(
        r#"
[[brokers]]
id = "b"
host = "127.0.0.1"
port = {broker_port}
version = "{version}"
client_id = "{client_id}"
retry_max = "200ms"
{FEEDS_AND_RULES}"#
    )
}

/// For the broker `b`. The desk does what it does by policy; storms are told by the gateway's own clock, by which no two
/// runs agree, so that none is to come of a day that passes within seconds. One of the buses is followed as an officer is.
pub(crate) const FEEDS_AND_RULES: &str = r##"
[desk]
calendar = "district"
emergency_from = "severe"
limits = [{ category = "#", whole = "3 working days", stages = { reported = "2 working days" } }]
dispatch = [{ category = "#", from_severity = "moderate", unit = "patrol" }]
storm = { n = 10000, within = "1s" }
[[calendars]]
id = "district"
[[centres]]
id = "district"
level = "district"
[[centres]]
id = "town"
level = "town"
parent = "district"
sources = ["machine/#", "bus/#"]
[[feeds]]
id = "machine"
broker = "b"
topics = ["day/machine/+"]
source = "machine/{2}"
format = { kind = "json", time = { pointer = "/time", unit = "ms" }, readings = [{ metric = "temperature", value = "/temperature", unit = "[degF]" }] }
[[feeds]]
id = "office"
broker = "b"
topics = ["day/senml/+"]
source = "office/{2}"
format = { kind = "senml" }
[[feeds]]
id = "buses"
broker = "b"
topics = ["day/owntracks/#"]
source = "bus/{3}"
format = { kind = "owntracks" }
[[feeds]]
id = "thermal"
broker = "b"
topics = ["day/thermal/+"]
source = "thermal/{2}"
format = { kind = "thermal-u16", columns = 80, rows = 60 }
[[feeds]]
id = "pumps"
broker = "b"
topics = ["day/pump/+"]
source = "pump/{2}"
format = { kind = "number", metric = "running" }
[[feeds]]
id = "end"
broker = "b"
topics = ["day/end/+"]
source = "end/{2}"
format = { kind = "number", metric = "value" }

[[rules]]
id = "machine-hot"
sources = ["machine/+"]
detect = { kind = "threshold", metric = "temperature", above = 98.0, clear = 96.0, hold = "10m", unit = "[degF]" }
severity = "severe"
[[rules]]
id = "machine-band"
sources = ["machine/+"]
detect = { kind = "threshold", metric = "temperature", above = 100.0, below = 60.0, clear = 97.0, clear_hold = "10m" }
severity = "moderate"
[[rules]]
id = "machine-silent"
sources = ["machine/temperature"]
detect = { kind = "silent", after = "1h" }
severity = "minor"
[[rules]]
id = "office-band"
sources = ["office/+"]
detect = { kind = "threshold", metric = "temperature", above = 73.0, below = 68.0, clear = 72.0 }
severity = "minor"
[[rules]]
id = "bus-enters"
sources = ["bus/+"]
detect = { kind = "enter", fence = "hospital-quarter" }
severity = "moderate"
[[rules]]
id = "bus-stays"
sources = ["bus/+"]
detect = { kind = "inside", fence = "hospital-quarter", for = "20m" }
severity = "severe"
[[rules]]
id = "bus-leaves"
sources = ["bus/+"]
detect = { kind = "exit", fence = "bus-station" }
severity = "minor"
[[rules]]
id = "cabinet-hot"
sources = ["thermal/+"]
detect = { kind = "hotspot", above = 80.0, over_background = 20.0, pixels_min = 3 }
severity = "severe"
[[rules]]
id = "pump-runs"
sources = ["pump/+"]
detect = { kind = "threshold", metric = "running", above = 0.5 }
severity = "minor"
[[rules]]
id = "day-is-over"
sources = ["end/+"]
detect = { kind = "threshold", metric = "value", above = 0.5 }
severity = "minor"

[[fences]]
file = "fences.geojson"
grids = true
[[centres]]
id = "hospital-quarter"
level = "grid"
parent = "town"
duties = ["#"]
[[people]]
id = "driver"
centre = "town"
roles = ["handler"]
terminal = "bus/4842"
"##;

/// All messages in the order of their times; `begin_ms` is the device time at which the day begins.
pub(crate) fn day(begin_ms: i64) -> Vec<Post> {
    let mut posts: Vec<(i64, Post)> = Vec::new();
    let mut spread = |posts_of: Vec<(String, Dated)>| {
        let n = posts_of.len() as i64;
        posts.extend(posts_of.into_iter().zip(0..).map(|((topic, payload), i)| {
            let at_ms = begin_ms + (2 * i + 1) * DAY_MS / (2 * n);
            (at_ms, Post { topic, payload: payload(at_ms) })
        }));
    };
    spread(devices(column(MACHINE, 1).into_iter().step_by(5), "day/machine/temperature", |value, at_ms| {
        json!({ "time": at_ms, "temperature": value }).to_string().into()
    }));
    spread(devices(column(OFFICE, 1).into_iter().step_by(2), "day/senml/room", |value, at_ms| {
        let time_s = at_ms as f64 / 1000.0;
        json!([{ "bn": "office/", "bt": time_s, "n": "temperature", "u": "[degF]", "v": value }]).to_string().into()
    }));
    let fixes: Vec<(f64, f64)> = column(BUS, 2).into_iter().zip(column(BUS, 3)).collect();
    for (bus, fixes) in [("4842", fixes.clone()), ("4843", fixes.into_iter().rev().collect())] {
        spread(devices(fixes, &format!("day/owntracks/bus/{bus}"), |(lon, lat), at_ms| {
            json!({ "_type": "location", "tst": at_ms / 1000, "lon": lon, "lat": lat, "acc": 10 }).to_string().into()
        }));
    }
    spread(devices(0..48, "day/thermal/cabinet", |n, _| if n / 4 % 2 == 0 { THERMAL.to_vec() } else { cooled() }));
    // On and off in no order, without a time: one lost or doubled run of messages changes the number of alerts.
    let mut random = Random::new(7);
    for pump in 1..=3 {
        let switched: Vec<u64> = (0..160).map(|_| random.below(2)).collect();
        spread(devices(switched, &format!("day/pump/{pump}"), |on, _| on.to_string().into()));
    }
    posts.sort_by_key(|(at_ms, _)| *at_ms);
    let end = Post { topic: "day/end/day".into(), payload: "1".into() };
    posts.into_iter().map(|(_, post)| post).chain([end]).collect()
}

type Dated = Box<dyn Fn(i64) -> Vec<u8>>;

fn devices<T: Copy + 'static>(
    values: impl IntoIterator<Item = T>,
    topic: &str,
    payload: impl Fn(T, i64) -> Vec<u8> + Copy + 'static,
) -> Vec<(String, Dated)> {
    let dated = |value| Box::new(move |at_ms| payload(value, at_ms)) as Dated;
    values.into_iter().map(|value| (topic.to_owned(), dated(value))).collect()
}

/// The cabinet with its contacts tightened: no pixel above 30 °C.
fn cooled() -> Vec<u8> {
    let limit = 30_315;
    THERMAL
        .chunks_exact(2)
        .flat_map(|pixel| u16::from_le_bytes([pixel[0], pixel[1]]).min(limit).to_le_bytes())
        .collect()
}

fn column(csv: &str, index: usize) -> Vec<f64> {
    csv.lines().skip(1).map(|line| line.split(',').nth(index).unwrap().parse().unwrap()).collect()
}

/// SplitMix64: the same numbers for the same seed.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
