//! What must hold of the desk: limits that can be counted, centres that are a tree, people who belong somewhere.

use std::collections::{HashMap, HashSet};

use super::Outside;
use super::calendars::check_windows;
use super::look::Look;
use super::tables::Stand;
use super::tree::Path;
use super::words::did_you_mean;
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
/// Of one officer at a time.
const TICKETS_MAX: usize = 100;
/// Farthest that a point may be off, in metres.
const BORDER_M_MAX: f64 = 10_000.0;

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
    let border_m = Path::default().key("places").key("border_m");
    look.check_within(&border_m, config.places.border_m, 0.0, BORDER_M_MAX);
    check_centres(look, config);
    check_people(look, config);
    let at = at.key("officers");
    let officers = &desk.officers;
    look.check_within(&at.key("tickets_max"), officers.tickets_max, 1, TICKETS_MAX);
    look.check_within(&at.key("speed_kmh"), officers.speed_kmh, 1.0, 200.0);
    look.check_within(&at.key("detour"), officers.detour, 1.0, 10.0);
    for (key, span) in [
        ("lease", officers.lease),
        ("position_age_max", officers.position_age_max),
        ("position_every", officers.position_every),
        ("positions_keep", officers.positions_keep),
        ("overtime", officers.overtime),
        ("repeats_keep", officers.repeats_keep),
    ] {
        look.check_positive(&at.key(key), span);
    }
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

fn check_centres(look: &mut Look<'_>, config: &Config) {
    let centres = &config.centres;
    look.check_within(&Path::default().key("centres"), centres.len(), 0, CENTRES_MAX);
    let stands: Vec<_> = centres.iter().enumerate().map(|(i, c)| Stand::new(look, "centres", i, c.line)).collect();
    look.check_ids(stands.iter().map(|stand| stand.at().clone()).zip(centres.iter().map(|centre| centre.id.as_str())));
    let by_id: HashMap<&str, &Centre> = centres.iter().map(|centre| (centre.id.as_str(), centre)).collect();
    let mut top: Option<&Centre> = None;
    for (stand, centre) in stands.iter().zip(centres) {
        for (key, patterns) in [("duties", &centre.duties), ("sources", &centre.sources)] {
            look.check_within(&stand.key(key), patterns.len(), 0, ENTRIES_MAX);
            for (i, pattern) in patterns.iter().enumerate() {
                check_pattern_of(look, stand, (key, i), pattern);
            }
        }
        match (&centre.parent, top) {
            (Some(parent), _) => match by_id.get(parent.as_str()) {
                Some(above) if above.level <= centre.level => {
                    let (own, over) = (centre.level.as_str(), above.level.as_str());
                    look.error(&stand.key("parent"), stand.say(format!("a {over} is not above a {own}")));
                }
                Some(_) => {}
                None => check_centre(look, config, stand, "parent", parent),
            },
            (None, Some(top)) => {
                let message = format!("one centre has no parent, and that is {:?} already", top.id);
                look.error(stand.at(), stand.say(message));
            }
            (None, None) => top = Some(centre),
        }
    }
    if let (None, Some(stand)) = (top, stands.first().filter(|_| is_whole(look, config))) {
        look.error(stand.at(), "no centre is on top: one of them has no parent");
    }
}

fn check_people(look: &mut Look<'_>, config: &Config) {
    let people = &config.people;
    look.check_within(&Path::default().key("people"), people.len(), 0, PEOPLE_MAX);
    let stands: Vec<_> = people.iter().enumerate().map(|(i, p)| Stand::new(look, "people", i, p.line)).collect();
    look.check_ids(stands.iter().map(|stand| stand.at().clone()).zip(people.iter().map(|person| person.id.as_str())));
    let centres: HashSet<&str> = config.centres.iter().map(|centre| centre.id.as_str()).collect();
    let mut terminals: HashMap<&str, &str> = HashMap::new();
    for (stand, person) in stands.iter().zip(people) {
        if !centres.contains(person.centre.as_str()) {
            check_centre(look, config, stand, "centre", &person.centre);
        }
        if person.roles.is_empty() {
            look.error(&stand.key("roles"), stand.say("who has no role may do nothing"));
        }
        for (i, skill) in person.skills.iter().enumerate() {
            check_pattern_of(look, stand, ("skills", i), skill);
        }
        if !person.duty.is_empty() {
            check_windows(look, &stand.key("duty"), &person.duty);
        }
        if !person.duty.is_empty() && config.desk.calendar.is_none() {
            let hint = "desk.calendar names an entry of [[calendars]]".to_owned();
            let message = stand.say("duty is counted on a calendar, and the desk has none");
            look.error_hint(&stand.key("duty"), message, Some(hint));
        }
        if let Some(terminal) = &person.terminal
            && let Some(other) = terminals.insert(terminal, &person.id)
        {
            look.error(&stand.key("terminal"), stand.say(format!("{terminal:?} is the terminal of {other:?} already")));
        }
    }
}

/// A centre that is named and not there.
fn check_centre(look: &mut Look<'_>, config: &Config, stand: &Stand, key: &str, id: &str) {
    if !is_whole(look, config) || look.ids("centres").iter().any(|known| known == id) {
        return;
    }
    let known: Vec<&str> = config.centres.iter().map(|centre| centre.id.as_str()).collect();
    let message = stand.say(format!("there is no centre {id:?}"));
    look.error_hint(&stand.key(key), message, did_you_mean(id, &known));
}

/// Whether all centres are known: those of a table are not where nothing outside is looked at.
fn is_whole(look: &Look<'_>, config: &Config) -> bool {
    look.outside == Outside::Looked || config.places.centres.is_none()
}

fn check_pattern_of(look: &mut Look<'_>, stand: &Stand, (key, i): (&str, usize), pattern: &str) {
    if let Err(error) = SourcePattern::parse(pattern) {
        look.error(&stand.entry(key, i), stand.say(error));
    }
}

pub(super) fn check_pattern(look: &mut Look<'_>, at: &Path, pattern: &str) {
    if let Err(error) = SourcePattern::parse(pattern) {
        look.error(at, error.to_string());
    }
}
