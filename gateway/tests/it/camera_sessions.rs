//! How sessions with cameras end, when the next may begin, and that none keeps another camera's waiting.

use std::time::Duration;

use outpost::config;

use crate::support_rtsp::{Journal, Scripted, Watched, camera, scripted};

/// Longer than the first wait between two sessions, and shorter than any limit of a goodbye.
const HESITATION: Duration = Duration::from_millis(600);

/// What a camera does once it plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    SaysNothing,
    HangsUp,
}

/// Answers everything, goodbyes after some hesitation. Notes what was asked, and a goodbye when it is answered.
async fn converse(mut peer: Scripted, journal: Journal, then: Then) {
    while let Some(request) = peer.hear_all().await {
        if request.method() == "TEARDOWN" {
            tokio::time::sleep(HESITATION).await;
        }
        journal.note(request.method());
        peer.answer_well(&request).await;
        if then == Then::HangsUp && request.method() == "PLAY" {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_ended_as_it_is_configured_and_the_next_waits_for_the_answer() {
    for (teardown, then, expected) in [
        ("always", Then::SaysNothing, "DESCRIBE SETUP PLAY TEARDOWN DESCRIBE"),
        ("always", Then::HangsUp, "DESCRIBE SETUP PLAY TEARDOWN DESCRIBE"),
        ("once", Then::SaysNothing, "DESCRIBE SETUP PLAY TEARDOWN DESCRIBE"),
        ("once", Then::HangsUp, "DESCRIBE SETUP PLAY DESCRIBE"),
        ("never", Then::SaysNothing, "DESCRIBE SETUP PLAY DESCRIBE"),
        ("never", Then::HangsUp, "DESCRIBE SETUP PLAY DESCRIBE"),
    ] {
        let journal = Journal::default();
        let noted = journal.clone();
        let url = scripted(move |peer| converse(peer, noted.clone(), then)).await;
        let more = format!("stall_after = \"1s\"\nopen_timeout = \"30s\"\ncompat = {{ teardown = {teardown:?} }}");
        let watched = Watched::start(&[camera("a", &url, &more)]);
        journal.until("DESCRIBE", 2).await;
        let mut words = journal.words();
        let second = words.iter().skip(1).position(|word| word == "DESCRIBE").unwrap() + 1;
        words.truncate(second + 1);
        // A goodbye that a busy machine answers late is said again.
        words.dedup();
        assert_eq!(words.join(" "), expected, "{teardown}, {then:?}");
        watched.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stops_says_goodbye_and_waits_for_the_answer() {
    let journal = Journal::default();
    let noted = journal.clone();
    let url = scripted(move |peer| converse(peer, noted.clone(), Then::SaysNothing)).await;
    let watched = Watched::start(&[camera("a", &url, "stall_after = \"1h\"\nopen_timeout = \"30s\"")]);
    journal.until("PLAY", 1).await;
    watched.stop().await;
    assert_eq!(journal.words().last().unwrap(), "TEARDOWN");
}

/// Serves a camera that refuses everybody until `word` was noted `n` times.
async fn refusing_until(journal: &Journal, word: &'static str, n: usize) -> String {
    let noted = journal.clone();
    scripted(move |mut peer: Scripted| {
        let journal = noted.clone();
        async move {
            while let Some(request) = peer.hear_all().await {
                if journal.n(word) < n {
                    peer.answer_to(&request, "404 Not Found", "").await;
                } else {
                    journal.note(&format!("good {}", request.method()));
                    peer.answer_well(&request).await;
                }
            }
        }
    })
    .await
}

/// Watches both with one place for cameras that answered, and one for those that did not, until the good one plays.
async fn until_good_plays(journal: &Journal, bad: &str, good: &str, patience: &str) {
    let video = config::Video { open_max: 1, ..config::Video::default() };
    let bad = camera("bad", bad, &format!("retry_max = \"250ms\"\n{patience}"));
    let _watched = Watched::start_with(&[bad, camera("good", good, "retry_max = \"250ms\"")], &video);
    journal.until("good PLAY", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_the_end_of_its_last_session_keeps_no_place() {
    let journal = Journal::default();
    let noted = journal.clone();
    let bad = scripted(move |mut peer: Scripted| {
        let journal = noted.clone();
        async move {
            while let Some(request) = peer.hear_all().await {
                journal.note(request.method());
                if request.method() == "TEARDOWN" {
                    return peer.hang().await;
                }
                peer.answer_well(&request).await;
            }
        }
    })
    .await;
    let good = refusing_until(&journal, "TEARDOWN", 1).await;
    until_good_plays(&journal, &bad, &good, "stall_after = \"1s\"\nopen_timeout = \"5m\"").await;
    assert_eq!(journal.n("DESCRIBE"), 1, "{:?}", journal.words());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_did_not_answer_waits_among_its_like() {
    let journal = Journal::default();
    let noted = journal.clone();
    let bad = scripted(move |mut peer: Scripted| {
        let journal = noted.clone();
        async move {
            peer.hear().await;
            journal.note("asked");
            peer.hang().await;
            journal.note("given up");
        }
    })
    .await;
    // The first time it has a place among all; it is the second that counts.
    let good = refusing_until(&journal, "asked", 2).await;
    until_good_plays(&journal, &bad, &good, "open_timeout = \"5s\"").await;
    assert!(journal.n("given up") <= 1, "{:?}", journal.words());
}
