//! From publish to committed ticket: `PORT FOLDER FIRST N RATE PERIOD`.
//!
//! Publishes N messages of the sensor job from message FIRST on, open loop: the nth is due at n / RATE, whether or not the ones before are through, and
//! its latency counts from when it was due. Meanwhile the gateway's database in FOLDER is read every `LOOK`: a ticket
//! has been committed when a reader of the database sees it. Publisher and reader share this process and its clock, so
//! a figure is at most `LOOK` and a query too high. One line of JSON.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use outpost::store::Reader;
use outpost::telemetry::clock;

use crate::job::{Job, Shown};
use crate::{Failure, mqtt};

const LOOK: Duration = Duration::from_micros(500);
const TICK: Duration = Duration::from_micros(500);
/// Tickets that have not come by this long after the last message are lost.
const PATIENCE: Duration = Duration::from_secs(20);

/// Crossings that were published and not yet looked for.
const CROSSINGS_MAX: usize = 1 << 16;

/// A crossing that was published: source, rule, when it was due.
type Crossing = (String, &'static str, Instant);

#[derive(Clone, Copy)]
struct Load {
    job: Job,
    first: u64,
    n: u64,
    rate: u64,
}

pub fn run(words: &[&str]) -> Result<(), Failure> {
    let [port, folder, first, n, rate, period] = words else {
        return Err("expected PORT FOLDER FIRST N RATE PERIOD".into());
    };
    let (port, rate, n): (u16, u64, u64) = (port.parse()?, rate.parse()?, n.parse()?);
    let load = Load { job: Job { period: period.parse()? }, first: first.parse()?, n, rate };
    let reader = Reader::open(Path::new(folder), 1)?;
    let from = reader.stream_end()?;
    let (crossings, published) = mpsc::sync_channel(CROSSINGS_MAX);
    let publisher = std::thread::spawn(move || publish(port, load, &crossings));
    let (mut latencies_ms, lost) = watch(&reader, from, &published)?;
    let behind_ms = publisher.join().map_err(|_| "the publisher panicked")??;
    latencies_ms.sort_by(f64::total_cmp);
    let at = |share: f64| {
        latencies_ms
            .get(((latencies_ms.len() as f64 * share) as usize).min(latencies_ms.len().saturating_sub(1)))
            .copied()
            .unwrap_or(f64::NAN)
    };
    println!(
        "{{\"rate\":{rate},\"messages\":{n},\"tickets\":{},\"lost\":{lost},\"p50_ms\":{:.2},\"p90_ms\":{:.2},\"p99_ms\":{:.2},\"max_ms\":{:.2},\"publisher_behind_max_ms\":{behind_ms:.2}}}",
        latencies_ms.len(),
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    );
    Ok(())
}

/// Returns by how much the publisher itself was late at the most.
fn publish(port: u16, load: Load, crossings: &mpsc::SyncSender<Crossing>) -> Result<f64, Failure> {
    let Load { job, first, n, rate } = load;
    let mut stream = mqtt::connect(port, "latency")?;
    let mut answers = stream.try_clone()?;
    std::thread::spawn(move || while matches!(answers.read(&mut [0; 1 << 16]), Ok(bytes) if bytes > 0) {});
    let begun = Instant::now();
    let (mut sent, mut behind) = (0u64, Duration::ZERO);
    let (mut out, mut topic, mut payload) = (Vec::new(), String::new(), String::new());
    while sent < n {
        let elapsed = begun.elapsed();
        let due = n.min((elapsed.as_secs_f64() * rate as f64) as u64);
        out.clear();
        let at_ms = clock::now_ms();
        while sent < due {
            let due_at = begun + Duration::from_secs_f64(sent as f64 / rate as f64);
            behind = behind.max(due_at.elapsed());
            let Shown { hot, inside } = job.begins(first + sent);
            for rule in [(hot, "hot"), (inside, "inside")].into_iter().filter(|(begins, _)| *begins) {
                crossings.send((format!("dev/{:04}", job.device(first + sent)), rule.1, due_at))?;
            }
            job.topic(first + sent, &mut topic);
            job.payload(first + sent, at_ms, &mut payload);
            mqtt::push_publish(&mut out, sent, &topic, &payload);
            sent += 1;
        }
        stream.write_all(&out)?;
        std::thread::sleep(TICK);
    }
    Ok(behind.as_secs_f64() * 1e3)
}

/// Latencies in ms, and the number of crossings that no ticket answered.
fn watch(reader: &Reader, mut after: i64, published: &mpsc::Receiver<Crossing>) -> Result<(Vec<f64>, usize), Failure> {
    let mut open: HashMap<(String, &'static str), Instant> = HashMap::new();
    let (mut latencies_ms, mut ended) = (Vec::new(), None);
    loop {
        // Seen first, then asked for what was published: no ticket can be older than its crossing.
        let entries = reader.stream(after, 1000)?;
        let seen_at = Instant::now();
        loop {
            match published.try_recv() {
                Ok((source, rule, due_at)) => drop(open.insert((source, rule), due_at)),
                Err(mpsc::TryRecvError::Empty) => break,
                Err(mpsc::TryRecvError::Disconnected) => {
                    ended.get_or_insert_with(Instant::now);
                    break;
                }
            }
        }
        for (entry, ticket) in &entries {
            after = entry.seq;
            let rule = if &*ticket.rule == "hot" { "hot" } else { "inside" };
            if entry.what == "opened"
                && let Some(due_at) = open.remove(&(ticket.source.to_string(), rule))
            {
                latencies_ms.push(seen_at.duration_since(due_at).as_secs_f64() * 1e3);
            }
        }
        if ended.is_some_and(|at| open.is_empty() || at.elapsed() > PATIENCE) {
            return Ok((latencies_ms, open.len()));
        }
        std::thread::sleep(LOOK);
    }
}
