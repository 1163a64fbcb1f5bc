//! Drains the outbox for one receiver. Knows nothing of how a letter is sent, or of SQL.
//!
//! One letter at a time. After three failures in a row the receiver counts as failing: then one attempt is made per
//! back-off, or sooner where something new is to be told or something old has its last attempt, but not more often
//! than each second; the first acknowledgement ends that, and what waits goes out at full speed. What the policy and the order decide is said there.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::composer::{Composer, Told};
use super::order::Order;
use super::policy::{Policy, Verdict};
use super::{Fault, Letter, Notifier, Progress, cloudevent};
use crate::config;
use crate::ingest::backoff::Backoff;
use crate::nouns::{Delivery, Outbox, StoreFault};
use crate::telemetry::clock;
use crate::telemetry::metrics::ReceiverMetrics;

/// Deliveries taken from the outbox at once.
const DUE_MAX: usize = 256;
/// Least time between two looks into the outbox, unless more was due than one look takes: under load, what several
/// commits put there is one look and one write. What comes alone is sent at once.
const LOOK_SPACING: Duration = Duration::from_millis(20);
/// Acknowledgements are written together, at the latest with the one that comes so long after the first. After a crash,
/// those not yet written are sent again with the same key.
const ACKNOWLEDGED_AGE_MAX: Duration = Duration::from_millis(100);
/// Deliveries looked at after a restart, to find the tickets that fail.
const RESTORED_MAX: usize = 4096;
/// An idle worker looks anyway: the clock may have been set, and a lost wake-up must strand nothing.
const IDLE_RECHECK: Duration = Duration::from_secs(30);
/// A failing receiver is not asked more often than this, whatever there is to tell.
const FAILING_GAP: Duration = Duration::from_secs(1);

pub struct Worker {
    receiver: Arc<str>,
    source: String,
    composer: Composer,
    notifier: Notifier,
    outbox: Arc<dyn Outbox>,
    wake: Arc<Notify>,
    policy: Policy,
    order: Order,
    progress: Arc<Progress>,
    /// Rows that the receiver has, which the store does not know yet.
    acknowledged: Vec<i64>,
    /// When the first of them was acknowledged.
    acknowledged_at: Instant,
    /// Not before this is the outbox looked into again.
    next_look: Instant,
    /// Between attempts while the receiver is failing.
    pause: Backoff,
    /// Between calls while the store is failing.
    store_pause: Backoff,
}

impl Worker {
    /// `wake` belongs to this worker alone and is told (`notify_one`) after each commit that put deliveries to this
    /// receiver into the outbox.
    pub fn new(
        district: &config::District,
        receiver: &config::Receiver,
        notifier: Notifier,
        (outbox, tickets): (Arc<dyn Outbox>, Arc<dyn Told>),
        wake: Arc<Notify>,
        metrics: ReceiverMetrics,
    ) -> Self {
        let id: Arc<str> = receiver.id.as_str().into();
        let mut seed = DefaultHasher::new();
        id.hash(&mut seed);
        let pause = Backoff::new(receiver.retry_max.duration(), seed.finish());
        Worker {
            source: cloudevent::source(&district.id),
            composer: Composer::new(receiver.to.body(), district, tickets),
            notifier,
            outbox,
            wake,
            policy: Policy::new(receiver),
            order: Order::default(),
            progress: Arc::new(Progress::new(id.clone(), metrics)),
            acknowledged: Vec::new(),
            acknowledged_at: Instant::now(),
            next_look: Instant::now(),
            store_pause: pause.clone(),
            pause,
            receiver: id,
        }
    }

    pub fn progress(&self) -> Arc<Progress> {
        self.progress.clone()
    }

    /// Works until `stop`. An attempt under way is abandoned then, and made again after the restart with the same key.
    pub async fn run(mut self, stop: CancellationToken) {
        stop.run_until_cancelled(self.work()).await;
        if !self.acknowledged.is_empty() {
            let rows = std::mem::take(&mut self.acknowledged);
            // Where the store fails now, they are sent again after the restart.
            let _ = self.ask(move |outbox| outbox.done(&rows)).await;
        }
    }

