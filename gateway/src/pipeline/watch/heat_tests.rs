//! Rules about heat through Watch: words and figures, hours of shields, and two cameras that see one fire.

use ndarray::Array2;
use outpost_detectors::observation::{Aim, Fact, Scale, Surface, ThermalFrame};
use outpost_fences::sight::{bearing_and_distance, destination};
use outpost_fences::{Fence, Point, geojson};

use super::*;
use crate::nouns::{Exhibit, Role, SnapshotAsk};

const TOWERS: &str = r#"
    [[calendars]]
    id = "district"

    [[sources]]
    id = "thermal/west"
    name = "west tower"
    place = [106.05, 29.84]
    view = { height_m = 350.0, bearing = 90.0, elevation = -3.0, fov = 40.0, errors = { pixels = 0.2 } }

    [[sources]]
    id = "thermal/east"
    place = [106.0914, 29.84]
    view = { height_m = 350.0, bearing = 270.0, elevation = -3.0, fov = 40.0, errors = { pixels = 0.2 } }

    [[sources]]
    id = "thermal/north"
    place = [106.07, 29.88]
    view = { height_m = 350.0, bearing = 180.0, elevation = -3.0, fov = 40.0, errors = { pixels = 0.2 } }

    [land]
    flat_m = 200.0

    [[rules]]
    id = "fire"
    name = "fire on the hill"
    sources = ["thermal/*"]
    detect = { kind = "hotspot", above = 80.0, pixels_min = 2, frames = 2, of = 3 }
    severity = "extreme"
"#;

const WEST: Point = Point { lon: 106.05, lat: 29.84 };

