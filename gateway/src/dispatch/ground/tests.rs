//! Claims about whose a ticket is by its place.

use std::path::Path;

use outpost_fences::geojson;
use proptest::prelude::*;

use super::*;
use crate::config::Config;
use crate::config::check::check_alone;
use crate::dispatch::tests::{Office, alert, command};
use crate::dispatch::{Desk, Effect, Kept};
use crate::nouns::{Alert, Ellipse, Joined, Move, Refusal, Sight};

const TREE: &str = r#"
[places]
border_m = 30.0

[[centres]]
id = "district"
level = "district"

[[centres]]
id = "town"
level = "town"
parent = "district"
duties = ["waste/#", "noise"]

[[centres]]
id = "west"
level = "grid"
parent = "town"
duties = ["waste/heap"]

[[centres]]
id = "east"
level = "grid"
parent = "town"
duties = ["waste/#"]

[[centres]]
id = "sensors"
level = "town"
parent = "district"
sources = ["s/+"]
"#;

/// Squares of a hundredth of a degree beside each other, each from the longitude that is given.
pub(in crate::dispatch) fn with_ground(text: &str, squares: &[(&str, f64)]) -> Config {
    let square = |(id, west): &(&str, f64)| {
        let east = west + 0.01;
        format!(
            r#"{{"type":"Feature","id":"{id}","properties":{{}},"geometry":{{"type":"Polygon",
            "coordinates":[[[{west},0],[{east},0],[{east},0.01],[{west},0.01],[{west},0]]]}}}}"#
        )
    };
    let squares: Vec<_> = squares.iter().map(square).collect();
    let parsed = geojson::parse(&format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, squares.join(",")));
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    let mut config = check_alone(text, Path::new("x.toml")).config.unwrap();
    config.places.ground = Arc::new(FenceSet::new(parsed.fences));
    config
}

pub(in crate::dispatch) fn at(lon: f64) -> Place {
    Place { point: Some((lon, 0.005)), ..Place::default() }
}

fn centres() -> Centres {
    Centres::new(&with_ground(TREE, &[("west", 0.0), ("east", 0.01), ("nobody", 0.02)]))
}

fn route(category: &str, place: &Place) -> (String, Vec<String>) {
    let Route { centre, beside } = centres().route("s/1", category, place);
    (centre.to_string(), beside.iter().map(ToString::to_string).collect())
}

#[test]
fn the_owner_of_the_point_has_it_where_it_is_on_its_duty_list() {
    assert_eq!(route("waste/heap", &at(0.004)), ("west".into(), vec![]));
    assert_eq!(route("waste/bulky", &at(0.004)), ("town".into(), vec![]), "the town takes what its grid does not");
    assert_eq!(route("fire", &at(0.004)), ("district".into(), vec![]), "the one on top takes the rest");
}

#[test]
fn what_is_on_nobodys_ground_enters_by_its_source() {
    assert_eq!(route("waste/heap", &at(5.0)).0, "sensors");
    assert_eq!(route("waste/heap", &at(0.025)).0, "sensors", "a fence that is no centre's");
    assert_eq!(route("waste/heap", &Place::default()).0, "sensors");
    // 22 m beyond the outer border: within what the point may be off.
    assert_eq!(route("waste/heap", &at(-0.0002)), ("west".into(), vec![]));
}

#[test]
fn near_a_border_the_neighbour_is_kept_as_well() {
    // 11 m before the border between the two.
    assert_eq!(route("waste/heap", &at(0.0099)), ("west".into(), vec!["east".into()]));
    assert_eq!(route("waste/heap", &at(0.0101)), ("east".into(), vec!["west".into()]));
    assert_eq!(route("noise", &at(0.0099)), ("town".into(), vec![]), "both hand it to the same");
    assert_eq!(route("waste/bulky", &at(0.0101)), ("east".into(), vec![]), "the neighbour's is the town above");
    // 300 m before it, and seen from afar.
    let error = Ellipse { major_m: 200.0, minor_m: 10.0, bearing_deg: 0.0 };
    let sight = Sight { error: Some(error), ..Sight::default() };
    let seen = Place { sight: Some(Box::new(sight)), ..at(0.0073) };
    assert_eq!(route("waste/heap", &seen), ("west".into(), vec!["east".into()]));
    assert_eq!(route("waste/heap", &at(0.0073)), ("west".into(), vec![]));
    // As far before it, by a terminal that is not that sure of where it is.
    let told = |accuracy_m| Place { accuracy_m: Some(accuracy_m), ..at(0.0073) };
    assert_eq!(route("waste/heap", &told(310.0)), ("west".into(), vec!["east".into()]));
    assert_eq!(route("waste/heap", &told(290.0)), ("west".into(), vec![]));
}

