//! Radiometric pictures of real cameras against PyPI's flyr: fixtures/thermal/*.expected, written by reference.py there. The
//! pictures lie beside them, or where their licence does not allow that, beside the repository (`$OUTPOST_DATA/thermal`).

use std::path::{Path, PathBuf};

use outpost::decode::radiometric::{self, Radiometric};

use crate::support::program::outpost_in;

const TOLERANCE_K: f32 = 0.1;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/thermal")
}

/// The picture of this name, where it is there.
fn picture(name: &str) -> Option<PathBuf> {
    let data = std::env::var_os("OUTPOST_DATA").map(PathBuf::from);
    let data = data.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data")).join("thermal");
    let folders = [fixtures(), data.join("flir"), data.join("dji"), data.join("seq")];
    let found = folders.into_iter().map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        eprintln!("{name} is not there: its temperatures are not compared");
    }
    found
}

/// A frame as flyr has it.
#[derive(Debug)]
struct Expected {
    columns: usize,
    rows: usize,
    step: usize,
    emissivity: f64,
    reflected_c: f64,
    min_c: f32,
    mean_c: f32,
    max_c: f32,
    pixels: Vec<Vec<f32>>,
}

fn expected(text: &str) -> Vec<Expected> {
    let mut frames: Vec<Expected> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        let after = |name: &str| words[words.iter().position(|word| *word == name).unwrap() + 1];
        if words[0] == "frame" {
            let (columns, rows) = words[2].split_once('x').unwrap();
            frames.push(Expected {
                columns: columns.parse().unwrap(),
                rows: rows.parse().unwrap(),
                step: after("step").parse().unwrap(),
                emissivity: after("emissivity").parse().unwrap(),
                reflected_c: after("reflected").parse().unwrap(),
                min_c: after("min").parse().unwrap(),
                mean_c: after("mean").parse().unwrap(),
                max_c: after("max").parse().unwrap(),
                pixels: Vec::new(),
            });
        } else {
            frames.last_mut().unwrap().pixels.push(words.iter().map(|pixel| pixel.parse().unwrap()).collect());
        }
    }
    frames
}

fn compare(name: &str, found: &Radiometric, expected: &Expected) {
    let celsius = found.celsius(&found.scene);
    assert_eq!(celsius.dim(), (expected.rows, expected.columns), "{name}");
    assert!((found.scene.emissivity - expected.emissivity).abs() < 0.001, "{name}: {:?}", found.scene);
    assert!((found.scene.reflected_c - expected.reflected_c).abs() < 0.01, "{name}: {:?}", found.scene);
    let near = |found: f32, expected: f32, what: &str| {
        assert!((found - expected).abs() <= TOLERANCE_K, "{name}: {what} is {found} °C, flyr says {expected}");
    };
    near(celsius.iter().copied().fold(f32::INFINITY, f32::min), expected.min_c, "the coldest pixel");
    near(celsius.iter().copied().fold(f32::NEG_INFINITY, f32::max), expected.max_c, "the hottest pixel");
    near(celsius.mean().unwrap(), expected.mean_c, "the mean");
    assert_eq!(expected.pixels.len(), expected.rows.div_ceil(expected.step));
    for (i, row) in expected.pixels.iter().enumerate() {
        assert_eq!(row.len(), expected.columns.div_ceil(expected.step));
        for (j, &pixel_c) in row.iter().enumerate() {
            let at = [i * expected.step, j * expected.step];
            near(celsius[at], pixel_c, &format!("row {}, column {}", at[0], at[1]));
        }
    }
}

#[test]
fn every_picture_has_the_temperatures_that_flyr_reads() {
    let mut n_pictures = 0;
    for entry in std::fs::read_dir(fixtures()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(of) = name.strip_suffix(".expected") else { continue };
        let expected = expected(&std::fs::read_to_string(fixtures().join(&name)).unwrap());
        let Some(path) = picture(of) else { continue };
        let bytes = std::fs::read(path).unwrap();
        let found: Vec<_> = radiometric::frames(&bytes).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(found.len(), expected.len(), "{of}");
        found.iter().zip(&expected).for_each(|(found, expected)| compare(of, found, expected));
        n_pictures += 1;
    }
    assert!(n_pictures >= 2, "the two pictures that are in the repository at least");
}

