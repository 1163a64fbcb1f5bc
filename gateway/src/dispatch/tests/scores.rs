//! Scores: counts and figures worked out by hand, and what holds of them whatever happens to tickets.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::config::{Count, Figure, Level, Score};
use crate::dispatch::scores::sheet::{Row, Sheet, Whose};
use crate::dispatch::scores::{Period, Scoring};
use crate::nouns::{Passage, Story};

const PERIOD: Period = Period { from_ms: 1_000, to_ms: 2_000, now_ms: 10_000 };

/// Stages that it came to from where it was, with time, limit of the stage that was left, and who did it.
type Way = &'static [(Stage, i64, Option<i64>, &'static str)];

fn story(no: u64, opened_ms: i64, due_ms: i64, first: Stage, way: Way) -> Story {
    let mut from = first;
    let mut passages = Vec::new();
    for (at, (to, at_ms, step_due_ms, who)) in way.iter().enumerate() {
        passages.push(Passage {
            ticket: no,
            no: at as u64 + 2,
            from,
            to: *to,
            at_ms: *at_ms,
            due_ms: *step_due_ms,
            whole_due_ms: due_ms,
            who: (*who).into(),
            is_force_majeure: false,
            unit: None,
        });
        from = *to;
    }
    Story {
        no,
        stage: from,
        centre: "district".into(),
        unit: Some("trucks".into()),
        handlers: vec!["wang".into()],
        opened_ms,
        due_ms,
        step_due_ms: None,
        n_extended: 0,
        score: None,
        passages,
    }
}

/// Eight tickets; what each counts for is worked out in the test below.
fn stories() -> Vec<Story> {
    use Stage::{
        Accepted, Closed, Dispatched, FedBack, Filed, Handling, Rated, Rejected, Reported, Signed, Suspected,
        Suspended, Verified,
    };
    // All of it in time, and rated 5.
    let good = story(
        1,
        1_000,
        1_500,
        Reported,
        &[
            (Accepted, 1_010, Some(1_020), "li"),
            (Filed, 1_020, Some(1_030), "zhou"),
            (Dispatched, 1_040, Some(1_050), "sun"),
            (Signed, 1_050, None, "wang"),
            (Handling, 1_060, None, "wang"),
            (FedBack, 1_200, Some(1_300), "wang"),
            (Verified, 1_250, Some(1_260), "qian"),
            (Closed, 1_300, None, "zhou"),
            (Rated, 1_310, None, "qian"),
        ],
    );
    // Filed late, returned once, given more time, and fed back past it.
    let bad = story(
        2,
        1_100,
        1_800,
        Reported,
        &[
            (Accepted, 1_110, None, "li"),
            (Filed, 1_200, Some(1_150), "zhou"),
            (Dispatched, 1_210, None, "sun"),
            (Filed, 1_220, None, "wang"),
            (Dispatched, 1_230, None, "sun"),
            (Signed, 1_235, None, "wang"),
            (Handling, 1_240, None, "wang"),
            (FedBack, 1_900, None, "wang"),
        ],
    );
    let lying = story(3, 500, 1_700, Reported, &[(Dispatched, 600, None, "outpost")]);
    let suspended = story(
        4,
        1_400,
        1_600,
        Reported,
        &[(Accepted, 1_410, None, "li"), (Filed, 1_420, None, "zhou"), (Suspended, 1_430, None, "sun")],
    );
    let rejected = story(5, 1_500, 1_900, Suspected, &[(Rejected, 1_520, Some(1_510), "qian")]);
    let solved = story(6, 1_600, 1_900, Reported, &[(FedBack, 1_650, None, "qian")]);
    // Worked on before the period, closed in it.
    let old = story(
        7,
        300,
        5_000,
        Handling,
        &[(FedBack, 900, None, "wang"), (Verified, 950, None, "qian"), (Closed, 1_900, None, "zhou")],
    );
    let mut flooded =
        story(8, 500, 1_700, Reported, &[(Dispatched, 600, None, "sun"), (Suspended, 1_400, None, "sun")]);
    flooded.passages[1].is_force_majeure = true;
    let good = Story { score: Some(5), ..good };
    let bad = Story { n_extended: 1, step_due_ms: Some(2_500), ..bad };
    vec![good, bad, lying, suspended, rejected, solved, old, flooded]
}

fn row(whose: Whose, of: &str) -> Row {
    let centres = Centres::new(&config("[district]\nid = \"district\""));
    Sheet::new(whose, &centres, &PERIOD, &stories()).rows.remove(of).unwrap_or_default()
}

