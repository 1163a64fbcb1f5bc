//! `outpost decode`: shows what payloads become, as their `.expected` files say it.

use std::path::{Path, PathBuf};

use crate::support::program::{outpost, outpost_in};

fn payloads() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/payloads")
}

/// A payload's feed as the command's arguments say it: from its folder.
fn decode(folder: &str, file: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    outpost_in(&payloads().join(folder), &[&["decode", file], arguments].concat())
}

fn expected(path: &str) -> String {
    std::fs::read_to_string(payloads().join(path)).unwrap()
}

#[test]
fn a_payload_is_shown_as_its_expected_file_says() {
    let arguments = [
        "--format",
        "senml",
        "--source",
        "gateway/{1}",
        "--topic",
        "gateway/3/senml",
        "--received",
        "2017-06-30T00:00:00Z",
    ];
    let (code, out, error) = decode("senml", "rfc8428-ex5.json", &arguments);
    assert_eq!((code, out, error), (Some(0), expected("senml/rfc8428-ex5.expected"), String::new()));
    let (code, out, _) = decode("senml", "bad-records.json", &arguments);
    assert_eq!((code, out), (Some(1), expected("senml/bad-records.expected")));
}

#[test]
fn a_whole_format_is_written_as_in_the_configuration() {
    let format = "{ kind = \"number\", metric = \"level\", unit = \"m\" }";
    let arguments = ["--format", format, "--topic", "well/3", "--received", "2026-01-01T00:00:00Z"];
    let (code, out, _) = decode("number", "nan.txt", &arguments);
    assert_eq!((code, out.as_str()), (Some(1), "reject not_finite expected a number, found nan\n"));
    let (code, out, _) =
        outpost_in(&payloads().join("number"), &[&["decode", "plain.txt", "nan.txt"][..], &arguments].concat());
    let plain = expected("number/plain.txt");
    let plain = format!("plain.txt:\n2026-01-01T00:00:00Z well/3 reading level = {} m\n", plain.trim());
    assert_eq!((code, out), (Some(1), plain + "nan.txt:\nreject not_finite expected a number, found nan\n"));
}

#[test]
fn the_feed_of_a_configuration_is_found_by_the_topic() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("town.toml");
    std::fs::write(&config, CONFIG).unwrap();
    let config = config.display().to_string();
    let arguments = ["-c", &config, "--topic", "well/3/level", "--received", "2026-01-01T00:00:00Z"];
    let (code, out, error) = decode("number", "plain.txt", &arguments);
    let plain = expected("number/plain.txt");
    let shown = format!("2026-01-01T00:00:00Z well/3 reading level = {} m\n", plain.trim());
    assert_eq!((code, out, error), (Some(0), shown, String::new()));
    let (code, _, error) = decode("number", "plain.txt", &["-c", &config, "--topic", "elsewhere"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("no feed of the configuration takes the topic \"elsewhere\""), "{error}");
}

#[test]
fn what_is_asked_wrongly_is_told() {
    let (code, _, error) = decode("number", "plain.txt", &["--format", "nmber"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("did you mean \"number\"?"), "{error}");
    let (code, _, error) = decode("number", "no-such-file", &["--format", "senml"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("no-such-file"), "{error}");
    for arguments in [&["decode", "x"][..], &["decode", "x", "-c", "y"], &["decode", "--format", "senml"]] {
        assert_eq!(outpost(arguments).0, Some(2), "{arguments:?}");
    }
}

const CONFIG: &str = r#"
[[brokers]]
id = "empty"
host = "localhost"
client_id = "another"

[[brokers]]
id = "town"
host = "localhost"

[[feeds]]
id = "levels"
broker = "town"
topics = ["well/+/level"]
source = "well/{1}"
format = { kind = "number", metric = "level", unit = "m" }
"#;
