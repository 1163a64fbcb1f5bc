//! What must hold of the desk: limits that can be counted, centres that are a tree, people who belong somewhere.

use std::collections::{HashMap, HashSet};

use super::calendars::check_windows;
use super::look::Look;
use super::tree::Path;
use crate::config::pattern::SourcePattern;
use crate::config::{CategoryLimits, Centre, Classes, Config, Desk, Limit, Span};

/// Entries of `desk.limits` and of `desk.dispatch`, and patterns of one centre.
const ENTRIES_MAX: usize = 1_000;
/// Tickets of each source that are remembered.
const STORM_MAX: usize = 10_000;
/// Alerts that are one ticket's come within this.
const GROUP_WITHIN_MAX: Span = Span::from_ms(86_400_000);
/// Tickets that make a class case, farthest that these are apart, and bands in which pairs are counted.
const CLASS_MAX: usize = 1_000;
const DISTANCE_M_MAX: f64 = 10_000.0;
const BANDS_MAX: usize = 10;
const CENTRES_MAX: usize = 2_000;
const PEOPLE_MAX: usize = 10_000;

pub(super) fn check(look: &mut Look<'_>, config: &Config) {
    let (at, desk) = (Path::default().key("desk"), &config.desk);
    look.check_within(&at.key("yellow_share"), desk.yellow_share, 0.0, 1.0);
    look.check_positive(&at.key("archive_after"), desk.archive_after);
    let clock = &desk.clock;
    let spans =
        [("minor", clock.minor), ("moderate", clock.moderate), ("severe", clock.severe), ("extreme", clock.extreme)];
    for (key, span) in spans {
        look.check_positive(&at.key("clock").key(key), span);
    }
    if let Some(calendar) = &desk.calendar {
        look.check_reference(&at.key("calendar"), "calendar", calendar, "calendars");
    }
    check_windows(look, &at.key("hours"), &desk.hours);
    check_limits(look, &at, desk);
    for (i, entry) in desk.dispatch.iter().enumerate() {
        let at = at.key("dispatch").index(i);
        check_pattern(look, &at.key("category"), &entry.category);
        if entry.unit.trim().is_empty() {
            look.error(&at.key("unit"), "must not be empty: tickets are dispatched to it");
        }
    }
    look.check_within(&at.key("confirm_below"), desk.confirm_below, 0.0, 1.0);
    for (i, inhibit) in desk.inhibits.iter().enumerate() {
        let at = at.key("inhibits").index(i);
        check_pattern(look, &at.key("when"), &inhibit.when);
        for (i, pattern) in inhibit.mutes.iter().enumerate() {
            check_pattern(look, &at.key("mutes").index(i), pattern);
        }
    }
    look.check_within(&at.key("storm").key("n"), desk.storm.n, 1, STORM_MAX);
    look.check_positive(&at.key("storm").key("within"), desk.storm.within);
    look.check_within(&at.key("group").key("radius_m"), desk.group.radius_m, 1.0, DISTANCE_M_MAX);
    if desk.group.within > GROUP_WITHIN_MAX {
        look.error(&at.key("group").key("within"), "must be at most 24 h: what comes later is news");
    }
    check_classes(look, &at.key("classes"), &desk.classes);
    let lists = [("limits", desk.limits.len()), ("dispatch", desk.dispatch.len()), ("inhibits", desk.inhibits.len())];
    for (key, n) in lists {
        look.check_within(&at.key(key), n, 0, ENTRIES_MAX);
    }
    check_centres(look, &config.centres);
    check_people(look, config);
}

fn check_classes(look: &mut Look<'_>, at: &Path, classes: &Classes) {
    look.check_within(&at.key("n"), classes.n, 2, CLASS_MAX);
    look.check_positive(&at.key("within"), classes.within);
    look.check_within(&at.key("radius_m"), classes.radius_m, 1.0, DISTANCE_M_MAX);
    for (key, n) in [("distances_m", classes.distances_m.len()), ("spans", classes.spans.len())] {
        look.check_within(&at.key(key), n, 1, BANDS_MAX);
    }
    for (i, metres) in classes.distances_m.iter().enumerate() {
        look.check_within(&at.key("distances_m").index(i), *metres, 1.0, DISTANCE_M_MAX);
    }
    if !classes.distances_m.is_sorted_by(|a, b| a < b) {
        look.error(&at.key("distances_m"), "upper ends of bands rise");
    }
    for (i, span) in classes.spans.iter().enumerate() {
        look.check_positive(&at.key("spans").index(i), *span);
    }
    if !classes.spans.is_sorted_by(|a, b| a < b) {
        look.error(&at.key("spans"), "upper ends of bands rise");
    }
}

