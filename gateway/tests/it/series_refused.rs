//! A time-series server that refuses lines is asked for its buckets: what the operator is told to mend, and that nothing
//! else depends on the answer.

use futures::future::join_all;
use outpost::config::{Series, Span};

use crate::support_influx::{FakeInflux, Mood, Scene, TOKEN, good};
use crate::support_out::until;

const FORBIDDEN: &str = r#"{"code":"forbidden","message":"Token s3cret-token is not permitted"}"#;

/// The server refuses a write with `status` until an explanation is there, and takes it then.
async fn explanation(server: FakeInflux, status: u16) -> String {
    // The wait bounds the question: long enough for a busy machine.
    let patient =
        |series: &mut Series| (series.retry_max, series.timeout) = (Span::from_ms(2_000), Span::from_ms(2_000));
    let scene = Scene::start_with(server, patient).await;
    scene.server.refuses(status);
    scene.push(&good(2));
    until("it is explained", || scene.progress.status().explanation.is_some()).await;
    let explanation = scene.progress.status().explanation.unwrap();
    assert!(!scene.spool.is_empty(), "what is refused waits");
    scene.server.relent();
    scene.drained().await;
    assert_eq!(scene.server.stored(), good(2).lines().collect::<Vec<_>>());
    assert_eq!((scene.progress.n_written(), scene.progress.n_rejected()), (2, 0));
    assert_eq!(scene.progress.status().explanation, None);
    explanation
}

#[tokio::test]
async fn what_the_server_has_says_what_to_mend() {
    let many = |n: usize| (0..n).map(|i| format!("b{i}")).collect();
    let no_bucket = r#"the token sees no bucket "readings" in organisation "district""#;
    let five = r#""b0", "b1", "b2", "b3", "b4""#;
    let cases = [
        (404, vec!["raw".into(), "a\nb".into()], format!(r#"{no_bucket}: it sees "raw", "a\nb""#)),
        (403, many(7), format!("{no_bucket}: it sees {five} and 2 more")),
        // With InfluxDB's own it is as many as one answer holds.
        (404, many(99), format!("{no_bucket} among the first hundred: it sees {five} and 94 more")),
        (
            404,
            vec![],
            r#"the token sees no bucket in organisation "district": there is none, or it may not read"#.into(),
        ),
        (403, vec!["readings".into()], r#"bucket "readings" is there, but the token may not write to it"#.into()),
        (
            404,
            vec!["readings".into()],
            r#"bucket "readings" is there: does /api/v2/write reach the same server?"#.into(),
        ),
    ];
    join_all(cases.map(async |(status, buckets, expected)| {
        let server = FakeInflux::default();
        server.has_buckets(buckets);
        assert_eq!(explanation(server, status).await, expected);
    }))
    .await;
}

#[tokio::test]
async fn a_server_that_does_not_list_its_buckets_says_something_by_that() {
    let no_org = r#"{"code":"not found","message":"organization name \"district\" not found"}"#;
    let cases = [
        (Mood::Answers(401, None, FORBIDDEN), "the token may not list buckets either"),
        (Mood::Answers(403, None, FORBIDDEN), "the token may not list buckets: whether"),
        (Mood::Answers(404, None, no_org), r#"there is no organisation "district""#),
        // VictoriaMetrics' words.
        (Mood::Answers(400, None, "unsupported path requested"), "no list of buckets at this address (answered 400)"),
        (Mood::Answers(302, None, ""), "no list of buckets at this address (answered 302)"),
        (Mood::Answers(503, None, FORBIDDEN), "asked for its buckets, the server answered 503"),
        (Mood::Answers(200, None, "<html>s3cret-token</html>"), "asked for its buckets, the server answered what"),
        (Mood::Hangs, "asked for its buckets, the server did not answer in time"),
        (Mood::Drips, "asked for its buckets, the server did not answer in time"),
        (Mood::BreaksOff, "the server could not be asked for its buckets"),
    ];
    join_all(cases.map(async |(mood, expected)| {
        let server = FakeInflux::default();
        server.will_say_of_its_buckets(mood);
        let explanation = explanation(server, 401).await;
        assert!(explanation.starts_with(expected) && !explanation.contains(TOKEN), "{explanation}");
    }))
    .await;
}

#[tokio::test]
async fn a_server_that_never_says_why_is_written_to_again_all_the_same() {
    for mood in [Mood::Hangs, Mood::Drips] {
        let server = FakeInflux::default();
        server.will_say_of_its_buckets(mood);
        // Only the wait between two attempts bounds the question.
        let scene = Scene::start_with(server, |series| series.timeout = Span::from_ms(3_600_000)).await;
        scene.server.will(&[Mood::Answers(401, None, FORBIDDEN), Mood::Answers(403, None, FORBIDDEN)]);
        scene.push(&good(2));
        scene.drained().await;
        assert_eq!(scene.counts(), (2, 0, 2));
        assert!(scene.server.n_buckets_asked() > 0);
    }
}

#[tokio::test]
async fn nothing_is_asked_where_it_explains_nothing_or_is_not_that_server() {
    let scene = Scene::start(FakeInflux::default()).await;
    scene.server.will(&[302, 400, 503].map(|status| Mood::Answers(status, None, "")));
    scene.push(&good(1));
    scene.drained().await;
    // influxdb2 would ask the root of the host, which is another's.
    let behind = scene.beside(|series| series.url.push_str("/behind/a/proxy"));
    behind.server.will(&[Mood::Answers(404, None, "")]);
    behind.push(&good(1));
    behind.drained().await;
    assert_eq!(behind.counts(), (1, 0, 1));
    assert_eq!(behind.server.n_buckets_asked(), 0);
}