fn watch(rules: &str) -> Watch {
    let mut config: Config = toml::from_str(rules).unwrap();
    // Two grids that share a border north of the fire of these tests, and one far away.
    let grid = |id: &str, west: f64, south: f64| {
        let (east, north) = (west + 0.05, south + 0.03);
        format!(
            r#"{{ "type": "Feature", "id": "{id}", "properties": {{}}, "geometry": {{ "type": "Polygon", "coordinates":
            [[[{west}, {south}], [{east}, {south}], [{east}, {north}], [{west}, {north}], [{west}, {south}]]] }} }}"#
        )
    };
    let text = [grid("south", 106.04, 29.81), grid("north", 106.04, 29.84), grid("far", 107.0, 29.0)].join(",");
    let fences: Vec<Fence> =
        geojson::parse(&format!(r#"{{ "type": "FeatureCollection", "features": [{text}] }}"#)).fences;
    config.fences.push(crate::config::FenceFile {
        file: Some("grids.geojson".into()),
        geojson: None,
        coordinates: Default::default(),
        grids: true,
        ids: fences.iter().map(|fence| fence.id.clone()).collect(),
    });
    Watch::new(&config, &FenceSet::new(fences)).unwrap()
}

/// A frame of a camera that looks straight at `fire`, or past it.
fn frame(source: &str, at_ms: i64, from: Point, fire: Option<Point>) -> Observation {
    let mut celsius = Array2::from_elem((60, 80), 15.0_f32);
    let target = fire.unwrap_or(Point { lon: 106.07, lat: 29.83 });
    let (bearing_deg, distance_m) = bearing_and_distance(from, target);
    if fire.is_some() {
        [(29, 39), (29, 40), (30, 39), (30, 40)].into_iter().for_each(|at| celsius[at] = 250.0);
    }
    let aim =
        Aim { bearing_deg, elevation_deg: -(150.0 / distance_m).atan().to_degrees(), fov_deg: None, preset: None };
    let frame = ThermalFrame {
        celsius: Arc::new(celsius),
        scale: Scale::default(),
        surface: Surface::default(),
        aim: Some(aim),
    };
    Observation { source: source.into(), at_ms, received_ms: at_ms, fact: Fact::Thermal(frame) }
}

fn told(effects: &[Effect]) -> Vec<String> {
    let told = effects.iter().filter_map(|effect| match effect {
        Effect::Save(_) | Effect::Remember(_) => None,
        Effect::Open(alert) => Some(format!("open {}", alert.key.source)),
        Effect::Join(joined) => Some(format!("join {}", joined.source)),
        Effect::Show(_) => None,
        Effect::Clear(cleared) => Some(format!("clear {}", cleared.key.source)),
    });
    told.collect()
}

struct Hill {
    watch: Watch,
    now_ms: i64,
}

impl Hill {
    /// Two frames, so that the rule believes them; what came of it.
    fn sees(&mut self, source: &str, from: Point, fire: Option<Point>) -> Vec<Effect> {
        let mut effects = Vec::new();
        // As many as the rule looks back at, for what is gone has to be gone from all of them.
        for _ in 0..3 {
            self.now_ms += 1_000;
            self.watch.step(&frame(source, self.now_ms, from, fire), &mut effects);
        }
        effects
    }
}

fn towers() -> (Hill, Point, Point, Point) {
    let hill = Hill { watch: watch(TOWERS), now_ms: 0 };
    (hill, Point { lon: 106.0914, lat: 29.84 }, Point { lon: 106.07, lat: 29.88 }, destination(WEST, 95.0, 1_900.0))
}

#[test]
fn an_alert_lies_on_the_map_where_the_fire_is() {
    let (mut hill, _, _, fire) = towers();
    let effects = hill.sees("thermal/west", WEST, Some(fire));
    let Some(Effect::Open(alert)) = effects.iter().find(|effect| matches!(effect, Effect::Open(_))) else {
        panic!("{effects:?}")
    };
    let sight = alert.place.sight.as_ref().unwrap();
    let (lon, lat) = alert.place.point.unwrap();
    let error = sight.error.unwrap();
    let off_m = fire.distance_m(Point { lon, lat });
    assert!(off_m < 30.0 && off_m < error.major_m, "{off_m} {sight:?}");
    assert!((sight.bearing_deg - 95.0).abs() < 0.01 && (sight.distance_m.unwrap() - 1_900.0).abs() < 30.0);
    assert_eq!(alert.place.name.as_deref(), Some("west tower"));
    // The fire is 170 m south of the border, and it may be twice that off.
    assert_eq!(sight.grids.iter().map(|grid| &**grid).collect::<Vec<_>>(), ["south", "north"]);
    assert!(alert.why.text.starts_with("250.0 °C over a background of 15.0 °C, 4 pixels"), "{}", alert.why.text);
    let figure = |name: &str| alert.why.figures.iter().find(|figure| figure.name == name).map(|figure| figure.value);
    assert_eq!((figure("hottest"), figure("coldest"), figure("pixels")), (Some(250.0), Some(15.0), Some(4.0)));
    let bars: Vec<f64> =
        alert.why.figures.iter().filter(|f| f.name.starts_with("pixels from")).map(|f| f.value).collect();
    assert_eq!((bars.len(), bars[0], bars[15], bars.iter().sum::<f64>()), (16, 4_796.0, 4.0, 4_800.0));
    assert!(matches!(alert.snapshot, Some(SnapshotAsk::Heat { .. })));
}

#[test]
fn two_cameras_that_see_one_fire_have_one_alert_until_neither_does() {
    let (mut hill, east, north, fire) = towers();
    assert_eq!(told(&hill.sees("thermal/west", WEST, Some(fire))), ["open thermal/west"]);
    let effects = hill.sees("thermal/east", east, Some(fire));
    assert_eq!(told(&effects), ["join thermal/east"]);
    let Some(Effect::Join(joined)) = effects.iter().find(|effect| matches!(effect, Effect::Join(_))) else { panic!() };
    let place = joined.place.as_ref().unwrap();
    let (lon, lat) = place.point.unwrap();
    assert!(fire.distance_m(Point { lon, lat }) < 20.0, "{place:?}");
    // Another fire, a kilometre away, is none of it.
    let other = destination(fire, 30.0, 1_000.0);
    assert_eq!(told(&hill.sees("thermal/north", north, Some(other))), ["open thermal/north"]);
    assert_eq!(told(&hill.sees("thermal/west", WEST, None)), [] as [&str; 0]);
    // It comes back to the one that opened it: its alert is open still.
    assert_eq!(told(&hill.sees("thermal/west", WEST, Some(fire))), ["join thermal/west"]);
    assert_eq!(told(&hill.sees("thermal/west", WEST, None)), [] as [&str; 0]);
    assert_eq!(told(&hill.sees("thermal/east", east, None)), ["clear thermal/east"]);
    assert_eq!(told(&hill.sees("thermal/north", north, None)), ["clear thermal/north"]);
}

#[test]
fn a_fire_in_two_presets_of_one_camera_is_one() {
    let (mut hill, _, _, fire) = towers();
    assert_eq!(told(&hill.sees("thermal/west@1", WEST, Some(fire))), ["open thermal/west@1"]);
    assert_eq!(told(&hill.sees("thermal/west@2", WEST, None)), [] as [&str; 0]);
    assert_eq!(told(&hill.sees("thermal/west@3", WEST, Some(fire))), ["join thermal/west@3"]);
    assert_eq!(told(&hill.sees("thermal/west@1", WEST, None)), [] as [&str; 0]);
    assert_eq!(told(&hill.sees("thermal/west@3", WEST, None)), ["clear thermal/west@3"]);
}

/// Stopped anywhere and restored from what was saved, it goes on as if nothing had happened.
#[test]
fn a_restart_between_two_cameras_changes_nothing() {
    let (mut hill, east, _, fire) = towers();
    let mut saved: HashMap<(Arc<str>, Arc<str>), StateRow> = HashMap::new();
    let mut all = Vec::new();
    for (source, from, fire) in [
        ("thermal/west", WEST, Some(fire)),
        ("thermal/east", east, Some(fire)),
        ("thermal/west", WEST, None),
        ("thermal/east", east, None),
    ] {
        let effects = hill.sees(source, from, fire);
        all.extend(told(&effects));
        for effect in effects {
            if let Effect::Save(row) = effect {
                saved.insert((row.rule.clone(), row.source.clone()), row);
            }
        }
        hill.watch = watch(TOWERS);
        hill.watch.restore(saved.values().cloned().collect(), hill.now_ms, &mut Vec::new());
    }
    assert_eq!(all, ["open thermal/west", "join thermal/east", "clear thermal/east"]);
}

#[test]
fn a_shield_is_up_in_its_hours_only() {
    let rules = r#"
        [[calendars]]
        id = "district"
        zone = "UTC"

        [[rules]]
        id = "fire"
        sources = ["thermal/*"]
        severity = "severe"
        [rules.detect]
        kind = "hotspot"
        above = 80.0
        shields = [{ polygon = [[0.4, 0.4], [0.6, 0.4], [0.6, 0.6], [0.4, 0.6]], active = { calendar = "district", windows = ["daily 06:00-08:00"] } }]
    "#;
    let mut watch = watch(rules);
    let mut opened = |hour: i64| {
        let (mut effects, fire) = (Vec::new(), destination(WEST, 95.0, 1_900.0));
        watch.step(&frame("thermal/a", hour * 3_600_000, WEST, Some(fire)), &mut effects);
        told(&effects)
    };
    assert_eq!(opened(7), [] as [&str; 0]);
    assert_eq!(opened(9), ["open thermal/a"]);
}

#[test]
fn a_phase_that_is_warmer_than_the_others_is_named_in_the_alert() {
    let rules = r#"
        [[rules]]
        id = "phases"
        sources = ["thermal/*"]
        severity = "severe"
        [rules.detect]
        kind = "hotspot"
        above = 300.0
        unlike = 15.0
        areas = [
            { name = "phase A", polygon = [[0.0, 0.0], [0.3, 0.0], [0.3, 1.0], [0.0, 1.0]] },
            { name = "phase B", polygon = [[0.4, 0.0], [0.6, 0.0], [0.6, 1.0], [0.4, 1.0]] },
        ]
    "#;
    let (mut watch, mut effects) = (watch(rules), Vec::new());
    watch.step(&frame("thermal/a", 1_000, WEST, Some(destination(WEST, 95.0, 1_900.0))), &mut effects);
    let Some(Effect::Open(alert)) = effects.iter().find(|effect| matches!(effect, Effect::Open(_))) else {
        panic!("{effects:?}")
    };
    let text = &alert.why.text;
    assert!(text.starts_with("phase B: 250.0 °C") && text.contains("235.0 K over phase A"), "{text}");
}

/// Roles and times of pictures.
fn shown(exhibits: &[Exhibit]) -> Vec<(Role, i64)> {
    exhibits.iter().map(|exhibit| (exhibit.role, exhibit.at_ms)).collect()
}

#[test]
fn the_frames_before_at_and_after_the_moment_are_shown_in_order() {
    let rules = r#"
        [[sources]]
        id = "thermal/a"
        visible = "cam:a"

        [[rules]]
        id = "fire"
        sources = ["thermal/*"]
        severity = "severe"
        [rules.detect]
        kind = "hotspot"
        above = 80.0
        hold = "2s"
        shows = { before = 2, after = 2 }
    "#;
    let fire = destination(WEST, 95.0, 1_900.0);
    let (mut watch, mut effects) = (watch(rules), Vec::new());
    for second in 1..=14 {
        // Hot from the sixth second on, but for a blink in the tenth, when the alert is open.
        let is_hot = second >= 6 && second != 10;
        watch.step(&frame("thermal/a@1", second * 1_000, WEST, is_hot.then_some(fire)), &mut effects);
    }
    let mut alerts = effects.iter().filter_map(|effect| match effect {
        Effect::Open(alert) => Some(alert),
        _ => None,
    });
    let (alert, again) = (alerts.next().unwrap(), alerts.next().unwrap());
    assert_eq!(shown(&alert.exhibits), [(Role::Before, 4_000), (Role::Before, 5_000), (Role::At, 8_000)]);
    assert_eq!(alert.exhibits[2].ask, None, "it is the snapshot");
    assert_eq!(alert.visible.as_deref(), Some("cam:a"), "of a preset, that of the camera");
    assert_eq!(alert.confidence.as_ref().unwrap().share, 0.5);
    let after: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Show(shown) => Some((shown.alert.clone(), shown.exhibit.at_ms, shown.exhibit.ask.clone())),
            _ => None,
        })
        .collect();
    let times: Vec<_> = after.iter().map(|(alert, at_ms, _)| (&**alert, *at_ms)).collect();
    assert_eq!(times, [(&*alert.id, 9_000), (&*alert.id, 10_000), (&*again.id, 14_000)]);
    let n_regions = |ask: &Option<SnapshotAsk>| match ask {
        Some(SnapshotAsk::Heat { regions, .. }) => regions.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(after.iter().map(|(_, _, ask)| n_regions(ask)).collect::<Vec<_>>(), [1, 0, 1]);
    assert_eq!(shown(&again.exhibits), [(Role::Before, 5_000), (Role::Before, 10_000), (Role::At, 13_000)]);
}

