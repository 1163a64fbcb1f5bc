//! Crash equivalence where devices publish to the gateway itself: a recorded day played with kill -9 at any instants leaves
//! exactly the alerts and tickets of an undisturbed run over the same messages.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use outpost::telemetry::clock::now_ms;

use crate::support::day::{DAY_MS, FEEDS_AND_RULES, Random, day};
use crate::support::ledger::{assert_same, left_in};
use crate::support::listener::{Tiny, V5, V311};
use crate::support::program::Program;
use crate::support::redeliverer::Redeliverer;

/// Set to the number that a failed run printed, to kill at the same places again.
const SEED_VARIABLE: &str = "OUTPOST_CRASH_SEED";

fn gateway() -> (Program, SocketAddr) {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let listener = format!("[[listeners]]\nid = \"b\"\nlisten = \"{address}\"\nanonymous = [\"#\"]\n{FEEDS_AND_RULES}");
    (Program::new(&listener), address)
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_change_nothing_for_a_device_that_keeps_its_session() {
    live_through(V5, true, true, 16).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_change_nothing_for_a_device_that_starts_clean() {
    live_through(V311, false, false, 12).await;
}

async fn live_through(level: u8, keeps: bool, every_other: bool, n_kills: usize) {
    let seed = std::env::var(SEED_VARIABLE).map_or(now_ms().unsigned_abs(), |text| text.parse().unwrap());
    println!("{SEED_VARIABLE}={seed}");
    let ((mut calm, calm_at), (mut killed, killed_at)) = (gateway(), gateway());
    calm.start().await;
    killed.start().await;
    let begun_ms = now_ms() - DAY_MS;
    let device = |address| Redeliverer::start(address, level, keeps, every_other, day(begun_ms));
    let calm_device = device(calm_at);
    calm_device.allow(usize::MAX);
    let killed_device = device(killed_at);
    kill_now_and_then(&mut killed, &killed_device, n_kills, seed).await;
    assert!(killed_device.n_redelivered() > n_kills, "hardly anything came again");
    killed_device.finish().await;
    calm_device.finish().await;
    // What is acknowledged is on disk: nobody needs to wait for anything.
    let (wanted, got) = (left_in(&calm.data()), left_in(&killed.data()));
    assert!(wanted.n_alerts > 30 && wanted.n_cleared > 30, "the day is too quiet to show anything");
    assert_same(&wanted, &got);
    for gateway in [&mut calm, &mut killed] {
        assert_eq!(gateway.terminate().await.code(), Some(0), "{}", gateway.log());
    }
}

async fn kill_now_and_then(gateway: &mut Program, device: &Redeliverer, n_kills: usize, seed: u64) {
    let mut random = Random::new(seed);
    let mut places: Vec<usize> =
        (0..n_kills).map(|_| 20 + random.below(device.n_posts() as u64 - 200) as usize).collect();
    places.sort_unstable();
    for (n, place) in places.into_iter().enumerate() {
        device.allow(place);
        device.sent(place).await;
        let (meanwhile, away) = (random.below(40) as usize, random.below(40) as usize);
        // Between commit and PUBACK, between receipt and commit, anywhere, and shortly after the start.
        device.deafen(n % 4 == 0);
        let hang = (n % 4 == 1).then(|| gateway.hang_commits());
        device.allow(place + meanwhile);
        if n % 4 == 3 {
            gateway.kill();
            gateway.spawn();
        }
        tokio::time::sleep(Duration::from_millis(random.below(if n % 4 == 3 { 80 } else { 25 }))).await;
        gateway.kill();
        device.deafen(false);
        drop(hang);
        device.allow(place + meanwhile + away);
        gateway.start().await;
    }
}

#[tokio::test]
async fn a_disk_that_refuses_stops_the_acknowledgements_and_nothing_else() {
    let (mut gateway, address) = gateway();
    gateway.start().await;
    let mut tiny = Tiny::connected(address, V311, "pump").await;
    tiny.publish(1, 1, "day/pump/1", "0").await;
    tiny.acknowledged(0x40, [1]).await;
    let hang = gateway.hang_commits();
    // What changes something waits for the disk, and all that comes behind it.
    tiny.publish(1, 2, "day/pump/1", "1").await;
    tiny.publish(1, 3, "day/pump/2", "1").await;
    tiny.send(&[0xc0, 0]).await;
    assert_eq!(tiny.packet().await, Some((0xd0, Vec::new())), "the ping comes before any acknowledgement");
    let waits = async || gateway.metric("outpost_listener_waiting_bytes", "listener=\"b\"").await > 0;
    gateway.eventually("messages that wait", waits).await;
    drop(hang);
    tiny.acknowledged(0x40, [2, 3]).await;
}

#[tokio::test]
async fn a_session_is_there_after_a_crash_and_repeats_are_counted() {
    let (mut gateway, address) = gateway();
    gateway.start().await;
    let hello = crate::support::listener::Hello {
        level: V5,
        client: "pump",
        keeps: true,
        properties: &[0x11, 0, 0, 0x0e, 0x10],
        ..Default::default()
    };
    let (mut tiny, connack) = Tiny::hello(address, hello.clone()).await;
    assert_eq!(connack[0], 0);
    for n in 1..=20u16 {
        tiny.publish(1, n, "day/pump/1", ["0", "1"][usize::from(n) % 2]).await;
    }
    tiny.acknowledged(0x40, 1..=20).await;
    gateway.kill();
    gateway.start().await;
    let (mut tiny, connack) = Tiny::hello(address, hello).await;
    assert_eq!(connack[0], 1, "the session is there");
    for n in 11..=20u16 {
        tiny.publish_again(1, n, "day/pump/1", ["0", "1"][usize::from(n) % 2]).await;
    }
    // Said to be sent before, and never seen; and one that is new under an old identifier.
    tiny.publish_again(1, 21, "day/pump/1", "1").await;
    tiny.publish(1, 20, "day/pump/1", "0").await;
    tiny.acknowledged(0x40, (11..=21).chain([20])).await;
    let n = async |what: &str| gateway.metric(&format!("outpost_messages_{what}_total"), "feed=\"pumps\"").await;
    assert_eq!((n("deduplicated").await, n("committed").await), (10, 2));
}
