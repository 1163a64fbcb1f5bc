//! The listener with a pipeline that only acknowledges: the floor under what the gateway costs devices that publish to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use outpost::config;
use outpost::ingest::Acknowledge;
use outpost::ingest::listener::Listener;
use outpost::telemetry::metrics::Metrics;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{Failure, cpu_s_of};

/// `N...`: prints `ready PORT`, and `done CPU` with the CPU-seconds of this process after each N messages.
pub async fn run(words: &[&str]) -> Result<(), Failure> {
    let counts = words.iter().map(|n| n.parse()).collect::<Result<Vec<u64>, _>>()?;
    let settings: config::Listener = toml::from_str("id = \"floor\"\nlisten = \"127.0.0.1:0\"\nanonymous = [\"#\"]\n")?;
    let (sender, mut messages) = mpsc::channel(8192);
    let (metrics, stop) = (Metrics::new(), CancellationToken::new());
    let counters = metrics.listeners.of("floor");
    let listener = Listener::start(&settings, Vec::new(), sender, counters, stop.clone()).await?;
    println!("ready {}", listener.address().port());
    let (acks, n_acknowledged) = (listener.acks(), Arc::new(AtomicU64::new(0)));
    let counted = n_acknowledged.clone();
    std::thread::spawn(move || {
        let (mut batch, mut receipts) = (Vec::new(), Vec::new());
        while messages.blocking_recv_many(&mut batch, 1024) > 0 {
            receipts.extend(batch.drain(..).map(|message| message.receipt));
            acks.acknowledge(&receipts);
            counted.fetch_add(receipts.len() as u64, Ordering::Relaxed);
            receipts.clear();
        }
    });
    let mut due = 0;
    for n in counts {
        let begun_s = cpu_s_of("self")?;
        due += n;
        while n_acknowledged.load(Ordering::Relaxed) < due {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        println!("done {:.2}", cpu_s_of("self")? - begun_s);
    }
    stop.cancel();
    listener.stopped().await;
    Ok(())
}
