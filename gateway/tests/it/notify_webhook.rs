//! Deliveries to a webhook: a real HTTP server on a free port, which verifies what it gets by its own arithmetic and
//! has moods.

use std::collections::{HashMap, VecDeque};
use std::io::Write as _;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outpost::config::{self, District, Hears, Receiver, Secret, Severity, Span, Target};
use outpost::notify::{Notifier, Phase, Progress, Worker};
use outpost::telemetry::clock;
use outpost::telemetry::metrics::ReceiverMetrics;
use sha2::{Digest, Sha256};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::support_out::{MemoryOutbox, eventually, until};

#[derive(Debug, Clone, Copy)]
enum Mood {
    Fail,
    Hang,
    Gone,
    Redirect,
    /// A failure whose body never ends.
    Babble,
    /// A refusal that repeats the address it was asked at.
    Repeat,
}

#[derive(Debug, Clone)]
struct Got {
    key: String,
    headers: HeaderMap,
    body: Bytes,
}

/// Acknowledges everything, but for moods: used up one by one, or kept for a key.
#[derive(Default)]
struct Centre {
    got: Mutex<Vec<Got>>,
    moods: Mutex<VecDeque<Mood>>,
    moods_by_key: Mutex<HashMap<String, Mood>>,
}

impl Centre {
    fn keys(&self) -> Vec<String> {
        self.got.lock().unwrap().iter().map(|got| got.key.clone()).collect()
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    fn will(&self, moods: &[Mood]) {
        self.moods.lock().unwrap().extend(moods);
    }

    fn will_always(&self, key: &str, mood: Option<Mood>) {
        let mut moods = self.moods_by_key.lock().unwrap();
        match mood {
            Some(mood) => moods.insert(key.into(), mood),
            None => moods.remove(key),
        };
    }
}

async fn receive(State(centre): State<Arc<Centre>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    let mood = centre.moods_by_key.lock().unwrap().get(&key).copied();
    let mood = mood.or_else(|| centre.moods.lock().unwrap().pop_front());
    centre.got.lock().unwrap().push(Got { key, headers, body });
    match mood {
        None => (StatusCode::ACCEPTED, "thank you").into_response(),
        Some(Mood::Fail) => (StatusCode::INTERNAL_SERVER_ERROR, "out\nof\nmemory").into_response(),
        Some(Mood::Hang) => std::future::pending().await,
        Some(Mood::Gone) => (StatusCode::GONE, "moved away").into_response(),
        Some(Mood::Redirect) => (StatusCode::TEMPORARY_REDIRECT, [("location", "/elsewhere")]).into_response(),
        Some(Mood::Babble) => {
            let endless = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 1 << 16])));
            (StatusCode::BAD_GATEWAY, Body::from_stream(endless)).into_response()
        }
        Some(Mood::Repeat) => (StatusCode::NOT_FOUND, format!("nothing at {uri}")).into_response(),
    }
}

struct Scene {
    centre: Arc<Centre>,
    outbox: Arc<MemoryOutbox>,
    wake: Arc<Notify>,
    receiver: Receiver,
    progress: Arc<Progress>,
    stop: CancellationToken,
    _secret: tempfile::NamedTempFile,
}

impl Scene {
    async fn start() -> Scene {
        Scene::start_with(|_| {}).await
    }

