//! Agreement with Shapely (GEOS), an independent implementation: `oracle.py` draws polygons, asks Shapely which contain
//! which points, and tells how far each point is from the nearest border.
//!
//! The rule of agreement: a point farther than [`BORDER_DEG`] from all borders of a fence must have the same answer.
//! Nearer, GEOS and this crate may differ by definition: a border point is in no polygon for GEOS's `contains`, and
//! belongs to exactly one of two neighbours here. Nearer points are counted, and asked for ownership elsewhere.
//!
//! The drawn part always runs and fails where Shapely is lacking. Stored borders whose licence keeps them out of the
//! project are read from the folder that `OUTPOST_GEO_DATA` names; without it that part says that it is skipped.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use outpost_fences::{FenceSet, Point, geojson};

/// Degrees: a tenth of a millimetre, far above what rounding of either side can do.
const BORDER_DEG: f64 = 1e-9;

/// Runs the script and compares each line: `longitude latitude distance ids…`.
#[expect(clippy::disallowed_methods, reason = "the other implementation is a program")]
fn compare(arguments: &[&str]) -> (usize, usize) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/oracle.py");
    let mut child = Command::new("/usr/bin/python3")
        .arg(script)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 starts: `make test` installs it");
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();

    let mut set = FenceSet::default();
    let (mut n_compared, mut n_on_border) = (0, 0);
    for line in lines {
        let line = line.expect("it prints text");
        if let Some(drawn) = line.strip_prefix("fences ") {
            let parsed = geojson::parse(drawn);
            assert!(parsed.problems.iter().all(|problem| !problem.is_fatal()), "{:?}", parsed.problems);
            set = FenceSet::new(parsed.fences);
            continue;
        }
        let mut words = line.split(' ');
        let mut number = || words.next().and_then(|word| word.parse::<f64>().ok()).expect("three numbers");
        let (lon, lat, border_deg) = (number(), number(), number());
        if border_deg <= BORDER_DEG {
            n_on_border += 1;
            continue;
        }
        let mut expected: Vec<&str> = words.collect();
        let p = Point::new(lon, lat).expect("it is on the globe");
        let mut got: Vec<&str> = set.containing(p).map(|fence| &*fence.id).collect();
        expected.sort_unstable();
        got.sort_unstable();
        assert_eq!(got, expected, "{lon},{lat}, {border_deg} degrees from a border");
        n_compared += 1;
    }
    assert!(child.wait().expect("it was started").success(), "oracle.py failed: `make test` installs python3-shapely");
    (n_compared, n_on_border)
}

#[test]
fn drawn_polygons_have_the_same_owners_as_in_shapely() {
    let (n, n_on_border) = compare(&["drawn", "1000000"]);
    println!("{n} points agree, {n_on_border} within {BORDER_DEG} degrees of a border");
    assert!(n > 800_000 && n_on_border > 10_000, "{n} {n_on_border}");
}

#[test]
fn stored_borders_have_the_same_owners_as_in_shapely() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/geo");
    let folder = std::env::var_os("OUTPOST_GEO_DATA").map_or(shared, PathBuf::from);
    if !folder.is_dir() {
        eprintln!("SKIPPED: no stored borders: OUTPOST_GEO_DATA names no folder (the drawn polygons were compared)");
        return;
    }
    let (n, n_on_border) = compare(&["stored", &folder.display().to_string()]);
    println!("{n} points agree, {n_on_border} within {BORDER_DEG} degrees of a border");
    assert!(n > 100_000, "{n}");
}