#[test]
fn a_camera_that_joins_adds_its_own_pictures() {
    let (mut hill, east, _, fire) = towers();
    hill.sees("thermal/west", WEST, Some(fire));
    hill.sees("thermal/east", east, None);
    let effects = hill.sees("thermal/east", east, Some(fire));
    let Some(Effect::Join(joined)) = effects.iter().find(|effect| matches!(effect, Effect::Join(_))) else { panic!() };
    assert_eq!(shown(&joined.exhibits), [(Role::Before, 6_000), (Role::At, 8_000)]);
    assert!(joined.exhibits.iter().all(|exhibit| matches!(exhibit.ask, Some(SnapshotAsk::Heat { .. }))));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Show(shown) if shown.alert == joined.id)));
}

#[test]
fn white_hot_video_is_judged_by_its_background_and_says_that_it_tells_no_degrees() {
    let rules = r#"
        [[rules]]
        id = "warm"
        sources = ["cam:*"]
        severity = "severe"
        detect = { kind = "hotspot", over_background = 60.0, pixels_min = 4 }
    "#;
    let (mut watch, mut effects) = (watch(rules), Vec::new());
    let mut observation = frame("cam:ridge", 1_000, WEST, Some(destination(WEST, 95.0, 1_900.0)));
    let Fact::Thermal(shown) = &mut observation.fact else { panic!() };
    shown.scale = Scale::Levels;
    watch.step(&observation, &mut effects);
    let Some(Effect::Open(alert)) = effects.iter().find(|effect| matches!(effect, Effect::Open(_))) else {
        panic!("{effects:?}")
    };
    let text = &alert.why.text;
    assert!(text.starts_with("level 250 of 255 over a background of level 15 of 255, 4 pixels"), "{text}");
    assert!(text.contains("by no known degrees"), "{text}");
    let of_heat = |name: &str| name == "max" || name.starts_with("pixels from");
    let figures: Vec<_> = alert.why.figures.iter().filter(|figure| of_heat(&figure.name)).collect();
    assert!(figures.len() > 4 && figures.iter().all(|f| f.unit.is_none() && !f.name.contains("Cel")), "{figures:?}");
}
