//! The way to the time-series server when that server fails, refuses or hangs: for each answer what arrived, in which
//! order, and what was counted. The far end is a strict stand-in; the good path is tested against a real server in
//! `series_victoria`, an hour's outage in `series_outage`.

use std::sync::atomic::Ordering;

use outpost::config::{Bytes, Span};
use outpost::nouns::{SpoolLoss, Trouble, TroubleKind};
use outpost::series::{Phase, Watchman};
use outpost::telemetry::clock::now_ms;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::support::within;
use crate::support_influx::{FakeInflux, Mood, Scene, TOKEN, good};
use crate::support_out::until;

const BUSY: &str = r#"{"code":"unavailable","message":"busy"}"#;

#[tokio::test]
async fn a_server_that_is_away_for_a_while_loses_nothing() {
    let scene = Scene::start(FakeInflux::default()).await;
    let busy = Mood::Answers(503, None, BUSY);
    scene.server.will(&[busy.clone(), busy]);
    scene.push(&good(3));
    until("it is seen as retrying", || scene.progress.status().phase == Phase::Retrying).await;
    let reason = scene.progress.status().reason.unwrap();
    assert!(reason.contains("503"), "{reason}");
    scene.drained().await;
    assert_eq!(scene.server.stored(), good(3).lines().collect::<Vec<_>>());
    assert_eq!(scene.counts(), (3, 0, 2));
    assert_eq!(scene.progress.status().phase, Phase::Up);
}

#[tokio::test]
async fn a_server_that_hangs_is_left_and_asked_again() {
    let scene = Scene::start(FakeInflux::default()).await;
    scene.server.will(&[Mood::Hangs]);
    scene.push(&good(2));
    until("it is seen as retrying", || scene.progress.status().phase == Phase::Retrying).await;
    assert!(scene.progress.status().reason.unwrap().starts_with("timed out"), "{:?}", scene.progress.status());
    scene.drained().await;
    assert_eq!(scene.progress.n_written(), 2);
}

#[tokio::test]
async fn a_server_that_names_seconds_is_not_asked_before() {
    for status in [429, 503] {
        let scene = Scene::start_with(FakeInflux::default(), |series| series.retry_max = Span::from_ms(10_000)).await;
        scene.server.will(&[Mood::Answers(status, Some("1".into()), BUSY)]);
        scene.push(&good(3));
        scene.drained().await;
        assert_eq!(scene.server.stored(), good(3).lines().collect::<Vec<_>>());
        assert_eq!(scene.counts(), (3, 0, 1));
        // Lower bounds only, which no slow machine can break. Our own first wait is 250 ms at most.
        let asked_ms = scene.server.asked_ms();
        assert!(asked_ms[1] - asked_ms[0] >= 1_000, "{status}: {asked_ms:?}");
    }
}

#[tokio::test]
async fn a_server_that_names_a_date_is_not_asked_before() {
    let scene = Scene::start_with(FakeInflux::default(), |series| series.retry_max = Span::from_ms(10_000)).await;
    // Whole seconds: at least one from now, at most two.
    let at_s = now_ms() / 1_000 + 2;
    let date = jiff::Timestamp::from_second(at_s).unwrap().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    scene.server.will(&[Mood::Answers(503, Some(date), BUSY)]);
    scene.push(&good(3));
    scene.drained().await;
    assert_eq!(scene.server.stored(), good(3).lines().collect::<Vec<_>>());
    assert_eq!(scene.counts(), (3, 0, 1));
    let asked_ms = scene.server.asked_ms();
    assert!(asked_ms[1] >= at_s * 1_000, "{asked_ms:?}");
}

#[tokio::test]
async fn no_server_makes_us_wait_longer_than_configured() {
    for asked in ["86400", "Fri, 31 Dec 9999 23:59:59 GMT", "soon", "-1"] {
        let scene = Scene::start(FakeInflux::default()).await;
        scene.server.will(&[Mood::Answers(429, Some(asked.into()), BUSY)]);
        scene.push(&good(3));
        scene.drained().await;
        assert_eq!(scene.counts(), (3, 0, 1), "{asked}");
    }
}