#[test]
fn the_command_tells_temperatures_and_regions_and_draws_them() {
    let scratch = tempfile::tempdir().unwrap();
    let (file, png) = (fixtures().join("FLIR_E40.jpg"), scratch.path().join("drawn.png"));
    let arguments = ["thermal", file.to_str().unwrap(), "--above", "24", "--pixels-min", "4", "--png"];
    let (code, out, error) = outpost_in(scratch.path(), &[&arguments[..], &[png.to_str().unwrap()]].concat());
    assert_eq!((code, error.as_str()), (Some(0), ""), "{out}");
    let expected = "camera     FLIR E40, 160x120\n\
         object     emissivity 0.95, reflects 21.0 °C, 2.0 m away\n\
         air        14.0 °C, 49 % humidity; window 19.0 °C, lets 98 % through\n\
         frame 0    17.88 to 24.70 °C, mean 21.09 °C, hottest at column 68, row 40\n";
    assert!(out.starts_with(expected), "{out}");
    assert!(out[expected.len()..].lines().all(|line| line.starts_with("  region   columns ")), "{out}");
    let drawn = std::fs::read(png).unwrap();
    assert_eq!(&drawn[..8], b"\x89PNG\r\n\x1a\n");
    let size = |at: usize| u32::from_be_bytes(drawn[at..at + 4].try_into().unwrap());
    assert!(size(16) > 3 * 160 && size(20) == 3 * 120, "{}x{}", size(16), size(20));
}

#[test]
fn another_emissivity_makes_another_temperature() {
    let file = fixtures().join("FLIR_AX8.jpg");
    let hottest = |emissivity: &str| {
        let (_, out, _) = outpost_in(&fixtures(), &["thermal", file.to_str().unwrap(), "--emissivity", emissivity]);
        let (_, rest) = out.split_once(" to ").unwrap();
        rest.split_once(" °C").unwrap().0.parse::<f64>().unwrap()
    };
    // 20 °C are mirrored, so what is warmer than that gets warmer still.
    assert!(hottest("0.5") > hottest("0.95") + 3.0);
    let (code, _, error) = outpost_in(&fixtures(), &["thermal", file.to_str().unwrap(), "--emissivity", "1.5"]);
    assert_eq!((code, error.as_str()), (Some(1), "outpost: emissivity 1.5 is not over 0 and at most 1\n"));
}

#[test]
fn what_holds_no_temperatures_is_told_by_name() {
    for (name, expected) in [
        ("FLIR_AX8.jpg.expected", "neither a JPEG nor FLIR's FFF"),
        ("../../gateway/console/screenshots/wall.png", "neither a JPEG nor FLIR's FFF"),
    ] {
        let (code, out, error) = outpost_in(&fixtures(), &["thermal", name]);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{name}");
        assert_eq!(error, format!("outpost: {name}: {expected}\n"));
    }
    if let Some(dji) = picture("M30T_0004_R.JPG") {
        let (_, _, error) = outpost_in(&fixtures(), &["thermal", dji.to_str().unwrap()]);
        assert!(error.contains("closed SDK"), "{error}");
    }
}

/// One ticket of the fire that both of the demo's towers see, by its API; none before both have seen it.
async fn demo_fire(address: &str) -> Option<(serde_json::Value, String)> {
    let get = async |path: &str| -> serde_json::Value {
        let answer = reqwest::get(format!("http://{address}/api/v1/{path}")).await.unwrap();
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    };
    let tickets = get("tickets").await["tickets"].as_array().unwrap().clone();
    let fires: Vec<_> = tickets.into_iter().filter(|ticket| ticket["rule"] == "hill-fire").collect();
    assert!(fires.len() <= 1, "{fires:?}");
    let no = &fires.first()?["no"];
    // Both of one answer: the second tower may come between two.
    let one = get(&format!("tickets/{no}")).await;
    let journal = one["journal"].to_string();
    journal.contains("also seen by tower/").then(|| (one["ticket"].clone(), journal))
}