#[test]
fn of_grounds_within_each_other_the_lowest_has_it() {
    let config = with_ground(TREE, &[("town", 0.0), ("west", 0.0), ("east", 0.01)]);
    let centres = Centres::new(&config);
    let found = centres.route("s/1", "waste/heap", &at(0.004));
    assert_eq!(found, Route { centre: "west".into(), beside: vec![] });
}

#[test]
fn one_command_hands_a_ticket_over_the_border_and_another_one_back() {
    let config = with_ground(TREE, &[("west", 0.0), ("east", 0.01)]);
    let mut office = Office::of(Desk::restore(&config, Kept::default()));
    office.open(&Alert { place: at(0.0099), ..alert(1) });
    let mut over = command(1, "clerk", Move::HandOver);
    let mut hand = |office: &mut Office, to: &str| {
        over.said.centre = Some(to.into());
        office.desk.command(&over, 5_000, &mut office.effects)
    };
    let not_beside = Refusal::NotBeside { centre: "town".into(), beside: "east".into() };
    assert_eq!(hand(&mut office, "town"), Err(not_beside));
    office.walk(1, &[("clerk", Move::Accept)]);
    let moved = hand(&mut office, "east").unwrap();
    assert_eq!((&*moved.centre, moved.lead.as_deref(), moved.counts.handed_over), ("east", Some("east"), 1));
    assert_eq!(moved.beside, ["west".into()]);
    let back = office.walk(1, &[("clerk", Move::HandOver)]);
    assert_eq!((&*back.centre, back.counts.handed_over), ("west", 2));
    let over: Vec<_> = office.effects.iter().filter(|effect| matches!(effect, Effect::HandOver { .. })).collect();
    assert_eq!(over[0], &Effect::HandOver { from: "west".into(), to: "east".into() });
    assert_eq!(over.len(), 2);
    office.open(&Alert { place: at(0.004), ..alert(2) });
    assert_eq!(office.ask("clerk", 2, Move::HandOver), Err(Refusal::NothingBeside(2)));
}

#[test]
fn a_place_that_becomes_surer_moves_what_nobody_has_begun() {
    let config = with_ground(TREE, &[("west", 0.0), ("east", 0.01)]);
    let joined = |id: u64| Joined {
        id: alert(id).id,
        source: "thermal/2".into(),
        place: Some(at(0.0105)),
        exhibits: Vec::new(),
        visible: None,
    };
    let mut office = Office::of(Desk::restore(&config, Kept::default()));
    for no in 1..=3 {
        office.open(&Alert { place: at(0.0095), ..alert(no) });
    }
    office.walk(2, &[("clerk", Move::Accept)]);
    office.walk(3, &[("clerk", Move::Escalate)]);
    for no in 1..=3 {
        office.desk.alert_joined(&joined(no), 6_000, &mut office.effects);
        let ticket = office.last();
        let beside: Vec<_> = ticket.beside.iter().map(|centre| &**centre).collect();
        assert_eq!(ticket.place.point, Some((0.0105, 0.005)));
        let expected: (&str, &[&str]) = match no {
            1 => ("east", &[]),
            2 => ("west", &["east"]),
            _ => ("town", &[]),
        };
        assert_eq!((&*ticket.centre, beside.as_slice()), expected, "T-{no}");
    }
    let noted: Vec<_> = office.journal().into_iter().filter(|(what, _)| *what == "also-seen").collect();
    assert_eq!(noted[0].1, "also seen by thermal/2, on the ground of east");
    assert_eq!(noted[1].1, "also seen by thermal/2");
}

proptest! {
    /// Whoever is nearest has it, found by looking at all fences: the boxes around them change nothing.
    #[test]
    fn every_point_has_the_centres_that_distances_say(lon in -0.002f64..0.022, reach in 0.0f64..400.0) {
        let mut config = with_ground(TREE, &[("west", 0.0), ("east", 0.01)]);
        config.places.border_m = reach;
        let (ground, place) = (Ground::new(&config.places), at(lon));
        let point = Point::new(lon, 0.005).unwrap();
        let (own, near) = ground.around(&place);
        prop_assert!(own.iter().all(|fence| fence.contains(point)) && own.len() <= 1);
        let all: Vec<_> = ground.fences.iter().filter(|fence| !fence.contains(point)).collect();
        let within = all.iter().filter(|fence| fence.distance_to_border_m(point).abs() <= reach).count();
        prop_assert_eq!(near.len(), within);
    }
}
