//! Claims about who is suggested, and why.

use super::*;
use crate::config::Config;
use crate::dispatch::tests::{Office, alert, config};
use crate::nouns::{Alert, Place};
use crate::roads::Roads;

const HOUR_MS: i64 = 3_600_000;

/// Thursday, 9 October 2025, 10:00 at +08:00.
pub(in crate::dispatch) const NOW_MS: i64 = 1_759_975_200_000;

pub(in crate::dispatch) const PEOPLE: &str = r#"
[desk]
calendar = "c"
[desk.officers]
tickets_max = 2

[[calendars]]
id = "c"

[[centres]]
id = "district"
level = "district"

[[centres]]
id = "town"
level = "town"
parent = "district"
sources = ["s/+"]

[[centres]]
id = "other-town"
level = "town"
parent = "district"

[[people]]
id = "near"
name = "李近"
centre = "town"
roles = ["handler"]
unit = "patrol-1"
terminal = "gps/near"

[[people]]
id = "far"
centre = "district"
roles = ["handler"]
skills = ["waste/#", "noise"]
duty = ["workdays 08:00-18:00"]
terminal = "gps/far"

[[people]]
id = "night"
centre = "town"
roles = ["handler"]
duty = ["daily 22:00-06:00"]

[[people]]
id = "electrician"
centre = "town"
roles = ["handler"]
skills = ["power/#"]

[[people]]
id = "stranger"
centre = "other-town"
roles = ["handler"]

[[people]]
id = "desk"
centre = "district"
roles = ["chief", "dispatcher"]
"#;

pub(in crate::dispatch) fn fix(lon: f64, lat: f64, age_ms: i64) -> Fix {
    Fix { at_ms: NOW_MS - age_ms, lon, lat, accuracy_m: None }
}

struct World {
    config: Config,
    field: Field,
    roads: Option<Roads>,
}

impl World {
    fn new(fixes: &[(&str, Fix)]) -> World {
        let fixes = fixes.iter().map(|(id, fix)| ((*id).into(), *fix)).collect();
        World { config: config(PEOPLE), field: Field { fixes, ..Field::default() }, roads: None }
    }

    fn rank(&self, ticket: &Ticket) -> (Vec<Suggestion>, PassedOver) {
        let (roster, centres) = (Roster::new(&self.config), Centres::new(&self.config));
        let (roads, field) = (self.roads.as_ref(), &self.field);
        Choice { roster: &roster, centres: &centres, roads, field, now_ms: NOW_MS }.rank(ticket)
    }
}

fn ticket() -> Ticket {
    let place = Place { point: Some((106.0, 30.0)), ..Place::default() };
    Ticket::clone(&Office::new(PEOPLE).open(&Alert { place, ..alert(1) }))
}

fn ids(ranked: &[Suggestion]) -> Vec<&str> {
    ranked.iter().map(|one| &*one.officer).collect()
}

#[test]
fn who_is_off_duty_unskilled_elsewhere_or_full_is_left_out_and_counted() {
    let mut world = World::new(&[]);
    let (ranked, passed) = world.rank(&ticket());
    assert_eq!(ids(&ranked), ["near", "far"]);
    assert_eq!(passed, PassedOver { off_duty: 1, no_skill: 1, elsewhere: 1, no_room: 0 });
    world.field.at_hand.insert("near".into(), 2);
    let (ranked, passed) = world.rank(&ticket());
    assert_eq!((ids(&ranked), passed.no_room), (vec!["far"], 1));
    // In an emergency everybody comes who can and may have it.
    let (ranked, passed) = world.rank(&Ticket { is_emergency: true, ..ticket() });
    assert_eq!(ids(&ranked), ["night", "far", "stranger"]);
    assert_eq!(passed, PassedOver { no_skill: 1, no_room: 1, ..PassedOver::default() });
}

#[test]
fn time_on_the_way_load_and_whose_ground_it_is_are_weighed() {
    // 1.1 km and 4.4 km to the south.
    let mut world = World::new(&[("near", fix(106.0, 29.99, 40_000)), ("far", fix(106.0, 29.96, 5_000))]);
    let (ranked, _) = world.rank(&ticket());
    assert_eq!(ids(&ranked), ["near", "far"]);
    let (near, far) = (&ranked[0], &ranked[1]);
    let metres = near.travel.unwrap().metres;
    assert!((metres - 1_108.6 * 1.5).abs() < 5.0, "{metres}");
    // 25 km/h, less the five minutes of its own centre.
    assert_eq!(near.cost_ms, near.travel.unwrap().ms - 300_000);
    assert_eq!(far.cost_ms, far.travel.unwrap().ms);
    assert_eq!(near.why(), "4 min, 1663 m by a straight line made longer; position 40 s old; 0 at hand; of its centre");
    // Ten minutes for the ticket at hand are more than the way.
    world.field.at_hand.insert("near".into(), 1);
    let costs = world.rank(&ticket()).0;
    assert_eq!((ids(&costs), costs[1].n_at_hand), (vec!["near", "far"], 0), "4 + 10 - 5 minutes against 16");
    world.config.desk.officers.owner_bonus = crate::config::Span::from_ms(0);
    world.config.desk.officers.load = crate::config::Span::from_ms(20 * 60_000);
    assert_eq!(ids(&world.rank(&ticket()).0), ["far", "near"]);
}

#[test]
fn who_was_not_heard_of_for_long_comes_last() {
    let world = World::new(&[("near", fix(106.0, 30.0, HOUR_MS)), ("far", fix(106.0, 29.5, 0))]);
    let (ranked, _) = world.rank(&ticket());
    assert_eq!(ids(&ranked), ["far", "near"]);
    assert_eq!(ranked[1].why(), "the way is not known; position 60 min old; 0 at hand; of its centre");
    // A ticket without a place is as near to all.
    let (ranked, _) = world.rank(&Ticket { place: Place::default(), ..ticket() });
    assert_eq!(ids(&ranked), ["near", "far"]);
}

#[test]
fn roads_turn_the_order_of_straight_lines_around() {
    // A river between the one who is near and the ticket: the bridge is ten kilometres off.
    let nodes = "id,lon,lat\n1,106.0,30.0\n2,106.0,29.995\n3,106.1,29.995\n4,106.1,30.0\n5,106.0,30.03\n";
    let edges = "from,to,length_m\n2,3,9600\n3,4,560\n4,1,9600\n5,1,3340\n";
    let mut world = World::new(&[("near", fix(106.0, 29.995, 0)), ("far", fix(106.0, 30.03, 0))]);
    assert_eq!(ids(&world.rank(&ticket()).0), ["near", "far"]);
    world.roads = Some(Roads::parse(nodes, edges, 25.0, 300.0).unwrap());
    let (ranked, _) = world.rank(&ticket());
    assert_eq!(ids(&ranked), ["far", "near"]);
    let by: Vec<_> = ranked.iter().map(|one| (one.travel.unwrap().by, one.travel.unwrap().metres.round())).collect();
    assert_eq!(by, [(By::Road, 3_340.0), (By::Road, 19_760.0)]);
    assert!(ranked[0].why().starts_with("9 min, 3340 m by road"), "{}", ranked[0].why());
    // Who is on no road goes straight.
    world.field.fixes.insert("near".into(), fix(106.02, 30.01, 0));
    let (ranked, _) = world.rank(&ticket());
    assert_eq!(ranked.iter().find(|one| &*one.officer == "near").unwrap().travel.unwrap().by, By::Straight);
}
