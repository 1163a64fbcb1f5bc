//! The report of a month by the API: the page that the command line writes, and what is refused.

use super::*;
use crate::telemetry::time_text;

#[tokio::test]
async fn a_month_is_a_page_without_scripts_in_the_language_that_was_asked_for() {
    let world = World::new(3);
    let month = &time_text(now_ms())[..7];
    let page = world.get(&format!("/api/v1/report?month={month}&language=en")).await;
    let text = |said: &Said| String::from_utf8(said.bytes.to_vec()).unwrap();
    assert_eq!(page.status, 200, "{}", text(&page));
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    assert!(text(&page).contains("<html lang=\"en\">") && text(&page).contains("monthly report"));
    assert!(!text(&page).contains("<script"));
    let chinese = world.get(&format!("/api/v1/report?month={month}")).await;
    assert!(text(&chinese).contains("<html lang=\"zh-CN\">") && text(&chinese).contains("月报"));
}

#[tokio::test]
async fn months_and_languages_that_are_none_are_refused() {
    let world = World::new(0);
    for (query, hint) in [
        ("", "month"),
        ("month=2026-13", "is no month"),
        ("month=2026-1", "is no month"),
        ("month=2026-11&language=fr", "fr"),
        ("month=2026-11&format=pdf", "format"),
    ] {
        let (status, detail) = world.get(&format!("/api/v1/report?{query}")).await.problem();
        assert!(status == 400 && detail.contains(hint), "{query}: {status} {detail}");
    }
}
