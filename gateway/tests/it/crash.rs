//! Crash equivalence with the real program and a real Mosquitto: a recorded day played with kill -9 at any instants
//! leaves exactly the alerts and tickets of an undisturbed run over the same messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use outpost::config::MqttVersion;
use outpost::ingest::mqtt::Publisher;
use outpost::telemetry::clock::now_ms;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::day::{DAY_MS, Post, Random, config, day};
use crate::support::ledger::{assert_same, gathered_in, left_in};
use crate::support::mosquitto::Mosquitto;
use crate::support::program::Program;
use crate::support::relay::Relay;
use crate::support::{session, within};

/// Set to the number that a failed run printed, to kill at the same places again.
const SEED_VARIABLE: &str = "OUTPOST_CRASH_SEED";

const FEEDS: [&str; 6] = ["machine", "office", "buses", "thermal", "pumps", "end"];

#[tokio::test(flavor = "multi_thread")]
async fn twenty_five_kills_in_a_day_change_nothing_over_mqtt_5() {
    live_through("5", 25, &[1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_kills_in_a_day_change_nothing_over_mqtt_3_1_1() {
    live_through("3.1.1", 8, &[1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_do_kills_between_which_it_is_sharded_otherwise() {
    live_through("5", 9, &[3, 2, 2, 1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_do_kills_amid_storms_and_inhibits() {
    // A window longer than the run: by the gateway's clock, by which no two runs agree, nothing ends in it.
    let gathering = |text: String| {
        let inhibits = "inhibits = [{ when = \"machine-hot\" }, { when = \"cabinet-hot\", mutes = [\"office/#\"] }]";
        let storm = format!("storm = {{ n = 4, within = \"20h\" }}\n{inhibits}");
        text.replace("storm = { n = 10000, within = \"1s\" }", &storm)
    };
    let (calm, mut killed, (mosquitto, _relay)) = days("5", 9, &[1], gathering).await;
    let (wanted, got) = (gathered_in(&calm.data()), gathered_in(&killed.data()));
    let amid = |what: &str| wanted.lines.iter().filter(|line| line.contains(what)).count();
    assert!(amid("Some(On)") >= 3 && amid("muted to its end") + amid("\"withheld\"") > 0, "{:#?}", wanted.lines);
    assert_same(&wanted, &got);
    nothing_is_left_at_the_broker(&mut killed, &mosquitto).await;
}

/// `shards`: how many the pipeline has, from start to start.
async fn live_through(version: &str, n_kills: usize, shards: &[usize]) {
    let (calm, mut killed, (mosquitto, _relay)) = days(version, n_kills, shards, |text| text).await;
    let (wanted, got) = (left_in(&calm.data()), left_in(&killed.data()));
    println!("{} alerts, {} of them cleared", wanted.n_alerts, wanted.n_cleared);
    assert!(wanted.n_alerts > 30 && wanted.n_cleared > 30, "the day is too quiet to show anything");
    if shards == [1] {
        assert_same(&wanted, &got);
    } else {
        assert_same(&wanted.unnumbered(), &got.unnumbered());
    }
    nothing_is_left_at_the_broker(&mut killed, &mosquitto).await;
}

/// A gateway that nobody disturbed over a day, and one that was killed now and then; both stopped.
async fn days(
    version: &str,
    n_kills: usize,
    shards: &[usize],
    configured: impl Fn(String) -> String,
) -> (Program, Program, (Mosquitto, Relay)) {
    let seed = match std::env::var(SEED_VARIABLE) {
        Ok(text) => text.parse().unwrap(),
        Err(_) => now_ms().unsigned_abs(),
    };
    println!("MQTT {version}, {n_kills} kills, {SEED_VARIABLE}={seed}");
    let mosquitto = Mosquitto::start().await;
    let relay = Relay::start(mosquitto.port()).await;
    let mut calm = Program::new(&configured(config(mosquitto.port(), "calm", version)));
    let pipeline = |n: usize| format!("[pipeline]\nshards = {n}\n");
    let mut killed = Program::new(&(pipeline(shards[0]) + &configured(config(relay.port(), "killed", version))));
    calm.start_ready().await;
    killed.start_ready().await;

    let mut devices = Devices::start(&mosquitto, day(now_ms() - DAY_MS));
    let done = kill_now_and_then(&mut killed, &relay, &mut devices, n_kills, shards, seed).await;
    devices.finish().await;
    assert!(done >= n_kills, "killed only {done} times");

    for gateway in [&calm, &killed] {
        day_is_over(gateway).await;
    }
    for gateway in [&mut calm, &mut killed] {
        assert_eq!(gateway.terminate().await.code(), Some(0), "{}", gateway.log());
    }
    (calm, killed, (mosquitto, relay))
}

/// What goes wrong just before a kill.
#[derive(Debug, Clone, Copy)]
enum Before {
    Nothing,
    /// The broker never hears of acknowledgements: what was committed comes again.
    AcknowledgementsLost,
    /// Commits wait for the disk: what came in must not have been acknowledged.
    DiskHangs,
    /// The process has only just started.
    Start,
}

/// Kills and starts again while the devices go on; returns how often it killed.
async fn kill_now_and_then(
    gateway: &mut Program,
    relay: &Relay,
    devices: &mut Devices,
    n_kills: usize,
    shards: &[usize],
    seed: u64,
) -> usize {
    let mut random = Random::new(seed);
    let mut places: Vec<usize> =
        (0..n_kills).map(|_| 20 + random.below(devices.n_posts as u64 - 40) as usize).collect();
    places.sort_unstable();
    let kinds = [Before::Nothing, Before::AcknowledgementsLost, Before::DiskHangs, Before::Start];
    let restarts = kinds.into_iter().cycle().zip(shards.iter().zip(shards.iter().cycle().skip(1)).cycle());
    for (place, (kind, (old, new))) in places.into_iter().zip(restarts) {
        devices.allow(place);
        devices.reach(place).await;
        relay.mute(matches!(kind, Before::AcknowledgementsLost));
        let hang = matches!(kind, Before::DiskHangs).then(|| gateway.hang_commits());
        if matches!(kind, Before::Start) {
            gateway.kill();
            gateway.spawn();
        }
        let (meanwhile, away) = (random.below(60) as usize, random.below(60) as usize);
        devices.allow(place + meanwhile);
        if !matches!(kind, Before::Nothing) {
            devices.reach(place + meanwhile).await;
        }
        tokio::time::sleep(Duration::from_millis(random.below(if matches!(kind, Before::Start) { 80 } else { 25 })))
            .await;
        gateway.kill();
        relay.mute(false);
        drop(hang);
        devices.allow(place + meanwhile + away);
        gateway.rewrite(|text| text.replace(&format!("shards = {old}\n"), &format!("shards = {new}\n")));
        gateway.start().await;
    }
    gateway.n_kills()
}

async fn day_is_over(gateway: &Program) {
    let over = async || {
        let alerts = gateway.json("/api/v1/alerts?state=open&limit=1000").await;
        alerts["alerts"].as_array().unwrap().iter().any(|alert| alert["rule"] == "day-is-over")
    };
    gateway.eventually("the last message of the day", over).await;
}

/// Nothing comes again after a clean stop: everything had been acknowledged.
async fn nothing_is_left_at_the_broker(gateway: &mut Program, mosquitto: &Mosquitto) {
    gateway.start_ready().await;
    let devices = Devices::start(mosquitto, vec![Post { topic: "day/end/again".into(), payload: "1".into() }]);
    devices.finish().await;
    let heard = async || gateway.json("/api/v1/alerts?state=open").await.to_string().contains("end/again");
    gateway.eventually("a message after the restart", heard).await;
    for feed in FEEDS {
        let received = gateway.metric("outpost_messages_received_total", &format!("feed=\"{feed}\"")).await;
        assert_eq!(received, u64::from(feed == "end"), "{feed} after a clean stop");
    }
}

/// Publishes with quality of service 1, each message after the broker has confirmed the one before.
struct Devices {
    n_posts: usize,
    n_published: Arc<AtomicUsize>,
    allowed: watch::Sender<usize>,
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Devices {
    fn start(mosquitto: &Mosquitto, posts: Vec<Post>) -> Devices {
        let stop = CancellationToken::new();
        let broker = session::broker(mosquitto.port(), MqttVersion::V5);
        let publisher = Publisher::start(&broker, "devices", stop.clone());
        let (n_posts, n_published) = (posts.len(), Arc::new(AtomicUsize::new(0)));
        let (allowed, mut may) = watch::channel(0);
        let counted = n_published.clone();
        let task = tokio::spawn(async move {
            for (number, post) in posts.into_iter().enumerate() {
                may.wait_for(|allowed| *allowed > number).await.unwrap();
                publisher.publish(&post.topic, post.payload).await.unwrap();
                counted.store(number + 1, Ordering::SeqCst);
            }
            publisher.stopped().await;
        });
        Devices { n_posts, n_published, allowed, task, stop }
    }

    fn allow(&self, n: usize) {
        self.allowed.send_modify(|allowed| *allowed = n.max(*allowed));
    }

    async fn reach(&self, n: usize) {
        let n = n.min(self.n_posts);
        within("messages to go out", async {
            while self.n_published.load(Ordering::SeqCst) < n {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
    }

    /// Sends the rest and the end of the day.
    async fn finish(self) {
        self.allow(self.n_posts);
        self.reach(self.n_posts).await;
        self.stop.cancel();
        self.task.await.unwrap();
    }
}