    async fn work(&mut self) {
        self.restore_order().await;
        loop {
            match self.run_once().await {
                Ok(()) => self.store_pause.reset(),
                Err(fault) => self.wait_for_store(&fault).await,
            }
        }
    }

    async fn restore_order(&mut self) {
        let receiver = self.receiver.clone();
        let until_ms = clock::now_ms().saturating_add(millis(self.policy.retry_max));
        let waiting = self.persist(move |outbox| outbox.due(&receiver, i64::MAX, RESTORED_MAX)).await;
        self.order = Order::restore(&waiting, until_ms);
    }

    /// Waits until something is due, or sends what is.
    async fn run_once(&mut self) -> Result<(), StoreFault> {
        sleep_until(self.next_look).await;
        let receiver = self.receiver.clone();
        let now_ms = clock::now_ms();
        let mut due = self.ask(move |outbox| outbox.due(&receiver, now_ms, DUE_MAX)).await?;
        self.progress.store_answers();
        if due.is_empty() {
            return self.wait_for_due(now_ms).await;
        }
        if due.len() < DUE_MAX {
            self.next_look = Instant::now() + LOOK_SPACING;
        }
        self.order.arrange(&mut due);
        let overdue_row = self.oldest_overdue(&due, now_ms);
        let was_failing = self.progress.is_failing();
        if was_failing {
            let first_row = due[0].row;
            due.retain(|delivery| delivery.row == first_row || Some(delivery.row) == overdue_row);
        }
        let mut n_attempts = 0;
        for delivery in due {
            // Judged by the time of the query: a delivery that became due since is not in this batch, and none of its
            // ticket may slip past it.
            if let Some(until_ms) = self.order.held_until(&delivery, now_ms) {
                self.defer(&delivery, until_ms).await;
                continue;
            }
            self.deliver(&delivery).await;
            n_attempts += 1;
            if self.progress.is_failing() && !was_failing {
                break;
            }
        }
        self.write_acknowledged().await;
        if n_attempts > 0 && self.progress.is_failing() {
            let rest_max = if overdue_row.is_some() { FAILING_GAP } else { Duration::MAX };
            self.rest(rest_max).await;
        }
        Ok(())
    }

    /// While a receiver fails, what is new goes first; the one whose time is over has its last attempt beside it, so that
    /// a receiver that is dead for good does not fill the outbox for ever.
    fn oldest_overdue(&self, due: &[Delivery], now_ms: i64) -> Option<i64> {
        due.iter().filter(|delivery| self.policy.is_overdue(delivery, now_ms)).map(|delivery| delivery.row).min()
    }

    async fn deliver(&mut self, delivery: &Delivery) {
        let row = delivery.row;
        match self.attempt(delivery).await {
            Ok(()) => {
                // Counted when acknowledged, as the receiver counts; the store may take its time to forget it.
                self.progress.delivered();
                if self.acknowledged.is_empty() {
                    self.acknowledged_at = Instant::now();
                }
                self.acknowledged.push(row);
                if self.acknowledged_at.elapsed() > ACKNOWLEDGED_AGE_MAX {
                    self.write_acknowledged().await;
                }
                self.order.release(delivery);
                self.pause.reset();
            }
            Err(fault) => {
                self.write_acknowledged().await;
                match self.policy.after(delivery, &fault, clock::now_ms()) {
                    Verdict::RetryAt(next_ms) => {
                        let text = fault.text.clone();
                        self.persist(move |outbox| outbox.retry(row, next_ms, &text)).await;
                        self.order.hold(delivery, next_ms);
                        self.progress.retried();
                    }
                    Verdict::GiveUp => self.give_up(delivery, &fault.text).await,
                }
                self.progress.failed(&fault);
            }
        }
    }

