//! Scores, as supervisors ask for them.

use super::*;

const PERIOD: &str = "from=2020-01-01&to=2020-12-31";

fn this_year() -> String {
    let now = jiff::Timestamp::from_millisecond(crate::telemetry::now_ms()).unwrap();
    format!("from={}&to={}", now - jiff::SignedDuration::from_hours(24), now + jiff::SignedDuration::from_hours(24))
}

#[tokio::test]
async fn figures_are_told_with_their_formulas_and_lead_down_to_tickets() {
    let world = World::new(3);
    for (who, name) in [("Li", "accept"), ("Zhou", "file")] {
        let said = world.post(&format!("/api/v1/tickets/2/{name}"), json!({ "who": who, "note": "n" })).await;
        assert_eq!(said.status, 200, "{}", said.json());
    }
    let period = this_year();
    let said = world.get(&format!("/api/v1/scores?level=town&{period}")).await;
    assert_eq!(said.status, 200, "{}", said.json());
    let said = said.json();
    let rows = said["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "of towns only the east has tickets");
    let (east, n) = (&rows[0], |count: &str| rows[0]["counts"][count].clone());
    assert_eq!(east["of"], json!("east"));
    assert_eq!((n("reported"), n("accepted"), n("filed"), n("closed")), (json!(2), json!(1), json!(1), json!(0)));
    assert_eq!((&east["figures"]["filed-in-time"], &east["figures"]["handled"]), (&json!(100.0), &json!(null)));
    let formula =
        said["scores"].as_array().unwrap().iter().find(|score| score["id"] == json!("filed-in-time")).unwrap();
    assert_eq!(formula["figure"]["numerator"], json!("filed_in_time"));
    assert_eq!(formula["counts"], json!(["filed", "filed_in_time"]));

    let down = |query: &str| format!("/api/v1/scores/tickets?level=town&of=east&{period}&{query}");
    assert_eq!(world.get(&down("count=filed")).await.json()["tickets"], json!([2]));
    let first = world.get(&down("count=reported&limit=1")).await.json();
    assert_eq!((&first["n"], &first["tickets"]), (&json!(2), &json!([2])));
    assert_eq!(world.get(&down("count=reported&after=2")).await.json()["tickets"], json!([3]));
    let people = world.get(&format!("/api/v1/scores?level=officer&{period}")).await.json();
    assert_eq!((&people["rows"][0]["of"], &people["rows"][0]["counts"]["accepted"]), (&json!("Li"), &json!(1)));
    let before = world.get(&format!("/api/v1/scores?level=district&{PERIOD}")).await.json();
    assert_eq!(before["rows"][0]["counts"]["reported"], json!(null), "nothing had happened by then");
}

#[tokio::test]
async fn periods_levels_and_counts_that_are_none_are_refused() {
    let world = World::new(0);
    for (query, hint) in [
        ("level=town", "missing field"),
        ("level=moon&from=2026-01-01&to=2026-02-01", "officer"),
        ("level=town&from=2026-02-30&to=2026-03-01", "neither a date"),
        ("level=town&from=2026-02-01&to=2026-02-01", "ends after"),
        ("level=town&from=2024-01-01&to=2026-02-01", "366 days"),
    ] {
        let (status, detail) = world.get(&format!("/api/v1/scores?{query}")).await.problem();
        assert!(status == 400 && detail.contains(hint), "{query}: {status} {detail}");
    }
    let of = |count: &str| format!("/api/v1/scores/tickets?level=town&of=x&count={count}&{PERIOD}");
    assert_eq!(world.get(&of("nonsense")).await.problem().0, 400);
    assert_eq!(world.get(&of("filed")).await.json()["tickets"], json!([]));
}
