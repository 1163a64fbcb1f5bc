//! Claims about Desk, on plain values.

mod calls;
mod classes;
mod clocks;
mod groups;
mod intake;
mod officers;
mod people;
mod scores;
mod walk;
mod works;

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::config::check::check_alone;
use crate::config::{Limit, Severity};
use crate::nouns::{AlertKey, Confidence, Counts, Judged, Looked, Need, Place, Said, Stage, Why};

pub(super) fn alert(n: u64) -> Alert {
    let key = AlertKey { rule: "r".into(), source: format!("s/{n}").into(), fence: None };
    Alert {
        id: key.alert_id(0, 1),
        key,
        name: "name".into(),
        severity: Severity::Severe,
        category: "waste/heap".into(),
        since_at_ms: 0,
        opened_ms: 0,
        place: Place::default(),
        why: Why { text: "because".into(), figures: Vec::new() },
        snapshot: None,
        exhibits: Vec::new(),
        confidence: None,
        visible: None,
    }
}

pub(super) fn cleared(alert: &Alert) -> Cleared {
    Cleared { id: alert.id.clone(), key: alert.key.clone(), cleared_ms: 9, why: "over".into() }
}

/// The configuration of a text that has no problem.
pub(super) fn config(text: &str) -> Config {
    let checked = check_alone(text, Path::new("x.toml"));
    let problems: Vec<_> = checked.problems.iter().map(ToString::to_string).collect();
    checked.config.unwrap_or_else(|| panic!("{}", problems.join("\n")))
}

pub(super) fn desk(text: &str) -> Desk {
    Desk::restore(&config(text), Kept::default())
}

/// All that the move needs.
pub(super) fn said(asked: Move) -> Said {
    let needs: Vec<Need> =
        table::TABLE.iter().filter(|row| row.asked == asked).flat_map(|row| row.needs.to_vec()).collect();
    let has = |need: Need| needs.contains(&need);
    Said {
        note: if has(Need::Reason) { "why".into() } else { String::new() },
        unit: has(Need::Unit).then(|| "patrol-3".into()),
        officer: None,
        photos: has(Need::Photos).then(|| ["p1".into(), "p2".into()]),
        into: has(Need::Into).then_some(1),
        centre: has(Need::Centre).then(|| "town".into()),
        limit: has(Need::Limit).then_some(Limit::WorkingDays(1)),
        score: has(Need::Score).then_some(5),
        done_ms: None,
        is_force_majeure: false,
    }
}

pub(super) fn command(ticket: u64, who: &str, asked: Move) -> Command {
    Command { ticket, who: who.into(), asked, said: said(asked) }
}

/// A desk at work, with the effects that it had.
pub(super) struct Office {
    pub(super) desk: Desk,
    pub(super) effects: Vec<Effect>,
    pub(super) now_ms: i64,
}

impl Office {
    pub(super) fn new(text: &str) -> Office {
        Office::of(desk(text))
    }

    pub(super) fn of(desk: Desk) -> Office {
        Office { desk, effects: Vec::new(), now_ms: 1_000 }
    }

    pub(super) fn open(&mut self, alert: &Alert) -> Arc<Ticket> {
        self.desk.alert_opened(alert, self.now_ms, &mut self.effects);
        self.last()
    }

    pub(super) fn ask(&mut self, who: &str, ticket: u64, asked: Move) -> Result<Arc<Ticket>, Refusal> {
        self.desk.command(&command(ticket, who, asked), self.now_ms, &mut self.effects)
    }

    /// Several moves by several people, all allowed.
    pub(super) fn walk(&mut self, ticket: u64, moves: &[(&str, Move)]) -> Arc<Ticket> {
        for (who, asked) in moves {
            self.ask(who, ticket, *asked).unwrap_or_else(|refusal| panic!("{who} {}: {refusal}", asked.name()));
        }
        self.last()
    }

    /// Time passes, step by step as the shell lets it.
    pub(super) fn wait_until(&mut self, now_ms: i64) {
        while let Some(due_ms) = self.desk.due_ms().filter(|due_ms| *due_ms <= now_ms) {
            self.desk.elapse(due_ms.max(self.now_ms), &mut self.effects);
        }
        self.now_ms = now_ms;
    }

    /// The ticket that was written last.
    pub(super) fn last(&self) -> Arc<Ticket> {
        let ticket = |effect: &Effect| match effect {
            Effect::Ticket(ticket) => Some(ticket.clone()),
            _ => None,
        };
        self.effects.iter().rev().find_map(ticket).unwrap()
    }

    pub(super) fn journal(&self) -> Vec<(&'static str, &str)> {
        self.effects.iter().filter_map(told).collect()
    }

    pub(super) fn whats(&self) -> Vec<&'static str> {
        self.journal().into_iter().map(|(what, _)| what).collect()
    }
}

/// What a journal says.
fn told(effect: &Effect) -> Option<(&'static str, &str)> {
    match effect {
        Effect::Journal(entry) => Some((entry.what, &entry.note)),
        _ => None,
    }
}