    async fn write_acknowledged(&mut self) {
        if self.acknowledged.is_empty() {
            return;
        }
        let rows: Arc<[i64]> = self.acknowledged.as_slice().into();
        self.persist(move |outbox| outbox.done(&rows)).await;
        self.acknowledged.clear();
        self.progress.up();
    }

    /// What there is not to tell has arrived.
    async fn attempt(&self, delivery: &Delivery) -> Result<(), Fault> {
        let (composer, what) = (self.composer.clone(), delivery.clone());
        let composed = tokio::task::spawn_blocking(move || composer.compose(&what)).await;
        let composed = composed.map_err(|broken| Fault::refused(format!("cannot be told: {broken}")))??;
        let Some(body) = composed else { return Ok(()) };
        let letter = Letter {
            key: delivery.key.clone(),
            body: Bytes::from(body),
            content_type: self.composer.content_type(),
            kind: delivery.kind.clone(),
            source: self.source.clone(),
            data: delivery.data.clone(),
            sent_ms: clock::now_ms(),
        };
        self.notifier.send(&letter).await
    }

    /// Back into the outbox until the earlier delivery of its ticket has had its next attempt. Left in place, such
    /// deliveries would fill the window of those due.
    async fn defer(&mut self, delivery: &Delivery, until_ms: i64) {
        let row = delivery.row;
        self.persist(move |outbox| outbox.retry(row, until_ms, "waits for an earlier entry of its ticket")).await;
    }

    async fn give_up(&mut self, delivery: &Delivery, error: &str) {
        let (row, text) = (delivery.row, error.to_owned());
        self.persist(move |outbox| outbox.give_up(row, &text)).await;
        self.order.release(delivery);
        self.progress.given_up();
        tracing::error!(receiver = %self.receiver, key = %delivery.key, %error, "delivery given up");
    }

    async fn wait_for_due(&self, now_ms: i64) -> Result<(), StoreFault> {
        let receiver = self.receiver.clone();
        let next_due_ms = self.ask(move |outbox| outbox.next_due_ms(&receiver)).await?;
        let wait = next_due_ms.map_or(IDLE_RECHECK, |due_ms| {
            Duration::from_millis(due_ms.saturating_sub(now_ms).max(1).unsigned_abs()).min(IDLE_RECHECK)
        });
        // Whichever comes first is a reason to look.
        let _ = timeout(wait, self.wake.notified()).await;
        Ok(())
    }

    async fn rest(&mut self, rest_max: Duration) {
        let wait = self.pause.next_delay().min(rest_max);
        sleep(wait.min(FAILING_GAP)).await;
        let _ = timeout(wait.saturating_sub(FAILING_GAP), self.wake.notified()).await;
    }

    async fn ask<T: Send + 'static>(
        &self,
        call: impl FnOnce(&dyn Outbox) -> Result<T, StoreFault> + Send + 'static,
    ) -> Result<T, StoreFault> {
        let outbox = self.outbox.clone();
        // The store reads and syncs a disk: off the threads that serve sockets.
        match tokio::task::spawn_blocking(move || call(&*outbox)).await {
            Ok(answer) => answer,
            Err(broken) => Err(StoreFault(format!("store call broke: {broken}"))),
        }
    }

    /// What the store must know before anything else is sent: else the same letter would go out again at once.
    async fn persist<T: Send + 'static>(
        &mut self,
        call: impl Fn(&dyn Outbox) -> Result<T, StoreFault> + Clone + Send + 'static,
    ) -> T {
        loop {
            match self.ask(call.clone()).await {
                Ok(answer) => return answer,
                Err(fault) => self.wait_for_store(&fault).await,
            }
        }
    }

    async fn wait_for_store(&mut self, fault: &StoreFault) {
        self.progress.store_fault(fault.to_string());
        sleep(self.store_pause.next_delay()).await;
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
