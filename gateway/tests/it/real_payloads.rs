//! Payloads of others that may not be copied into the project, where they lie beside it: `$OUTPOST_DATA/payloads`, else
//! `../shared/data/payloads`. What may be copied is in fixtures/payloads.

use std::path::{Path, PathBuf};

use crate::support::program::outpost_in;

fn folder() -> Option<PathBuf> {
    let data = std::env::var_os("OUTPOST_DATA").map(PathBuf::from);
    let data = data.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"));
    let folder = data.join("payloads");
    if !folder.is_dir() {
        eprintln!("{} is not there: real payloads are not decoded", folder.display());
        return None;
    }
    Some(folder)
}

fn decoded(folder: &Path, file: &str, format: &str, topic: &str) -> String {
    let source = if ["owntracks", "tasmota"].contains(&format) { "{topic}" } else { "{name}" };
    let received = "2026-03-01T08:00:00Z";
    let arguments = ["decode", file, "--format", format, "--source", source, "--topic", topic, "--received", received];
    let (_, out, error) = outpost_in(folder, &arguments);
    assert_eq!(error, "", "{file}");
    out
}

#[test]
fn payloads_of_others_decode_to_what_they_say() {
    let Some(folder) = folder() else { return };
    let up = "application/1/device/2/event/up";
    for (file, format, topic, expected) in [
        (
            "chirpstack/event_up.json",
            "chirpstack",
            up,
            "2022-07-18T09:34:15.775Z 0101010101010101 reading rxInfo.rssi = -36 dBm\n\
             2022-07-18T09:34:15.775Z 0101010101010101 reading rxInfo.snr = 10.5 dB\n\
             reject missing /object: nothing is there; does the device profile decode (codec)?\n",
        ),
        ("chirpstack/event_join.json", "chirpstack", up, "ignored 1\n"),
        ("chirpstack/event_ack.json", "chirpstack", up, "ignored 1\n"),
        ("chirpstack/event_txack.json", "chirpstack", up, "ignored 1\n"),
        (
            "tasmota/json-status-responses_03.txt",
            "tasmota",
            "stat/x/STATUS8",
            "2026-03-01T08:00:00Z stat/x/STATUS8 reading DHT11.Temperature = 78.8 [degF]\n\
             2026-03-01T08:00:00Z stat/x/STATUS8 reading DHT11.Humidity = 27 %RH\n\
             2026-03-01T08:00:00Z stat/x/STATUS8 reading SHT3X.Temperature = 74.8 [degF]\n\
             2026-03-01T08:00:00Z stat/x/STATUS8 reading SHT3X.Humidity = 18.9 %RH\n",
        ),
        (
            "homeassistant/discovery_binary_sensor_garden.json",
            "{ kind = \"home-assistant\", allow = [\"01ad\"] }",
            "homeassistant/binary_sensor/garden/config",
            "ignored 1\n",
        ),
    ] {
        assert_eq!(decoded(&folder, file, format, topic), expected, "{file}");
    }
    let integration = decoded(&folder, "chirpstack/event_integration.json", "chirpstack", up);
    let of_device = |line: &&str| line.starts_with("2022-07-18T10:02:15.812Z 0016c001f000175a reading ");
    assert_eq!(integration.lines().filter(of_device).count(), 24, "{integration}");
    assert!(integration.contains("reading info_fields.temp.value = 25 -\n"), "{integration}");
    let status = decoded(&folder, "tasmota/json-status-responses_01.txt", "tasmota", "stat/x/STATUS0");
    assert!(status.contains("reading Vcc = 3.504 V\n") && !status.contains("reject"), "{status}");
}

#[test]
fn a_recorded_way_of_a_phone_is_positions() {
    let Some(folder) = folder() else { return };
    let recording = std::fs::read_to_string(folder.join("owntracks/demo-iphone.rec")).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let (mut n_positions, mut n_others) = (0, 0);
    for line in recording.lines().filter_map(|line| line.find('{').map(|at| &line[at..])) {
        std::fs::write(scratch.path().join("one.json"), line).unwrap();
        let shown = decoded(scratch.path(), "one.json", "owntracks", "owntracks/demo/phone");
        n_positions += usize::from(shown.contains(" owntracks/demo/phone position 1"));
        n_others += usize::from(shown == "ignored 1\n");
    }
    assert_eq!((n_positions, n_others), (23, 2));
}