fn check_limits(look: &mut Look<'_>, at: &Path, desk: &Desk) {
    let mut check_limit = |path: &Path, limit: Option<Limit>| {
        if limit.is_some_and(Limit::needs_calendar) && desk.calendar.is_none() {
            let hint = "desk.calendar names an entry of [[calendars]]".to_owned();
            look.error_hint(
                path,
                "working hours and days are counted on a calendar, and the desk has none",
                Some(hint),
            );
        }
    };
    check_limit(&at.key("raise_after"), Some(desk.raise_after));
    for (i, entry) in desk.limits.iter().enumerate() {
        let at = at.key("limits").index(i);
        check_limit(&at.key("whole"), entry.whole);
        for (key, limit) in entry.by_stage() {
            check_limit(&at.key("stages").key(key), limit);
        }
    }
    for (i, entry) in desk.limits.iter().enumerate() {
        check_pattern(look, &at.key("limits").index(i).key("category"), &entry.category);
    }
}

impl CategoryLimits {
    /// Limits with the keys under which they stand.
    fn by_stage(&self) -> [(&'static str, Option<Limit>); 9] {
        let stages = &self.stages;
        [
            ("suspected", stages.suspected),
            ("reported", stages.reported),
            ("accepted", stages.accepted),
            ("filed", stages.filed),
            ("dispatched", stages.dispatched),
            ("signed", stages.signed),
            ("handling", stages.handling),
            ("fed-back", stages.fed_back),
            ("verified", stages.verified),
        ]
    }
}

fn check_centres(look: &mut Look<'_>, centres: &[Centre]) {
    look.check_within(&Path::default().key("centres"), centres.len(), 0, CENTRES_MAX);
    let paths: Vec<_> = (0..centres.len()).map(|i| look.shape.origin("centres", i)).collect();
    look.check_ids(paths.iter().cloned().zip(centres.iter().map(|centre| centre.id.as_str())));
    let by_id: HashMap<&str, &Centre> = centres.iter().map(|centre| (centre.id.as_str(), centre)).collect();
    let mut top: Option<&Centre> = None;
    for (at, centre) in paths.iter().zip(centres) {
        for (key, patterns) in [("duties", &centre.duties), ("sources", &centre.sources)] {
            look.check_within(&at.key(key), patterns.len(), 0, ENTRIES_MAX);
            for (i, pattern) in patterns.iter().enumerate() {
                check_pattern(look, &at.key(key).index(i), pattern);
            }
        }
        match (&centre.parent, top) {
            (Some(parent), _) => match by_id.get(parent.as_str()) {
                Some(above) if above.level <= centre.level => {
                    let (own, over) = (centre.level.as_str(), above.level.as_str());
                    look.error(&at.key("parent"), format!("a {over} is not above a {own}"));
                }
                Some(_) => {}
                None => look.check_reference(&at.key("parent"), "centre", parent, "centres"),
            },
            (None, Some(top)) => {
                look.error(at, format!("one centre has no parent, and that is {:?} already", top.id));
            }
            (None, None) => top = Some(centre),
        }
    }
    if let (None, Some(at)) = (top, paths.first()) {
        look.error(at, "no centre is on top: one of them has no parent");
    }
}

fn check_people(look: &mut Look<'_>, config: &Config) {
    let people = &config.people;
    look.check_within(&Path::default().key("people"), people.len(), 0, PEOPLE_MAX);
    let paths: Vec<_> = (0..people.len()).map(|i| look.shape.origin("people", i)).collect();
    look.check_ids(paths.iter().cloned().zip(people.iter().map(|person| person.id.as_str())));
    let centres: HashSet<&str> = config.centres.iter().map(|centre| centre.id.as_str()).collect();
    for (at, person) in paths.iter().zip(people) {
        if !centres.contains(person.centre.as_str()) {
            look.check_reference(&at.key("centre"), "centre", &person.centre, "centres");
        }
        if person.roles.is_empty() {
            look.error(&at.key("roles"), "who has no role may do nothing");
        }
    }
}

pub(super) fn check_pattern(look: &mut Look<'_>, at: &Path, pattern: &str) {
    if let Err(error) = SourcePattern::parse(pattern) {
        look.error(at, error.to_string());
    }
}
