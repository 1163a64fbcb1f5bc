//! Who may do what: three levels, and people with roles in them.

use super::*;

pub(super) const LEVELS: &str = r#"
[[centres]]
id = "district"
level = "district"

[[centres]]
id = "town"
level = "town"
parent = "district"
duties = ["waste/#"]

[[centres]]
id = "other-town"
level = "town"
parent = "district"
duties = ["noise"]

[[centres]]
id = "village"
level = "village"
parent = "town"
sources = ["s/+"]

[[people]]
id = "boss"
centre = "district"
roles = ["chief", "dispatcher"]

[[people]]
id = "mayor"
centre = "town"
roles = ["chief", "dispatcher", "clerk"]

[[people]]
id = "elder"
centre = "village"
roles = ["clerk", "chief", "dispatcher"]

[[people]]
id = "worker"
centre = "other-town"
roles = ["handler"]

[[people]]
id = "away"
centre = "other-town"
roles = ["chief", "dispatcher"]
"#;

#[test]
fn moves_are_for_those_with_a_role_at_the_centre_or_above() {
    let mut office = Office::new(LEVELS);
    assert_eq!(&*office.open(&alert(1)).centre, "village");
    assert_eq!(office.ask("stranger", 1, Move::Accept), Err(Refusal::Unknown("stranger".into())));
    let role = Refusal::Role { who: "worker".into(), asked: Move::Accept, roles: "clerk, chief".into() };
    assert_eq!(office.ask("worker", 1, Move::Accept), Err(role));
    let reach = Refusal::Reach { who: "away".into(), centre: "other-town".into(), whose: "village".into() };
    assert_eq!(office.ask("away", 1, Move::Accept), Err(reach));
    let ticket = office.walk(1, &[("elder", Move::Accept), ("boss", Move::File), ("mayor", Move::Dispatch)]);
    assert_eq!(ticket.lead.as_deref(), Some("village"));
    // Units belong to no centre.
    office.walk(1, &[("worker", Move::Sign), ("worker", Move::Start), ("worker", Move::FeedBack)]);
}

#[test]
fn levels_hand_up_directly_and_down_only_what_is_on_the_duty_list() {
    let mut office = Office::new(LEVELS);
    office.open(&alert(1));
    let up = office.walk(1, &[("elder", Move::Accept), ("elder", Move::Escalate), ("mayor", Move::Escalate)]);
    assert_eq!((&*up.centre, up.counts.escalated, up.lead.as_deref()), ("district", 2, Some("village")));
    assert_eq!(office.ask("boss", 1, Move::Escalate), Err(Refusal::NothingAbove("district".into())));
    let mut down = command(1, "boss", Move::HandDown);
    for (centre, refusal) in [
        ("village", Refusal::NotBeneath { centre: "village".into(), whose: "district".into() }),
        ("nowhere", Refusal::NotBeneath { centre: "nowhere".into(), whose: "district".into() }),
        ("other-town", Refusal::NotOnDutyList { centre: "other-town".into(), category: "waste/heap".into() }),
    ] {
        down.said.centre = Some(centre.into());
        assert_eq!(office.desk.command(&down, 1, &mut office.effects), Err(refusal));
    }
    assert_eq!(&*office.walk(1, &[("boss", Move::HandDown)]).centre, "town");
}

#[test]
fn who_has_it_at_hand_hands_up_what_is_beyond_them() {
    let mut office = Office::new(LEVELS);
    office.open(&alert(1));
    office.walk(1, &[("elder", Move::Accept), ("elder", Move::File), ("elder", Move::Dispatch)]);
    let reach = Refusal::Reach { who: "worker".into(), centre: "other-town".into(), whose: "village".into() };
    assert_eq!(office.ask("worker", 1, Move::Escalate), Err(reach), "not theirs yet");
    let up = office.walk(1, &[("worker", Move::Sign), ("worker", Move::Escalate)]);
    assert_eq!((&*up.centre, up.stage, up.counts.escalated), ("town", Stage::Signed, 1));
    let done = office.walk(1, &[("worker", Move::Start), ("worker", Move::FeedBack)]);
    assert_eq!((done.stage, done.lead.as_deref()), (Stage::FedBack, Some("village")));
    let role = office.ask("worker", 1, Move::Escalate);
    assert!(matches!(role, Err(Refusal::Role { .. })), "{role:?}");
}

#[test]
fn who_received_it_first_leads_until_it_is_settled() {
    let mut office = Office::new(LEVELS);
    office.open(&alert(1));
    office.walk(
        1,
        &[("elder", Move::Accept), ("elder", Move::File), ("elder", Move::Dispatch), ("elder", Move::Escalate)],
    );
    office.walk(
        1,
        &[("worker", Move::Sign), ("worker", Move::Start), ("worker", Move::FeedBack), ("mayor", Move::Verify)],
    );
    // It is the town's now, and the village closes it all the same.
    assert_eq!(&*office.last().centre, "town");
    office.walk(1, &[("elder", Move::Close)]);
}

#[test]
fn nobody_verifies_or_closes_what_they_handled() {
    let mut office = Office::new("");
    office.open(&alert(1));
    office.walk(1, &WORKED);
    for asked in [Move::Verify, Move::Rework] {
        assert_eq!(office.ask("handler", 1, asked), Err(Refusal::OwnWork { who: "handler".into(), asked }));
    }
    office.walk(1, &[("officer", Move::Verify)]);
    let own = Refusal::OwnWork { who: "handler".into(), asked: Move::Close };
    assert_eq!(office.ask("handler", 1, Move::Close), Err(own));
}

#[test]
fn an_extension_is_approved_by_somebody_else_and_counted() {
    let mut office = Office::new("");
    office.open(&alert(1));
    let before = office.walk(1, &WORKED[..5]);
    assert_eq!(office.ask("chief", 1, Move::Approve), Err(Refusal::NoExtension));
    let asked = office.walk(1, &[("handler", Move::Extend)]);
    assert_eq!((asked.whole, asked.counts.extended), (before.whole, 0), "nothing is longer yet");
    assert_eq!(office.ask("handler", 1, Move::Extend), Err(Refusal::ExtensionWaits));
    assert_eq!(office.ask("handler", 1, Move::Approve), Err(Refusal::OwnExtension { who: "handler".into() }));
    office.walk(1, &[("chief", Move::Deny), ("handler", Move::Extend)]);
    let longer = office.walk(1, &[("chief", Move::Approve)]);
    assert_eq!((longer.counts.extended, longer.extension.clone()), (1, None));
    assert!(longer.whole.due_ms > before.whole.due_ms);
}

#[test]
fn a_centre_that_is_no_more_leaves_its_tickets_to_the_one_on_top() {
    let mut office = Office::new(LEVELS);
    let ticket = office.open(&alert(1));
    let kept = Kept { tickets: vec![Ticket::clone(&ticket)], last_no: 1, ..Kept::default() };
    let mut desk = Desk::restore(&config(""), kept);
    let accepted = desk.command(&command(1, "anyone", Move::Accept), 5, &mut Vec::new()).unwrap();
    assert_eq!(&*accepted.centre, "district");
}