/// From reported to fed back.
pub(super) const WORKED: [(&str, Move); 6] = [
    ("clerk", Move::Accept),
    ("chief", Move::File),
    ("dispatcher", Move::Dispatch),
    ("handler", Move::Sign),
    ("handler", Move::Start),
    ("handler", Move::FeedBack),
];

#[test]
fn force_majeure_is_said_of_what_is_put_aside_and_ends_with_it() {
    let mut office = Office::new("");
    office.open(&alert(1));
    office.walk(1, &WORKED[..5]);
    let helpless =
        |asked| Command { said: Said { is_force_majeure: true, ..said(asked) }, ..command(1, "chief", asked) };
    let ask = |office: &mut Office, asked| {
        let now_ms = office.now_ms;
        office.desk.command(&helpless(asked), now_ms, &mut office.effects)
    };
    assert!(matches!(ask(&mut office, Move::Supervise), Err(Refusal::Needless { need: Need::ForceMajeure, .. })));
    ask(&mut office, Move::Suspend).unwrap();
    assert!(office.last().is_force_majeure);
    assert_eq!(office.journal().last().unwrap().1, "force majeure: why");
    let passage = |office: &Office| {
        let mut passages = office.effects.iter().filter_map(|effect| match effect {
            Effect::Passage(passage) => Some((passage.to, passage.is_force_majeure)),
            _ => None,
        });
        passages.next_back().unwrap()
    };
    assert_eq!(passage(&office), (Stage::Suspended, true));
    office.walk(1, &[("chief", Move::Resume)]);
    assert!(!office.last().is_force_majeure);
    assert_eq!(passage(&office), (Stage::Handling, false));
    ask(&mut office, Move::Park).unwrap();
    assert_eq!(passage(&office), (Stage::Parked, true));
}

#[test]
fn one_alert_makes_one_ticket_however_often_it_is_told() {
    let mut office = Office::new("");
    for _ in 0..64 {
        office.open(&alert(1));
    }
    assert_eq!((office.whats(), office.desk.n_open()), (vec!["opened"], 1));
}

#[test]
fn a_ticket_is_worked_from_reported_to_archived_and_every_step_is_in_its_journal() {
    let mut office = Office::new("");
    office.open(&alert(1));
    office.walk(1, &WORKED);
    office.now_ms = 7_000;
    let rest = [("officer", Move::Verify), ("chief", Move::Close), ("officer", Move::Rate)];
    let ticket = office.walk(1, &rest);
    assert_eq!((ticket.stage, ticket.closed_ms, ticket.score), (Stage::Rated, Some(7_000), Some(5)));
    assert_eq!((ticket.lead.as_deref(), ticket.unit.as_deref()), (Some("district"), Some("patrol-3")));
    assert_eq!(office.desk.n_open(), 0);
    office.walk(1, &[("clerk", Move::Archive)]);
    let wanted = "opened accept file dispatch sign start feed-back verify close rate archive";
    assert_eq!(office.whats().join(" "), wanted);
    assert_eq!(office.ask("clerk", 1, Move::Rate), Err(Refusal::NoSuchTicket(1)), "no move is left");
}

#[test]
fn a_move_says_what_it_needs_and_nothing_else() {
    let mut office = Office::new("");
    office.open(&alert(1));
    let mut refuse = command(1, "clerk", Move::Refuse);
    refuse.said.note = " ".into();
    let missing = Refusal::Missing { asked: Move::Refuse, need: Need::Reason };
    assert_eq!(office.desk.command(&refuse, 1, &mut office.effects), Err(missing));
    let mut accept = command(1, "clerk", Move::Accept);
    accept.said.unit = Some("u".into());
    let needless = Refusal::Needless { asked: Move::Accept, need: Need::Unit };
    assert_eq!(office.desk.command(&accept, 1, &mut office.effects), Err(needless));
    let early = Refusal::WrongStage { stage: Stage::Reported, asked: Move::Close };
    assert_eq!(office.ask("chief", 1, Move::Close), Err(early));
    assert_eq!(office.whats(), ["opened"], "what is refused changes nothing");
}

#[test]
fn a_cleared_alert_is_noted_once_and_leaves_the_ticket_open() {
    let mut office = Office::new("");
    let alert = alert(1);
    office.open(&alert);
    for _ in 0..2 {
        office.desk.alert_cleared(&cleared(&alert), 9, &mut office.effects);
    }
    assert_eq!((office.whats(), office.desk.n_open()), (vec!["opened", "alert-cleared"], 1));
    assert!(office.last().alert_cleared());
}

#[test]
fn what_comes_back_is_counted() {
    let mut office = Office::new("");
    office.open(&alert(1));
    office.walk(1, &WORKED[..3]);
    let back = office.walk(1, &[("handler", Move::Dispute), ("handler", Move::Return)]);
    assert_eq!((back.stage, back.unit.as_deref()), (Stage::Filed, None));
    office.walk(1, &WORKED[2..4]);
    office.walk(1, &[("dispatcher", Move::Reassign)]);
    office.walk(1, &WORKED[3..]);
    let again = office.walk(1, &[("officer", Move::Rework), ("chief", Move::Supervise)]);
    assert_eq!(again.stage, Stage::Handling);
    let Counts { returned, reassigned, disputed, reworked, supervised, .. } = again.counts;
    assert_eq!((returned, reassigned, disputed, reworked, supervised), (1, 1, 1, 1, 1));
}