#[test]
fn counts_are_those_that_were_worked_out_by_hand() {
    let row = row(Whose::Centres(Level::District), "district");
    let expected: &[(Count, &[u64])] = &[
        (Count::Reported, &[1, 2, 4, 5, 6]),
        (Count::ReportedRight, &[1, 2, 4, 6]),
        (Count::DueChecked, &[5]),
        (Count::CheckedInTime, &[]),
        (Count::Accepted, &[1, 2, 4]),
        (Count::Filed, &[1, 2, 4]),
        (Count::FiledInTime, &[1, 4]),
        (Count::FiledRight, &[1, 2, 4]),
        (Count::DueDispatched, &[1, 2]),
        (Count::DispatchedInTime, &[1, 2]),
        (Count::DispatchedRight, &[1]),
        (Count::DueHandled, &[1, 2, 3, 6]),
        (Count::Handled, &[1, 2, 6]),
        (Count::HandledInTime, &[1, 6]),
        (Count::Extended, &[2]),
        (Count::Overdue, &[3]),
        (Count::DueVerified, &[1]),
        (Count::VerifiedInTime, &[1]),
        (Count::DueClosed, &[1, 2, 3, 6, 7]),
        (Count::Closed, &[1, 7]),
        (Count::ClosedInTime, &[1, 7]),
        (Count::ClosedLate, &[]),
        (Count::Reworked, &[]),
        (Count::Returned, &[2]),
        (Count::Voided, &[5]),
        (Count::Solved, &[6]),
        (Count::Rated, &[1]),
        (Count::Satisfied, &[1]),
        (Count::Suspended, &[4]),
        (Count::Parked, &[]),
        (Count::ForceMajeure, &[8]),
    ];
    assert_eq!(expected.len(), Count::ALL.len());
    for (count, tickets) in expected {
        assert_eq!(row.tickets(*count), *tickets, "{}", count.as_str());
    }
}

#[test]
fn figures_of_the_standard_table_are_those_that_were_worked_out_by_hand() {
    let (row, scores) = (row(Whose::Centres(Level::District), "district"), Scoring::new(&config("")).scores);
    let figure = |id: &str| {
        let score = scores.iter().find(|score| score.id == id).unwrap();
        row.figure(&score.figure, &scores).map(|value| (value * 100.0).round() / 100.0)
    };
    for (id, value) in [
        ("handled", Some(75.0)),
        ("handled-in-time", Some(50.0)),
        ("closed", Some(40.0)),
        ("closed-late", Some(0.0)),
        ("filed-in-time", Some(66.67)),
        ("dispatched-right", Some(50.0)),
        ("reported-right", Some(80.0)),
        ("checked-in-time", Some(0.0)),
        ("reworked", Some(0.0)),
        ("overdue", Some(25.0)),
        ("extended", Some(25.0)),
        ("satisfied", Some(100.0)),
        ("n-out-of-reach", Some(2.0)),
        // 30 · 0.75 + 20 · 0.5 + 20 · (1 - 0) + 20 · (1 - 0.25) + 10 · (1 - 0.25)
        ("jinniu", Some(75.0)),
    ] {
        assert_eq!(figure(id), value, "{id}");
    }
    // 160 ms, 690 ms, and nothing for what was solved on the spot.
    let hours = figure("handling-hours").unwrap();
    assert!((hours - 850.0 / 3.0 / 3_600_000.0).abs() < 0.01);
    assert_eq!(row.took_ms(crate::config::Amount::Handling), 850);
    assert_eq!(row.took_ms(crate::config::Amount::Accepting), 30);
}

#[test]
fn people_have_what_they_did_and_units_what_was_dispatched_to_them() {
    let n = |who: &str, count: Count| row(Whose::Officers, who).n(count);
    assert_eq!((n("zhou", Count::Filed), n("zhou", Count::FiledInTime), n("zhou", Count::Closed)), (3, 2, 2));
    assert_eq!((n("wang", Count::Handled), n("qian", Count::Handled)), (2, 1));
    assert_eq!(n("wang", Count::Overdue), 1, "who had a hand in it last owes it");
    assert_eq!(n("li", Count::Handled), 0);
    assert_eq!(row(Whose::Units, "trucks").n(Count::DueHandled), 4);
    assert_eq!(row(Whose::Centres(Level::Town), "district"), Row::default(), "it is no town");
}