    async fn start_with(configure: impl FnOnce(&mut Receiver)) -> Scene {
        let centre = Arc::new(Centre::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/in", listener.local_addr().unwrap());
        let router = Router::new().fallback(any(receive)).with_state(centre.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut secret = tempfile::NamedTempFile::new().unwrap();
        writeln!(secret, "whsec_{}", STANDARD.encode([7u8; 32])).unwrap();
        let mut receiver = Receiver {
            id: "centre".into(),
            to: Target::Webhook {
                url,
                secret: Some(Secret::File(secret.path().into())),
                timeout: Span::from_ms(400),
                body: config::Body::CloudEvents,
            },
            hears: Hears::All,
            from_severity: Severity::Minor,
            centres: Vec::new(),
            categories: Vec::new(),
            quiet: Vec::new(),
            breaks_quiet_from: Severity::Extreme,
            retry_max: Span::from_ms(300),
            give_up_after: Span::from_ms(3_600_000),
        };
        configure(&mut receiver);
        let outbox = Arc::new(MemoryOutbox::default());
        let (wake, stop) = (Arc::new(Notify::new()), CancellationToken::new());
        let progress = work(&receiver, &outbox, &wake, &stop);
        Scene { centre, outbox, wake, receiver, progress, stop, _secret: secret }
    }

    /// Another process on the same outbox.
    fn restart(&mut self) {
        self.stop.cancel();
        self.stop = CancellationToken::new();
        self.progress = work(&self.receiver, &self.outbox, &self.wake, &self.stop);
    }

    fn push(&self, keys: &[&str]) {
        for key in keys {
            self.outbox.push("centre", key, clock::now_ms());
        }
        self.wake.notify_one();
    }

    async fn first_error(&self) -> String {
        eventually("a failure is on record", async || self.outbox.rows().into_iter().find_map(|row| row.error)).await
    }

    async fn drained(&self) {
        until("nothing waits in the outbox", || self.outbox.n_waiting() == 0).await;
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn work(
    receiver: &Receiver,
    outbox: &Arc<MemoryOutbox>,
    wake: &Arc<Notify>,
    stop: &CancellationToken,
) -> Arc<Progress> {
    let notifier = Notifier::new(&receiver.to, |_| None).unwrap();
    let district = District { id: "west 1".into(), ..District::default() };
    let worker = Worker::new(
        &district,
        receiver,
        notifier,
        (outbox.clone(), outbox.clone()),
        wake.clone(),
        ReceiverMetrics::default(),
    );
    let progress = worker.progress();
    tokio::spawn(worker.run(stop.clone()));
    progress
}

/// RFC 2104 by hand: not the code under test, nor its library.
fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    assert!(key.len() <= 64);
    let pad = |with: u8| (0..64).map(|i| key.get(i).copied().unwrap_or(0) ^ with).collect::<Vec<u8>>();
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

#[tokio::test]
async fn a_delivery_arrives_as_a_signed_cloudevent() {
    let scene = Scene::start().await;
    let before_s = clock::now_ms() / 1_000;
    scene.push(&["T-42/3"]);
    scene.drained().await;
    let got = &scene.centre.got()[0];
    let header = |name: &str| got.headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/cloudevents+json");
    assert_eq!((header("idempotency-key"), header("webhook-id")), ("T-42/3".into(), "T-42/3".into()));
    let timestamp_s: i64 = header("webhook-timestamp").parse().unwrap();
    assert!((before_s..=clock::now_ms() / 1_000).contains(&timestamp_s), "{timestamp_s}");
    let signed = [b"T-42/3.", timestamp_s.to_string().as_bytes(), b".", &got.body].concat();
    assert_eq!(header("webhook-signature"), format!("v1,{}", STANDARD.encode(hmac_sha256(&[7; 32], &signed))));

    let event: serde_json::Value = serde_json::from_slice(&got.body).unwrap();
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["id"], "T-42/3");
    assert_eq!(event["source"], "outpost/west%201");
    assert_eq!(event["type"], "outpost.ticket.opened");
    assert_eq!(event["datacontenttype"], "application/json");
    assert_eq!(event["data"], serde_json::json!({"key": "T-42/3", "place": "管廊"}));
    assert_eq!(scene.progress.n_delivered(), 1);
    assert_eq!(scene.progress.status().phase, Phase::Up);
}

#[tokio::test]
async fn a_receiver_that_failed_gets_the_same_letter_again() {
    for (mood, told) in [
        (Mood::Fail, "answered 500: out of memory"),
        (Mood::Hang, "timed out"),
        (Mood::Babble, "answered 502: xxx"),
        (Mood::Redirect, "answered 307: redirects are not followed"),
    ] {
        let scene = Scene::start().await;
        scene.centre.will(&[mood]);
        scene.push(&["T-1/1"]);
        let error = scene.first_error().await;
        assert!(error.starts_with(told) && error.len() <= 200, "{error}");
        scene.drained().await;
        let got = scene.centre.got();
        assert_eq!(scene.centre.keys(), ["T-1/1", "T-1/1"], "{mood:?}");
        assert_eq!(got[0].body, got[1].body, "{mood:?}");
        assert_eq!((scene.progress.n_delivered(), scene.progress.n_retried()), (1, 1), "{mood:?}");
    }
}

#[tokio::test]
async fn a_crash_before_the_acknowledgement_sends_again_with_the_same_key() {
    let mut scene = Scene::start().await;
    scene.centre.will(&[Mood::Hang]);
    scene.push(&["T-7/1"]);
    until("the receiver has it", || scene.centre.keys().len() == 1).await;
    scene.restart();
    scene.drained().await;
    assert_eq!(scene.centre.keys(), ["T-7/1", "T-7/1"]);
}

#[tokio::test]
async fn an_acknowledgement_that_could_not_be_recorded_is_not_asked_for_again_until_a_crash() {
    let mut scene = Scene::start().await;
    scene.outbox.broken.store(true, Ordering::SeqCst);
    scene.push(&["T-7/1", "T-7/2"]);
    until("the store's fault is seen", || scene.progress.status().phase == Phase::StoreFault).await;
    scene.push(&["T-7/3"]);
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert_eq!(scene.centre.keys(), ["T-7/1", "T-7/2"], "the next waits for the record of those before");
    scene.restart();
    until("the receiver has them twice", || scene.centre.keys().len() == 5).await;
    scene.outbox.broken.store(false, Ordering::SeqCst);
    scene.drained().await;
    assert_eq!(scene.centre.keys(), ["T-7/1", "T-7/2", "T-7/1", "T-7/2", "T-7/3"]);
}

#[tokio::test]
async fn deliveries_arrive_in_the_order_of_commits() {
    let scene = Scene::start().await;
    let keys: Vec<String> = (0..300).map(|i| format!("T-{}/{}", i % 7, i / 7)).collect();
    scene.push(&keys.iter().map(String::as_str).collect::<Vec<_>>());
    scene.drained().await;
    assert_eq!(scene.centre.keys(), keys);
}

#[tokio::test]
async fn a_failing_delivery_holds_its_own_ticket_and_no_other() {
    let mut scene = Scene::start().await;
    scene.centre.will_always("T-1/1", Some(Mood::Fail));
    scene.push(&["T-1/1", "T-1/2", "T-2/1", "T-2/2"]);
    until("the other ticket is through", || scene.progress.n_delivered() == 2).await;
    scene.push(&["T-3/1", "T-1/3"]);
    until("a later ticket is through", || scene.progress.n_delivered() == 3).await;
    // Neither does a restart let the ticket's later entries past.
    scene.restart();
    scene.push(&["T-4/1", "T-1/4"]);
    until("a still later ticket is through", || scene.progress.n_delivered() == 1).await;
    let keys = scene.centre.keys();
    assert!(!keys.iter().any(|key| key.starts_with("T-1/") && key != "T-1/1"), "{keys:?}");
    scene.centre.will_always("T-1/1", None);
    scene.drained().await;
    let tail: Vec<_> = scene.centre.keys().into_iter().filter(|key| key.starts_with("T-1/")).collect();
    assert!(tail.ends_with(&["T-1/1".into(), "T-1/2".into(), "T-1/3".into(), "T-1/4".into()]), "{tail:?}");
}

#[tokio::test]
async fn letters_that_a_receiver_chokes_on_do_not_starve_the_rest() {
    let scene = Scene::start().await;
    let poison: Vec<String> = (0..10).map(|i| format!("P-{i}/1")).collect();
    for (i, key) in poison.iter().enumerate() {
        scene.centre.will_always(key, Some(if i % 2 == 0 { Mood::Fail } else { Mood::Gone }));
    }
    scene.push(&poison.iter().map(String::as_str).collect::<Vec<_>>());
    until("the receiver is seen as failing", || scene.progress.status().phase == Phase::Failing).await;
    let fine: Vec<String> = (0..50).map(|i| format!("T-{i}/1")).collect();
    scene.push(&fine.iter().map(String::as_str).collect::<Vec<_>>());
    until("all others are through", || scene.progress.n_delivered() == 50).await;
    // A letter leaves the outbox after it is counted.
    until("nothing else waits, and nothing was dropped", || scene.outbox.n_waiting() == 10).await;
}

#[tokio::test]
async fn a_receiver_back_from_the_dead_gets_everything() {
    let scene = Scene::start().await;
    scene.centre.will(&[Mood::Fail; 8]);
    let keys: Vec<String> = (0..400).map(|i| format!("T-{}/{}", i / 2, i % 2)).collect();
    scene.push(&keys.iter().map(String::as_str).collect::<Vec<_>>());
    scene.drained().await;
    assert_eq!((scene.progress.n_delivered(), scene.progress.n_retried()), (400, 8));
    let arrived: Vec<_> = scene.centre.keys();
    for ticket in 0..200 {
        let last = |key: String| arrived.iter().rposition(|arrived| *arrived == key).unwrap();
        assert!(last(format!("T-{ticket}/0")) < last(format!("T-{ticket}/1")), "ticket {ticket}");
    }
}

#[tokio::test]
async fn a_refused_delivery_is_tried_until_its_time_is_over_and_then_given_up_visibly() {
    let scene = Scene::start_with(|receiver| receiver.give_up_after = Span::from_ms(800)).await;
    scene.centre.will_always("T-1/1", Some(Mood::Gone));
    scene.push(&["T-1/1", "T-1/2"]);
    until("it is given up", || scene.progress.n_given_up() == 1).await;
    until("the ticket goes on", || scene.progress.n_delivered() == 1).await;
    until("it alone is left", || scene.outbox.rows().len() == 1).await;
    let given_up = scene.outbox.rows();
    assert!(given_up[0].is_given_up);
    assert_eq!(given_up[0].error.as_deref(), Some("answered 410: moved away"));
    let n_attempts = scene.centre.keys().iter().filter(|key| *key == "T-1/1").count() as u64;
    assert!(n_attempts >= 2, "{n_attempts}");
    assert_eq!((scene.progress.n_refused(), scene.progress.n_retried()), (n_attempts, n_attempts - 1));
}

#[tokio::test]
async fn a_delivery_that_grew_old_while_we_were_off_is_sent_all_the_same() {
    let scene = Scene::start_with(|receiver| receiver.give_up_after = Span::from_ms(1_000)).await;
    scene.outbox.push("centre", "T-1/1", clock::now_ms() - 86_400_000);
    scene.wake.notify_one();
    scene.drained().await;
    assert_eq!((scene.progress.n_delivered(), scene.progress.n_given_up()), (1, 0));
}

#[tokio::test]
async fn secrets_of_the_address_are_in_no_error() {
    let scene = Scene::start_with(|receiver| {
        let Target::Webhook { url, .. } = &mut receiver.to else { panic!() };
        *url = url.replace("http://", "http://user:hunter2@") + "?token=hunter2";
    })
    .await;
    scene.centre.will(&[Mood::Repeat, Mood::Hang]);
    scene.centre.will(&[Mood::Repeat; 100]);
    scene.push(&["T-1/1"]);
    for n_errors in 1..=2 {
        until("the failure is on record", || scene.progress.n_retried() >= n_errors).await;
        let (row, status) = (scene.outbox.rows()[0].clone(), scene.progress.status());
        assert!(!format!("{row:?} {status:?}").contains("hunter2"), "{row:?} {status:?}");
    }
    assert!(scene.centre.got()[0].headers["authorization"].to_str().unwrap().starts_with("Basic "));
}

#[tokio::test]
async fn a_receiver_that_speaks_no_tls_is_a_failure_and_not_a_panic() {
    let scene = Scene::start_with(|receiver| {
        let Target::Webhook { url, .. } = &mut receiver.to else { panic!() };
        *url = url.replace("http://", "https://");
    })
    .await;
    scene.push(&["T-1/1"]);
    let error = scene.first_error().await;
    assert!(error.starts_with("cannot connect"), "{error}");
    assert!(scene.centre.keys().is_empty());
}