#[test]
fn an_officer_solves_on_the_spot_with_photos_and_somebody_else_looks_at_it() {
    let mut office = Office::new("");
    office.open(&alert(1));
    let solved = office.walk(1, &[("officer", Move::Solve)]);
    assert_eq!(solved.stage, Stage::FedBack);
    assert_eq!(office.journal().last(), Some(&("solve", "before p1, after p2")));
    let own = Refusal::OwnWork { who: "officer".into(), asked: Move::Verify };
    assert_eq!(office.ask("officer", 1, Move::Verify), Err(own));
    office.walk(1, &[("other", Move::Verify), ("chief", Move::Close)]);
}

#[test]
fn a_merged_ticket_leaves_its_alerts_to_the_other_one() {
    let mut office = Office::new("");
    let (first, second) = (alert(1), alert(2));
    office.open(&first);
    office.open(&second);
    assert_eq!(office.ask("clerk", 1, Move::Merge), Err(Refusal::NoSuchMaster(1)), "not with itself");
    office.walk(2, &[("clerk", Move::Merge)]);
    let master = office.last();
    assert_eq!((master.no, master.n_alerts, master.n_alerts_on, office.desk.n_open()), (1, 2, 2, 1));
    assert!(office.effects.contains(&Effect::Adopt { from: 2, into: 1 }));
    for (alert, n_on) in [(&second, 1), (&first, 0)] {
        office.desk.alert_cleared(&cleared(alert), 9, &mut office.effects);
        assert_eq!((office.last().no, office.last().n_alerts_on), (1, n_on));
    }
}

#[test]
fn emergencies_are_told_to_every_level_and_jump_them() {
    let mut office = Office::new(people::LEVELS);
    office.open(&Alert { severity: Severity::Extreme, ..alert(1) });
    assert_eq!(office.journal()[1], ("emergency", "told to village, town, district"));
    // Not accepted, not filed, and by somebody of another town.
    office.walk(1, &[("away", Move::Dispatch)]);
    office.open(&alert(1 + 1));
    let early = Refusal::WrongStage { stage: Stage::Reported, asked: Move::Dispatch };
    assert_eq!(office.ask("away", 2, Move::Dispatch), Err(early));
}

#[test]
fn alerts_enter_dispatched_where_the_policy_says_so() {
    let mut office =
        Office::new("[desk]\ndispatch = [{ category = \"waste/#\", from_severity = \"severe\", unit = \"trucks\" }]");
    let ticket = office.open(&alert(1));
    assert_eq!((ticket.stage, ticket.unit.as_deref(), ticket.n_journal), (Stage::Dispatched, Some("trucks"), 2));
    assert_eq!(office.journal()[1], ("dispatch", "to trucks: by policy"));
    let other = office.open(&Alert { severity: Severity::Minor, ..alert(2) });
    assert_eq!(other.stage, Stage::Reported);
}

#[test]
fn a_look_makes_a_ticket_surer_once_for_each_look_and_none_where_the_work_is_done() {
    use outpost_detectors::fire::Evidence as Seen;

    use crate::nouns::Saw;

    let mut office = Office::new("");
    let mut hot = alert(1);
    hot.confidence = Some(Confidence::of_heat("cam:west"));
    let looked = |saw| Looked {
        alert: hot.id.clone(),
        camera: "cam:west".into(),
        saw,
        judged: Judged::Unasked,
        pictures: Vec::new(),
    };
    let unseen = looked(Saw::Pictures(Seen::Neither));
    let look = |office: &mut Office| office.desk.alert_looked(&unseen, 5, &mut office.effects);
    assert_eq!(look(&mut office), None, "nobody knows that alert");
    office.open(&hot);
    let first = look(&mut office).unwrap();
    let second = look(&mut office).unwrap();
    assert!(second.share < first.share && first.share < 0.5);
    let journal = office.journal();
    assert_eq!((journal[1].0, journal[2].0), ("looked", "looked"));
    assert!(
        journal[1].1.starts_with("cam:west sees neither flame nor smoke; confidence 29 %, was 50 %"),
        "{journal:?}"
    );
    let told = |effect: &&Effect| matches!(effect, Effect::Tell { kind: "outpost.ticket.looked", .. });
    assert_eq!(office.effects.iter().filter(told).count(), 2);
    office.walk(1, &WORKED);
    office.walk(1, &[("officer", Move::Verify), ("chief", Move::Close)]);
    assert_eq!(look(&mut office), None);
    // An alert that nobody is asked about has no confidence, and gets none.
    let plain = alert(2);
    office.open(&plain);
    let stray = Looked { alert: plain.id.clone(), ..unseen.clone() };
    assert_eq!(office.desk.alert_looked(&stray, 70, &mut office.effects), None);
}