#[test]
fn what_is_not_over_when_the_period_ends_is_seen_as_it_was_then() {
    let early = Period { to_ms: 1_220, ..PERIOD };
    let centres = Centres::new(&config("[district]\nid = \"district\""));
    let sheet = Sheet::new(Whose::Centres(Level::District), &centres, &early, &stories());
    let row = &sheet.rows["district"];
    assert_eq!(row.tickets(Count::DispatchedRight), [1, 2], "nobody had returned it yet");
    assert_eq!(row.tickets(Count::Handled), [1]);
    assert_eq!(row.n(Count::Suspended), 0);
    // A period that is not over: what is yet to come is not late.
    let running = Period { now_ms: 1_220, ..PERIOD };
    let again = Sheet::new(Whose::Centres(Level::District), &centres, &running, &stories());
    assert_eq!(&again.rows["district"], row);
}

/// Tickets as the desk left them, with all that they went through.
fn told(effects: &[Effect]) -> Vec<Story> {
    let (mut tickets, mut passages) = (BTreeMap::new(), BTreeMap::<u64, Vec<Passage>>::new());
    for effect in effects {
        match effect {
            Effect::Ticket(ticket) => drop(tickets.insert(ticket.no, ticket.clone())),
            Effect::Passage(passage) => passages.entry(passage.ticket).or_default().push(passage.clone()),
            _ => {}
        }
    }
    let story = |(no, ticket): (u64, Arc<Ticket>)| Story {
        no,
        stage: ticket.stage,
        centre: ticket.centre.clone(),
        unit: ticket.unit.clone(),
        handlers: ticket.handlers.clone(),
        opened_ms: ticket.opened_ms,
        due_ms: ticket.whole.due_ms,
        step_due_ms: ticket.step.map(|step| step.due_ms),
        n_extended: ticket.counts.extended,
        score: ticket.score,
        passages: passages.remove(&no).unwrap_or_default(),
    };
    tickets.into_iter().map(story).collect()
}

fn all_within(scores: &[Score], row: &Row) -> Result<(), TestCaseError> {
    for score in scores {
        let value = row.figure(&score.figure, scores);
        match &score.figure {
            Figure::Rate { .. } | Figure::Points { .. } => {
                prop_assert!(value.is_none_or(|value| (0.0..=100.0).contains(&value)), "{}: {:?}", score.id, value);
            }
            Figure::Count { .. } | Figure::Mean { .. } => prop_assert!(value.is_none_or(|value| value >= 0.0)),
        }
        // What is counted of those that were due is one of them; what is overdue may have been due long ago.
        let Figure::Rate { numerator, denominator, .. } = &score.figure else { continue };
        let of = |counts: &[Count]| -> BTreeSet<u64> {
            counts.iter().flat_map(|count| row.tickets(*count).to_vec()).collect()
        };
        let is_part = of(&numerator.0).is_subset(&of(&denominator.0));
        prop_assert!(is_part || score.id == "overdue", "{}", score.id);
    }
    Ok(())
}

proptest! {
    #[test]
    fn whatever_happens_to_tickets_figures_stay_within_their_bounds(
        moves in prop::collection::vec((1u64..5, 0usize..30, 0i64..3_000_000), 0..120), cut in 0i64..200_000_000,
    ) {
        let limits = "[[desk.limits]]\ncategory = \"#\"\nwhole = \"6h\"\nstages = { reported = \"10m\", filed = \"20m\", handling = \"1h\", fed-back = \"30m\" }";
        let mut office = Office::new(limits);
        for n in 1..5 {
            let confidence = (n == 2).then(|| Confidence { share: 0.1, why: "dust looks alike".into() });
            office.open(&Alert { confidence, ..alert(n) });
        }
        for (ticket, nth, wait_ms) in moves {
            office.wait_until(office.now_ms + wait_ms);
            let who = ["zhou", "wang", "li"][nth % 3];
            drop(office.ask(who, ticket, Move::ALL[nth]));
        }
        let (stories, scoring) = (told(&office.effects), Scoring::new(&config("")));
        let centres = Centres::new(&config("[district]\nid = \"district\""));
        let end_ms = office.now_ms + 1;
        let sheet = |from_ms: i64, to_ms: i64| {
            let period = Period { from_ms, to_ms, now_ms: end_ms };
            Sheet::new(Whose::Centres(Level::District), &centres, &period, &stories).rows.remove("district").unwrap_or_default()
        };
        let (whole, cut) = (sheet(0, end_ms), cut.min(end_ms));
        let parts = [sheet(0, cut), sheet(cut, end_ms)];
        for row in [&whole, &parts[0], &parts[1]] {
            all_within(&scoring.scores, row)?;
        }
        // What happens once is in one of two periods.
        for count in [Count::Reported, Count::Filed, Count::Accepted, Count::Voided, Count::Rated, Count::Solved] {
            prop_assert_eq!(parts[0].n(count) + parts[1].n(count), whole.n(count), "{}", count.as_str());
        }
        prop_assert_eq!(whole.n(Count::Reported), 4);
    }
}