#[tokio::test]
async fn bad_lines_are_dropped_and_no_others() {
    // InfluxDB keeps the good lines of a request that it answers with 400 "partial write", or none; a 422 tells of points
    // that are older than the bucket keeps them.
    for (status, is_partial) in [(400, false), (400, true), (422, true), (422, false)] {
        let scene = Scene::start(FakeInflux::refusing(status, is_partial)).await;
        let bad = |i| [0, 17, 18, 39].contains(&i);
        let lines: String = (0..40).map(|i| format!("{} value={i}\n", if bad(i) { "bad" } else { "r" })).collect();
        let rest = good(2);
        scene.push(&lines);
        scene.push(&rest);
        scene.drained().await;
        let expected: Vec<_> = lines.lines().chain(rest.lines()).filter(|line| !line.starts_with("bad")).collect();
        assert_eq!(scene.server.stored(), expected, "{status}: all others, once each and in order");
        assert_eq!(scene.counts(), (38, 4, 0), "{status}");
        let rejection = scene.progress.status().rejection.unwrap();
        assert!(rejection.contains(&status.to_string()), "{rejection}");
        assert_eq!(scene.progress.status().phase, Phase::Up);
        let n_requests = scene.server.n_requests();
        assert!(n_requests <= 36, "{n_requests} requests to find four of 42");
    }
}

#[tokio::test]
async fn what_is_not_the_lines_fault_keeps_the_lines_and_is_said_plainly() {
    let unauthorized = r#"{"code":"unauthorized","message":"unauthorized access"}"#;
    let site = "<html>welcome</html>";
    for (status, body, said) in [
        (401, unauthorized, "answered 401: the server does not accept the token"),
        (403, r#"{"code":"forbidden","message":"insufficient permissions"}"#, "answered 403: the token may not write"),
        (404, r#"{"code":"not found","message":"bucket not found"}"#, "answered 404: there is no such bucket"),
        (302, "", "answered 302: redirects are not followed"),
        // Neither a web site's refusal nor its welcome is a verdict on lines; nor is a JSON of another kind.
        (400, site, "answered 400"),
        (422, "[]", "answered 422"),
        (200, site, "answered 200"),
        (202, "{}", "answered 202"),
    ] {
        let scene = Scene::start(FakeInflux::default()).await;
        let mood = Mood::Answers(status, None, body);
        scene.server.will(&[mood.clone(), mood]);
        scene.push(&good(2));
        until("it is seen as refused", || scene.progress.status().phase == Phase::Refused).await;
        let reason = scene.progress.status().reason.unwrap();
        assert!(reason.starts_with(said) && !reason.contains(TOKEN), "{reason}");
        assert!(!scene.spool.is_empty());
        scene.drained().await;
        assert_eq!(scene.server.stored(), good(2).lines().collect::<Vec<_>>());
        assert_eq!(scene.counts(), (2, 0, 2), "{status}");
    }
}

#[tokio::test]
async fn an_answer_that_drips_or_breaks_off_is_no_verdict() {
    for mood in [Mood::Drips, Mood::BreaksOff] {
        let scene = Scene::start(FakeInflux::default()).await;
        scene.server.will(std::slice::from_ref(&mood));
        scene.push(&good(3));
        until("it is seen as retrying", || scene.progress.status().phase == Phase::Retrying).await;
        scene.drained().await;
        assert_eq!(scene.server.stored(), good(3).lines().collect::<Vec<_>>(), "{mood:?}");
        assert_eq!(scene.counts(), (3, 0, 1), "{mood:?}");
    }
}

#[tokio::test]
async fn a_connection_that_is_reset_while_lines_are_sent_costs_none() {
    // In front of the server: the first connection is reset after some bytes, as by a server that is killed.
    let scene = Scene::start(FakeInflux::default()).await;
    let upstream = scene.address();
    let front = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = front.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut first, _) = front.accept().await.unwrap();
        first.read_exact(&mut [0; 1_000]).await.unwrap();
        // Closed with bytes unread: that is a reset.
        drop(first);
        while let Ok((mut near, _)) = front.accept().await {
            let mut far = tokio::net::TcpStream::connect(&upstream).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
        }
    });
    let lines = good(1_000);
    let broken = scene.beside(|series| series.url = format!("http://{address}"));
    broken.push(&lines);
    broken.drained().await;
    assert_eq!(broken.server.stored(), lines.lines().collect::<Vec<_>>());
    assert_eq!(broken.counts(), (1_000, 0, 1));
}

#[tokio::test]
async fn a_server_behind_a_path_is_written_to_there() {
    let scene = Scene::start_with(FakeInflux::default(), |series| series.url.push_str("/behind/a/proxy/")).await;
    scene.push(&good(1));
    scene.drained().await;
    assert_eq!(scene.counts(), (1, 0, 0));
}

