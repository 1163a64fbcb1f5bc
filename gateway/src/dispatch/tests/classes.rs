//! Class cases: which tickets make one, which join it, which leave it, and that a restart changes nothing.

use std::collections::BTreeMap;

use outpost_fences::geojson;
use outpost_fences::recurrence::Comparison;
use proptest::prelude::*;

use super::*;
use crate::config::Config;
use crate::dispatch::classes::KeptClasses;
use crate::dispatch::patterns::{Ground, Happened};
use crate::nouns::{ClassAsk, ClassCase, ClassMove, ClassStage, CountedTicket};
use outpost_fences::{FenceSet, Point};

const DAY_MS: i64 = 86_400_000;
/// Metres east of a point of Tongliang as degrees of longitude.
const DEGREES_PER_M: f64 = 1.0 / 96_600.0;

/// West and east of the meridian 106.05.
fn grids() -> FenceSet {
    let square = |id: &str, west: f64, east: f64| {
        format!(
            r#"{{"type": "Feature", "id": "{id}", "properties": {{}}, "geometry": {{"type": "Polygon", "coordinates":
            [[[{west}, 29.8], [{east}, 29.8], [{east}, 29.9], [{west}, 29.9], [{west}, 29.8]]]}}}}"#
        )
    };
    let features = format!("{}, {}", square("west", 106.0, 106.05), square("east", 106.05, 106.1));
    FenceSet::new(geojson::parse(&format!(r#"{{"type": "FeatureCollection", "features": [{features}]}}"#)).fences)
}

fn at(n: u64, east_m: f64) -> Alert {
    let point = Some((106.02 + east_m * DEGREES_PER_M, 29.85));
    Alert { place: Place { point, ..Place::default() }, ..alert(n) }
}

/// What the store has of class cases after these effects.
#[derive(Debug, Default, PartialEq)]
struct Stored {
    cases: BTreeMap<u64, ClassCase>,
    members: BTreeMap<u64, u64>,
    journal: Vec<(u64, u64, &'static str)>,
}

fn stored(effects: &[Effect]) -> Stored {
    let mut out = Stored::default();
    for effect in effects {
        let Effect::Class(change) = effect else { continue };
        match change {
            ClassChange::Case(case) => drop(out.cases.insert(case.no, case.clone())),
            ClassChange::Journal(entry) => out.journal.push((entry.class, entry.no, entry.what)),
            ClassChange::Member { ticket, class } => drop(out.members.insert(*ticket, *class)),
            ClassChange::Leaves { ticket } => drop(out.members.remove(ticket)),
        }
    }
    out
}

fn tickets(effects: &[Effect]) -> BTreeMap<u64, Ticket> {
    let ticket = |effect: &Effect| match effect {
        Effect::Ticket(ticket) => Some((ticket.no, Ticket::clone(ticket))),
        _ => None,
    };
    effects.iter().filter_map(ticket).collect()
}

/// The desk as it is after a restart at this time.
fn started_anew(text: &str, effects: &[Effect], now_ms: i64) -> Desk {
    let (config, tickets) = (config(text), tickets(effects));
    let last_no = tickets.keys().max().copied().unwrap_or(0);
    let classes = kept(&config, effects, now_ms);
    let live = tickets.into_values().filter(|ticket| ticket.stage.standing() > Standing::Ended).collect();
    Desk::restore(&config, Kept { tickets: live, last_no, ..Kept::default() }).with_classes(grids(), classes)
}

/// What a restart at this time finds of class cases.
pub(super) fn kept(config: &Config, effects: &[Effect], now_ms: i64) -> KeptClasses {
    let (tickets, stored) = (tickets(effects), stored(effects));
    let counts = |ticket: &&Ticket| {
        let is_none = [Stage::Suspected, Stage::Rejected, Stage::Refused, Stage::NotFiled, Stage::Merged];
        !is_none.contains(&ticket.stage) && ticket.opened_ms > now_ms - config.desk.classes.within.ms()
    };
    let counted = tickets.values().filter(counts).map(|ticket| CountedTicket {
        no: ticket.no,
        category: ticket.category.clone(),
        source: ticket.source.clone(),
        point: ticket.place.point,
        opened_ms: ticket.opened_ms,
        class: stored.members.get(&ticket.no).copied(),
    });
    KeptClasses {
        last_no: stored.cases.keys().max().copied().unwrap_or(0),
        cases: stored.cases.values().filter(|case| case.stage.is_open()).cloned().collect(),
        counted: counted.collect(),
    }
}

/// Opens these, a day apart, and tells of which case each of them is.
fn cases_of(text: &str, alerts: &[Alert]) -> Vec<Option<u64>> {
    let mut office = Office::new(text);
    office.desk = office.desk.with_classes(grids(), KeptClasses::default());
    for alert in alerts {
        office.now_ms += DAY_MS;
        office.open(alert);
    }
    let members = stored(&office.effects).members;
    (1..=alerts.len() as u64).map(|no| members.get(&no).copied()).collect()
}

const NO_GRIDS: &str = "[desk.classes]\nsame_grid = false";

#[test]
fn three_of_a_category_at_one_place_make_a_case_and_the_fourth_joins_it() {
    let mut office = Office::new(NO_GRIDS);
    for n in 1..=3 {
        office.open(&at(n, n as f64 * 20.0));
    }
    assert_eq!(office.last().n_journal, 2, "the ticket says that it is one of several");
    assert_eq!(office.journal().last(), Some(&("class-case", "C-1: 3 of waste/heap within 30 days")));
    office.open(&at(4, 100.0));
    assert_eq!(office.journal().last(), Some(&("class-case", "C-1: 4 of waste/heap")));
    let stored = stored(&office.effects);
    assert_eq!(stored.members, BTreeMap::from([(1, 1), (2, 1), (3, 1), (4, 1)]));
    assert_eq!(stored.journal, [(1, 1, "found"), (1, 2, "joined")]);
    let case = &stored.cases[&1];
    assert_eq!((case.stage, case.n_tickets, &*case.category), (ClassStage::Found, 4, "waste/heap"));
}

#[test]
fn other_places_categories_and_times_make_no_case() {
    let other = |n: u64, category: &str| Alert { category: category.into(), ..at(n, 0.0) };
    let far = [at(1, 0.0), at(2, 40.0), at(3, 95.0)];
    assert_eq!(cases_of(NO_GRIDS, &far), [None; 3], "two pairs within 50 m are no three of one place");
    assert_eq!(cases_of(NO_GRIDS, &[at(1, 0.0), other(2, "waste/bin"), at(3, 0.0)]), [None; 3]);
    assert_eq!(cases_of(NO_GRIDS, &[other(1, ""), other(2, ""), other(3, "")]), [None; 3], "of no category");
    let short = "[desk.classes]\nsame_grid = false\nwithin = \"2d\"";
    assert_eq!(cases_of(short, &[at(1, 0.0), at(2, 0.0), at(3, 0.0)]), [None; 3], "the first is two days old");
    let longer = "[desk.classes]\nsame_grid = false\nwithin = \"49h\"";
    assert_eq!(cases_of(longer, &[at(1, 0.0), at(2, 0.0), at(3, 0.0)]), [Some(1); 3]);
}

#[test]
fn one_grid_is_one_place_and_what_has_no_point_is_where_its_source_is() {
    // 106.05 is 2,898 m east.
    let alerts = [at(1, 0.0), at(2, 1_000.0), at(3, 3_500.0), at(4, 2_890.0), at(5, 2_930.0)];
    assert_eq!(cases_of("", &alerts), [Some(1), Some(1), None, Some(1), Some(1)], "the fifth is near the fourth");
    let same = |n: u64| Alert { key: AlertKey { source: "pump/1".into(), ..alert(n).key }, ..alert(n) };
    let elsewhere = alert(9);
    assert_eq!(cases_of("", &[same(1), elsewhere, same(2), same(3)]), [Some(1), None, Some(1), Some(1)]);
}

#[test]
fn a_case_that_loses_its_tickets_before_anybody_looks_is_withdrawn() {
    let mut office = Office::new(NO_GRIDS);
    (1..=3).for_each(|n| drop(office.open(&at(n, 0.0))));
    office.ask("clerk", 2, Move::Refuse).unwrap();
    let after = stored(&office.effects);
    assert_eq!((after.cases[&1].stage, after.cases[&1].n_tickets), (ClassStage::Withdrawn, 0));
    assert_eq!(after.members, BTreeMap::new());
    assert_eq!(after.journal.iter().map(|(_, _, what)| *what).collect::<Vec<_>>(), ["found", "left", "withdrawn"]);
    // The two that are left count anew.
    office.open(&at(4, 0.0));
    assert_eq!(stored(&office.effects).members, BTreeMap::from([(1, 2), (3, 2), (4, 2)]));
    // What somebody confirmed stays.
    let confirm = ClassAsk { no: 2, who: "chief".into(), asked: ClassMove::Confirm, note: String::new() };
    office.desk.class_command(&confirm, office.now_ms, &mut office.effects).unwrap();
    office.ask("clerk", 3, Move::Refuse).unwrap();
    let after = stored(&office.effects);
    assert_eq!((after.cases[&2].stage, after.cases[&2].n_tickets), (ClassStage::Confirmed, 2));
}

#[test]
fn what_is_doubted_counts_once_it_is_confirmed() {
    let mut office = Office::new(NO_GRIDS);
    (1..=2).for_each(|n| drop(office.open(&at(n, 0.0))));
    let confidence = Some(Confidence { share: 0.1, why: "dust looks alike".into() });
    office.open(&Alert { confidence, ..at(3, 0.0) });
    assert!(stored(&office.effects).cases.is_empty());
    office.ask("officer", 3, Move::Confirm).unwrap();
    assert_eq!(stored(&office.effects).members.len(), 3);
}

#[test]
fn a_closed_case_takes_no_tickets_and_the_next_one_needs_as_many_again() {
    let text = format!(
        "{NO_GRIDS}\n[[centres]]\nid = \"d\"\nlevel = \"district\"\n[[people]]\nid = \"zhou\"\ncentre = \"d\"\nroles = [\"chief\"]\n\
         [[people]]\nid = \"li\"\ncentre = \"d\"\nroles = [\"clerk\"]"
    );
    let mut office = Office::new(&text);
    (1..=3).for_each(|n| drop(office.open(&at(n, 0.0))));
    let ask = |who: &str, asked: ClassMove| ClassAsk { no: 1, who: who.into(), asked, note: "fenced in".into() };
    let mut asked =
        |who: &str, asked: ClassMove| office.desk.class_command(&ask(who, asked), office.now_ms, &mut office.effects);
    assert_eq!(asked("li", ClassMove::Close), Err(Refusal::NoChief("li".into())));
    assert_eq!(asked("nobody", ClassMove::Close), Err(Refusal::Unknown("nobody".into())));
    assert_eq!(asked("zhou", ClassMove::Confirm).unwrap().stage, ClassStage::Confirmed);
    let again = Refusal::WrongClassStage { stage: ClassStage::Confirmed, asked: ClassMove::Confirm };
    assert_eq!(asked("zhou", ClassMove::Confirm), Err(again));
    let closed = asked("zhou", ClassMove::Close).unwrap();
    assert_eq!((closed.stage, closed.ended_ms), (ClassStage::Closed, Some(office.now_ms)));
    assert_eq!(asked("zhou", ClassMove::Close), Err(Refusal::NoSuchClass(1)));
    (4..=6).for_each(|n| drop(office.open(&at(n, 0.0))));
    let members = stored(&office.effects).members;
    assert_eq!(members, BTreeMap::from([(1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (6, 2)]));
}

#[test]
fn a_closed_case_is_compared_with_as_long_before_it() {
    let happened = |ticket: u64, east_m: f64, day: i64| Happened {
        ticket,
        source: "s".into(),
        point: Point::new(106.02 + east_m * DEGREES_PER_M, 29.85),
        at_ms: day * DAY_MS,
    };
    let members = [happened(1, 0.0, 1), happened(2, 0.0, 3), happened(3, 30.0, 8)];
    let others = [happened(4, 10.0, 11), happened(5, 900.0, 5), happened(6, 900.0, 12), happened(7, 0.0, 21)];
    let all: Vec<Happened> = members.iter().chain(&others).cloned().collect();
    let grids = grids();
    let change = |grid: Option<&str>| Ground::new(&grids, grid, 50.0, &members).change(&all, 10 * DAY_MS, 10 * DAY_MS);
    let near = change(None);
    assert_eq!(near.here, Comparison { n_before: 3, n_after: 1 });
    assert_eq!(near.elsewhere, Comparison { n_before: 1, n_after: 1 });
    assert_eq!(change(Some("west")).here, Comparison { n_before: 4, n_after: 2 });
    assert_eq!(change(Some("west")).elsewhere, Comparison { n_before: 0, n_after: 0 });
}

#[derive(Debug, Clone)]
enum Step {
    Open(u8, bool),
    Refuse(u8),
    Confirm(u8),
    Close(u8),
    Wait(u8),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0u8..5, any::<bool>()).prop_map(|(place, kind)| Step::Open(place, kind)),
        3 => (0u8..30).prop_map(Step::Refuse),
        1 => (1u8..4).prop_map(Step::Confirm),
        1 => (1u8..4).prop_map(Step::Close),
        3 => (0u8..20).prop_map(Step::Wait),
    ]
}

/// Walks, and starts the gateway anew before these steps.
fn walk(steps: &[Step], stops: &[usize]) -> Stored {
    let text = "";
    let mut office = Office::new(text);
    office.desk = office.desk.with_classes(grids(), KeptClasses::default());
    let mut n_opened = 0;
    for (at_step, step) in steps.iter().enumerate() {
        if stops.contains(&at_step) {
            office.desk = started_anew(text, &office.effects, office.now_ms);
        }
        office.now_ms += 1;
        let class = |no: u8, asked: ClassMove| ClassAsk { no: no.into(), who: "x".into(), asked, note: String::new() };
        match step {
            Step::Open(place, is_heap) => {
                n_opened += 1;
                let category = if *is_heap { "waste/heap" } else { "waste/bin" }.into();
                // Some near each other, some only in one grid.
                office.open(&Alert { category, ..at(n_opened, f64::from(*place) * 1_460.0) });
            }
            Step::Refuse(no) => drop(office.ask("clerk", u64::from(*no), Move::Refuse)),
            Step::Confirm(no) => {
                let asked = class(*no, ClassMove::Confirm);
                drop(office.desk.class_command(&asked, office.now_ms, &mut office.effects));
            }
            Step::Close(no) => {
                let asked = class(*no, ClassMove::Close);
                drop(office.desk.class_command(&asked, office.now_ms, &mut office.effects));
            }
            Step::Wait(days) => office.now_ms += i64::from(*days) * DAY_MS,
        }
    }
    stored(&office.effects)
}

proptest! {
    #[test]
    fn a_restart_changes_no_class_case(
        steps in prop::collection::vec(any_step(), 0..60), stops in prop::collection::vec(0usize..60, 1..5),
    ) {
        let straight = walk(&steps, &[]);
        prop_assert_eq!(&walk(&steps, &stops), &straight);
        for case in straight.cases.values().filter(|case| case.stage == ClassStage::Found) {
            let n_members = straight.members.values().filter(|no| **no == case.no).count() as u64;
            prop_assert!(case.n_tickets == n_members && n_members >= 3, "{:?} has {}", case, n_members);
        }
    }
}
