//! Deliveries to an MQTT topic, over a connection that says what a broker would.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::future::BoxFuture;
use outpost::config::{Body, District, Hears, Receiver, Severity, Span, Target};
use outpost::notify::{Notifier, NotifierError, Publish, PublishError, Worker};
use outpost::telemetry::clock;
use outpost::telemetry::metrics::ReceiverMetrics;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::support_out::{MemoryOutbox, until};

/// Answers are used up one by one; without any the broker acknowledges.
#[derive(Default)]
struct Broker {
    answers: Mutex<VecDeque<PublishError>>,
    published: Mutex<Vec<(String, Bytes)>>,
}

impl Publish for Broker {
    fn publish<'a>(&'a self, topic: &'a str, payload: Bytes) -> BoxFuture<'a, Result<(), PublishError>> {
        Box::pin(async move {
            match self.answers.lock().unwrap().pop_front() {
                Some(error) => Err(error),
                None => {
                    self.published.lock().unwrap().push((topic.to_owned(), payload));
                    Ok(())
                }
            }
        })
    }
}

fn receiver() -> Receiver {
    Receiver {
        id: "lights".into(),
        to: Target::Mqtt { broker: "local".into(), topic: "district/west/tickets".into(), body: Body::CloudEvents },
        hears: Hears::All,
        from_severity: Severity::Minor,
        centres: Vec::new(),
        categories: Vec::new(),
        quiet: Vec::new(),
        breaks_quiet_from: Severity::Extreme,
        retry_max: Span::from_ms(300),
        give_up_after: Span::from_ms(3_600_000),
    }
}

#[tokio::test]
async fn a_delivery_is_published_as_a_cloudevent_once_the_broker_is_back() {
    let broker = Arc::new(Broker::default());
    let answers = [PublishError::Away("restarting".into()), PublishError::Refused("not authorised".into())];
    broker.answers.lock().unwrap().extend(answers);
    let outbox = Arc::new(MemoryOutbox::default());
    let (wake, stop) = (Arc::new(Notify::new()), CancellationToken::new());
    let receiver = receiver();
    let notifier = Notifier::new(&receiver.to, |id| (id == "local").then(|| broker.clone() as Arc<dyn Publish>));
    let district = District { id: "west".into(), ..District::default() };
    let worker = Worker::new(
        &district,
        &receiver,
        notifier.unwrap(),
        (outbox.clone(), outbox.clone()),
        wake.clone(),
        ReceiverMetrics::default(),
    );
    let progress = worker.progress();
    tokio::spawn(worker.run(stop.clone()));

    outbox.push("lights", "T-1/1", clock::now_ms());
    outbox.push("another", "T-1/1", clock::now_ms());
    wake.notify_one();
    until("only the other receiver's delivery waits", || outbox.n_waiting() == 1).await;
    assert_eq!((progress.n_delivered(), progress.n_retried(), progress.n_refused()), (1, 2, 1));
    let published = broker.published.lock().unwrap().clone();
    let [(topic, payload)] = &published[..] else { panic!("{published:?}") };
    assert_eq!(topic, "district/west/tickets");
    let event: serde_json::Value = serde_json::from_slice(payload).unwrap();
    assert_eq!((&event["id"], &event["source"]), (&"T-1/1".into(), &"outpost/west".into()));
    stop.cancel();
}

#[test]
fn a_receiver_at_an_unknown_broker_is_told_by_name() {
    let error = Notifier::new(&receiver().to, |_| None).err().unwrap();
    assert!(matches!(&error, NotifierError::Broker(broker) if broker == "local"), "{error}");
}