#[tokio::test]
async fn what_was_evicted_while_it_waited_is_not_written_after_all() {
    let scene = Scene::start(FakeInflux::default()).await;
    scene.server.will(&[Mood::Answers(503, None, BUSY)]);
    scene.push("old value=1 1\n");
    until("the server was asked", || scene.progress.n_retries() == 1).await;
    scene.spool.evict_oldest();
    scene.push("new value=1 2\n");
    scene.drained().await;
    assert_eq!(scene.server.stored(), ["new value=1 2"]);
    assert_eq!(scene.counts(), (1, 0, 1));
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_halved_and_later_ones_start_smaller() {
    let scene = Scene::start(FakeInflux::taking_at_most(200)).await;
    scene.push(&good(40));
    scene.drained().await;
    assert_eq!(scene.server.stored(), good(40).lines().collect::<Vec<_>>(), "halved, and still in order");
    assert_eq!(scene.counts(), (40, 0, 0));
    let n_first = scene.server.n_requests();
    scene.push(&good(40));
    scene.drained().await;
    assert_eq!((scene.progress.n_written(), scene.progress.n_rejected()), (80, 0));
    let n_second = scene.server.n_requests() - n_first;
    assert!(n_second < n_first, "{n_second} requests after {n_first}: the limit was not remembered");
}

#[tokio::test]
async fn a_single_line_that_is_too_large_does_not_block_the_rest() {
    let scene = Scene::start(FakeInflux::taking_at_most(200)).await;
    let rest = "reading,source=after value=1 9\n";
    scene.push(&format!("{}{}\n{rest}", good(2), "x".repeat(300)));
    scene.drained().await;
    let expected = good(2) + rest;
    assert_eq!(scene.server.stored(), expected.lines().collect::<Vec<_>>());
    assert_eq!(scene.counts(), (3, 1, 0));
    assert!(scene.progress.status().rejection.unwrap().contains("413"));
}

#[tokio::test]
async fn rows_larger_than_a_batch_are_sent_in_batches_of_whole_lines() {
    let scene = Scene::start_with(FakeInflux::taking_at_most(300), |series| series.batch_bytes_max = Bytes(300)).await;
    scene.push(&good(100));
    scene.drained().await;
    assert_eq!((scene.progress.n_written(), scene.progress.n_rejected()), (100, 0));
}

#[tokio::test]
async fn a_store_that_fails_is_visible_and_work_goes_on_after_it() {
    let scene = Scene::start(FakeInflux::default()).await;
    scene.spool.broken.store(true, Ordering::SeqCst);
    scene.push(&good(1));
    until("the store's fault is seen", || scene.progress.status().phase == Phase::StoreFault).await;
    assert_eq!(scene.progress.status().reason.as_deref(), Some("disk is gone"));
    scene.spool.broken.store(false, Ordering::SeqCst);
    scene.drained().await;
    assert_eq!(scene.progress.n_written(), 1);
}

#[tokio::test]
async fn lines_that_were_not_acknowledged_are_written_again_after_a_restart() {
    let mut scene = Scene::start(FakeInflux::default()).await;
    scene.server.will(&[Mood::Hangs]);
    scene.push(&good(2));
    until("the request is under way", || scene.server.n_requests() == 1).await;
    scene.restart();
    scene.drained().await;
    assert_eq!(scene.server.stored().len(), 2);
    assert_eq!(scene.progress.n_written(), 2);
}

#[tokio::test]
async fn what_is_wrong_is_told_when_it_begins_and_when_it_is_over() {
    let scene = Scene::start_with(FakeInflux::default(), |series| series.retry_max = Span::from_ms(2_000)).await;
    let (troubles, mut told) = mpsc::channel(4);
    let (spool, progress) = (scene.spool.clone(), scene.progress.clone());
    tokio::spawn(Watchman::new(spool, progress, troubles).run(CancellationToken::new()));
    let mut next = async || {
        let trouble: Trouble = within("a trouble", told.recv()).await.unwrap();
        (trouble.kind, trouble.is_on, trouble.why.text)
    };
    let (down, lost) = (TroubleKind::SeriesDown, TroubleKind::ReadingsLost);
    // Nothing is known of the server yet; what an earlier process lost is over.
    assert_eq!(next().await, (lost, false, String::new()));
    let loss = |is_over| Some(SpoolLoss { n_lines: 3, since_ms: 1_767_225_600_012, is_over });
    *scene.spool.loss.lock().unwrap() = loss(false);
    let said = "the spool is full: 3 of the oldest readings lost since 2026-01-01T00:00:00.012Z, and more may follow";
    assert_eq!(next().await, (lost, true, said.to_owned()));
    scene.server.will(&[Mood::Answers(401, None, ""), Mood::Answers(503, None, "")]);
    scene.push(&good(1));
    let (kind, is_on, text) = next().await;
    assert_eq!((kind, is_on), (down, true));
    assert!(text.starts_with("the series database takes no readings: answered "), "{text}");
    assert_eq!(next().await, (down, false, "the series database takes readings".to_owned()));
    *scene.spool.loss.lock().unwrap() = loss(true);
    let said = "the spool has room again: 3 of the oldest readings were lost since 2026-01-01T00:00:00.012Z";
    assert_eq!(next().await, (lost, false, said.to_owned()));
    until("it is forgotten", || scene.spool.loss.lock().unwrap().is_none()).await;
}