/// The ticket of the demo's burning house, once its visible camera has seen the flames.
async fn demo_house(address: &str) -> Option<serde_json::Value> {
    let answer = reqwest::get(format!("http://{address}/api/v1/tickets?stage=all")).await.unwrap();
    let all: serde_json::Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    let is_sure = |ticket: &serde_json::Value| ticket["confidence"]["share"].as_f64() > Some(0.8);
    let mut tickets = all["tickets"].as_array().unwrap().iter();
    tickets.find(|ticket| ticket["rule"] == "house-fire" && is_sure(ticket)).cloned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demos_fire_lies_on_the_map_where_it_is() {
    let (folder, stop) = (tempfile::tempdir().unwrap(), tokio_util::sync::CancellationToken::new());
    let app = outpost::demo::start(folder.path(), "127.0.0.1:0", stop.clone()).await.unwrap();
    let address = app.address().to_string();
    let found = async {
        loop {
            match demo_fire(&address).await {
                Some(found) => return found,
                None => tokio::time::sleep(std::time::Duration::from_millis(200)).await,
            }
        }
    };
    let (ticket, journal) = tokio::time::timeout(std::time::Duration::from_secs(60), found).await.unwrap();
    let place = &ticket["place"];
    let point = outpost_fences::Point { lon: place["lon"].as_f64().unwrap(), lat: place["lat"].as_f64().unwrap() };
    let off_m = outpost::demo::FIRE.distance_m(point);
    let error = &place["sight"]["error"];
    let (major_m, minor_m) = (error["major_m"].as_f64().unwrap(), error["minor_m"].as_f64().unwrap());
    // A pixel of these cameras is 15 m there, and where a pixel lies is all that is off.
    assert!(off_m < 30.0, "{off_m} m off: {place}");
    assert!(minor_m > 5.0 && major_m < 60.0, "{place}, {journal}");
    assert_eq!(place["sight"]["flat"], true);
    let house = async {
        loop {
            match demo_house(&address).await {
                Some(ticket) => return ticket,
                None => tokio::time::sleep(std::time::Duration::from_millis(200)).await,
            }
        }
    };
    let house = tokio::time::timeout(std::time::Duration::from_secs(120), house).await.unwrap();
    let roles: Vec<&str> =
        house["pictures"].as_array().unwrap().iter().filter_map(|one| one["role"].as_str()).collect();
    assert!(roles.contains(&"at") && roles.contains(&"visible"), "one ticket with the pictures of both: {house}");
    stop.cancel();
    app.finished().await.unwrap();
}

#[tokio::test]
async fn a_terrain_and_grids_come_with_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let heights = "ncols 3\nnrows 3\nxllcorner 106\nyllcorner 29\ncellsize 0.1\n260 260 260 260 260 260 260 260 260\n";
    std::fs::write(folder.path().join("hills.asc"), heights).unwrap();
    let grid = r#"{"type": "Feature", "id": "grid-1", "properties": {}, "geometry": {"type": "Polygon",
        "coordinates": [[[106, 29], [106.3, 29], [106.3, 29.3], [106, 29.3], [106, 29]]]}}"#;
    std::fs::write(folder.path().join("grids.geojson"), grid).unwrap();
    let text = "[land]\nfile = 'hills.asc'\n[[fences]]\nfile = 'grids.geojson'\ngrids = true\n";
    let checked = outpost::config::check::check(text, &folder.path().join("town.toml"));
    assert!(checked.problems.is_empty(), "{:?}", checked.problems);
    let config = checked.config.unwrap();
    let terrain = config.land.terrain.unwrap();
    let height_m = terrain.height_m(outpost_fences::Point { lon: 106.15, lat: 29.15 }).unwrap();
    assert!((height_m - 260.0).abs() < 1e-6);
    assert_eq!(config.fences[0].ids.iter().map(|id| &**id).collect::<Vec<_>>(), ["grid-1"]);
    std::fs::write(folder.path().join("hills.asc"), "ncols 3").unwrap();
    let checked = outpost::config::check::check(text, &folder.path().join("town.toml"));
    assert!(checked.problems[0].to_string().contains("header: nrows is missing"), "{:?}", checked.problems);
}

/// Every rule of the set has examples, and they come true.
#[test]
fn the_rules_for_the_underground_do_what_they_say() {
    let file = fixtures().join("../../configs/underground.toml");
    let (code, out, error) = outpost_in(&fixtures(), &["rules", "test", file.to_str().unwrap()]);
    assert_eq!((code, error.as_str()), (Some(0), ""), "{out}");
    let text = std::fs::read_to_string(&file).unwrap();
    let (n_rules, n_examples) = (text.matches("[[rules]]").count(), text.matches("examples = ").count());
    assert_eq!(n_rules, n_examples);
    // A limit without a source beside it is nobody's.
    let limits =
        text.lines().filter(|line| line.contains("above = ") || line.contains("rise = ") || line.contains("below = "));
    for line in limits {
        assert!(line.contains("} #") || line.contains("}   #"), "{line}");
    }
}
