//! Walks fixtures/payloads: every payload decodes to exactly what its `.expected` file says. See the README there.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use outpost::config::Config;
use outpost::decode::{Decoded, Decoder, Decoders, Shown};
use outpost_detectors::observation::{Fact, Observation};

/// A payload under its feed.
pub(crate) struct Fixture {
    pub(crate) path: PathBuf,
    pub(crate) payload: Vec<u8>,
    pub(crate) topic: Arc<str>,
    pub(crate) received_ms: i64,
    /// It has read the messages that come before.
    pub(crate) decoder: Decoder,
}

pub(crate) fn fixtures() -> Vec<Fixture> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/payloads");
    let mut fixtures = Vec::new();
    for folder in sorted(&root).into_iter().filter(|path| path.is_dir()) {
        for path in sorted(&folder) {
            let extension = path.extension().unwrap_or_default();
            if extension != "toml" && extension != "expected" {
                fixtures.push(load(path));
            }
        }
    }
    fixtures
}

/// All kinds of formats, as the parser of configurations lists them.
fn kinds() -> Vec<String> {
    let feed = "[[feeds]]\nid = \"f\"\nbroker = \"b\"\ntopics = [\"t\"]\nformat = { kind = \"nonsense\" }";
    let error = toml::from_str::<Config>(feed).unwrap_err().to_string();
    let line = error.lines().find(|line| line.starts_with("unknown variant `nonsense`")).unwrap();
    line.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn load(path: PathBuf) -> Fixture {
    let (topic, received_ms, after, config) = feed_of(&feed_text(&path));
    let decoder = Decoders::new(&config).unwrap().take("b").unwrap();
    for name in after {
        let earlier = path.with_file_name(name);
        let (topic, ..) = feed_of(&feed_text(&earlier));
        decoder.decode(&topic, &std::fs::read(&earlier).unwrap(), received_ms, &mut Decoded::new());
    }
    Fixture { payload: std::fs::read(&path).unwrap(), path, topic, received_ms, decoder }
}

fn feed_text(payload: &Path) -> String {
    let own = payload.with_extension("feed.toml");
    let feed = if own.exists() { own } else { payload.with_file_name("feed.toml") };
    std::fs::read_to_string(&feed).unwrap()
}

/// Topic, receive time and files of the messages before, then a configuration of feeds.
fn feed_of(text: &str) -> (Arc<str>, i64, Vec<String>, Config) {
    let mut table: toml::Table = text.parse().unwrap();
    let topic = table.remove("topic").unwrap();
    let received: jiff::Timestamp = table.remove("received").unwrap().as_str().unwrap().parse().unwrap();
    let after = table.remove("after").map_or_else(Vec::new, |after| after.try_into().unwrap());
    (topic.as_str().unwrap().into(), received.as_millisecond(), after, table.try_into().unwrap())
}

fn decoded(fixture: &Fixture) -> Decoded {
    let mut decoded = Decoded::new();
    fixture.decoder.decode(&fixture.topic, &fixture.payload, fixture.received_ms, &mut decoded);
    decoded
}

#[test]
fn every_payload_decodes_to_what_its_expected_file_says() {
    let update = std::env::var_os("OUTPOST_UPDATE_EXPECTED").is_some();
    let fixtures = fixtures();
    assert!(fixtures.len() > 60, "only {} payloads were found", fixtures.len());
    let mut wrong = String::new();
    for fixture in &fixtures {
        let shown = decoded(fixture).to_string();
        let expected_path = fixture.path.with_extension("expected");
        if update {
            std::fs::write(&expected_path, &shown).unwrap();
        }
        let expected = std::fs::read_to_string(&expected_path).unwrap_or_default();
        if shown != expected {
            writeln!(wrong, "--- {}\nexpected:\n{expected}found:\n{shown}", fixture.path.display()).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_format_has_payloads_that_decode_and_payloads_that_are_rejected() {
    let fixtures = fixtures();
    let kinds = kinds();
    assert!(kinds.len() > 5, "{kinds:?}");
    for format in kinds {
        let of_format: Vec<_> =
            fixtures.iter().filter(|fixture| fixture.path.parent().unwrap().ends_with(&format)).map(decoded).collect();
        assert!(of_format.iter().any(|decoded| !decoded.observations.is_empty()), "{format} decodes nothing");
        assert!(of_format.iter().any(|decoded| !decoded.rejects.is_empty()), "{format} rejects nothing");
    }
}

#[test]
fn a_senml_pack_and_its_resolved_form_give_the_same_observations() {
    let fixtures = fixtures();
    let find = |name: &str| {
        let fixture = fixtures.iter().find(|fixture| fixture.path.ends_with(name)).unwrap();
        decoded(fixture).observations.iter().map(|observation| Shown(observation).to_string()).collect::<Vec<_>>()
    };
    for name in ["senml/rfc8428-ex5", "senml/rfc8428-ex5-by-name"] {
        let resolved = name.replace("ex5", "ex5-resolved");
        assert_eq!(find(&format!("{name}.json")), find(&format!("{resolved}.json")));
    }
}

#[test]
fn the_real_thermal_picture_has_its_hot_contact_in_both_forms() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/thermal");
    let feed = |format: &str| {
        let text = format!(
            "topic = \"t\"\nreceived = \"2026-01-01T00:00:00Z\"\n[[feeds]]\nid = \"t\"\nbroker = \"b\"\ntopics = [\"t\"]\nformat = {format}"
        );
        let (topic, received_ms, _, config) = feed_of(&text);
        (topic, received_ms, Decoders::new(&config).unwrap().take("b").unwrap())
    };
    let mut frames = Vec::new();
    for (file, format) in [
        ("fuses_80x60.json", "{ kind = \"thermal-json\", pixels = \"/pixels\" }"),
        ("fuses_80x60.u16", "{ kind = \"thermal-u16\", columns = 80, rows = 60 }"),
    ] {
        let (topic, received_ms, decoder) = feed(format);
        let mut decoded = Decoded::new();
        decoder.decode(&topic, &std::fs::read(root.join(file)).unwrap(), received_ms, &mut decoded);
        let [Observation { fact: Fact::Thermal(frame), .. }] = decoded.observations.as_slice() else {
            panic!("{file}: {decoded:?}")
        };
        assert_eq!(frame.celsius.dim(), (60, 80), "{file}");
        let hottest = frame.celsius.iter().copied().fold(f32::MIN, f32::max);
        assert!((hottest - 97.85).abs() < 0.02, "{file}: {hottest}");
        frames.push(frame.celsius.clone());
    }
    let differ = frames[0].iter().zip(frames[1].iter()).filter(|(a, b)| (*a - *b).abs() > 0.01).count();
    assert_eq!(differ, 0, "the two forms hold the same pixels");
}
