//! Texts that were good once, with bytes changed, dropped, doubled and spliced, for as many seconds as asked: reading and
//! repairing them ends, says something, and what is read can be asked, written and read again.
//!
//! `make fuzz SECONDS=600`; a failure prints the seed, and `FUZZ_SEED=n FUZZ_SECONDS=1` repeats it. A short round with a
//! seed of its own is part of every test run.

use std::time::{Duration, Instant};

use outpost_fences::{Coordinates, FenceSet, Point, geojson, repair, wkt};

const GEOJSON: [&str; 4] = [
    r#"{"type":"FeatureCollection","features":[{"type":"Feature","id":"a","properties":{"name":"甲"},"geometry":{"type":"Polygon","coordinates":[[[106,29],[107,29],[107,30],[106,29]],[[106.5,29.2],[106.6,29.2],[106.6,29.3],[106.5,29.2]]]}},{"type":"Feature","properties":{"id":"b","radius_m":1e3},"geometry":{"type":"Point","coordinates":[179.99,89.9]}}]}"#,
    r#"{"type":"Feature","properties":{"id":7,"width":25},"geometry":{"type":"LineString","coordinates":[[179.9,0],[-179.9,0.5],[-179.8,-1e-3]]}}"#,
    r#"{"type":"MultiPolygon","coordinates":[[[[1,1],[2,1],[2,2],[1,1]]],[[[1.5,1],[2.5,1],[2.5,2],[1.5,1]]]]}"#,
    r#"{"type":"Polygon","coordinates":[[[-180,-90],[180,-90],[180,90],[-180,90],[-180,-90]]]}"#,
];
const WKT: [&str; 3] = [
    "# c\na\t甲\tSRID=4326;POLYGON Z ((106 29 1, 107 29 1, 107 30 1, 106 29 1))\nb\tPOINT (179.99 -89.9) RADIUS 900000\n",
    "c\tMULTIPOLYGON (((1 1, 2 1, 2 2, 1 1)), ((3 3, 4 3, 4 4, 3 3)))",
    "d\tLINESTRING (179 1, -179 -1, -178.5 1e-320) WIDTH 3e4\ne\tLINESTRING(0 0,1 1)",
];
const PIECES: [&str; 24] = [
    "1e999",
    "-0",
    "5e-324",
    "1.7976931348623157e308",
    "NaN",
    "null",
    "180",
    "-180",
    "90.0000000000001",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    ",",
    "\"",
    "\\u0000",
    "\u{feff}",
    "\t",
    "\n",
    "EMPTY",
    "coordinates",
    "[[[[[[[[",
];

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

fn mutate(random: &mut Random, text: &str, other: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=random.below(6) {
        let at = random.below(bytes.len());
        let to = (at + random.below(20)).min(bytes.len());
        match random.below(8) {
            0 if !bytes.is_empty() => bytes[at] = random.next() as u8,
            1 => drop(bytes.drain(at..to)),
            2 => {
                let copy = bytes[at..to].to_vec();
                bytes.splice(at..at, copy);
            }
            3 => {
                let piece = PIECES[random.below(PIECES.len())];
                bytes.splice(at..at, piece.bytes());
            }
            4 => {
                let from = random.below(other.len());
                let until = (from + random.below(80)).min(other.len());
                bytes.splice(at..to, other.as_bytes()[from..until].iter().copied());
            }
            // Digits make other places; most other bytes make no text at all.
            _ => {
                let digits: Vec<usize> = (0..bytes.len()).filter(|&i| bytes[i].is_ascii_digit()).collect();
                if !digits.is_empty() {
                    bytes[digits[random.below(digits.len())]] = b"0123456789.-"[random.below(12)];
                }
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn try_one(seed: u64) {
    let mut random = Random(seed);
    let all: Vec<&str> = GEOJSON.into_iter().chain(WKT).collect();
    let (first, second) = (random.below(all.len()), random.below(all.len()));
    let text = mutate(&mut random, all[first], all[second]);
    let system = [Coordinates::Wgs84, Coordinates::Gcj02, Coordinates::Bd09][random.below(3)];
    let is_geojson = first < GEOJSON.len();
    let parsed = if is_geojson { geojson::parse_in(&text, system) } else { wkt::parse(&text, system) };
    for problem in &parsed.problems {
        assert!(!problem.to_string().is_empty());
    }
    for fence in &parsed.fences {
        let written = geojson::to_json(fence).to_string();
        let again = geojson::parse(&written);
        assert_eq!(again.fences.len(), 1, "{written}: {:?}", again.problems);
    }
    let bounds: Vec<_> = parsed.fences.iter().map(|fence| fence.bounds()).collect();
    let set = FenceSet::new(parsed.fences);
    for _ in 0..8 {
        let point = match bounds.get(random.below(bounds.len())) {
            Some(b) => {
                let share = |random: &mut Random| random.below(1001) as f64 / 1000.0;
                let (x, y) = (share(&mut random), share(&mut random));
                Point { lon: b.west + (b.east - b.west) * x, lat: b.south + (b.north - b.south) * y }
            }
            None => Point { lon: f64::from_bits(random.next()), lat: f64::from_bits(random.next()) },
        };
        let alone = set.iter().filter(|fence| fence.contains(point)).count();
        assert_eq!(set.containing(point).count(), alone, "index and fences differ at {point:?}");
        assert!(set.iter().all(|fence| fence.distance_to_border_m(point) >= 0.0));
    }
    if is_geojson && let Ok(repaired) = repair::repair(&text) {
        let json = repaired.json.to_string();
        geojson::parse(&json);
    }
}

/// A fence around the pole that is wider than half way round: written, its edges were read as those of the other way.
const FOUND: [u64; 1] = [1_797_298_157];

#[test]
fn what_was_found_once_is_not_there_any_more() {
    FOUND.into_iter().for_each(try_one);
}

#[test]
fn changed_texts_are_read_or_refused() {
    let variable = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let first = variable("FUZZ_SEED").unwrap_or(1);
    let started = Instant::now();
    let seconds = variable("FUZZ_SECONDS");
    let mut n = 0;
    // Without a time a fixed number, so that a slow machine tests as much as a fast one.
    while seconds.map_or(n < 3_000, |seconds| started.elapsed() < Duration::from_secs(seconds)) {
        let seed = first + n;
        if std::panic::catch_unwind(|| try_one(seed)).is_err() {
            panic!("FUZZ_SEED={seed}");
        }
        n += 1;
    }
    println!("{n} texts, seeds {first} to {}", first + n - 1);
}
