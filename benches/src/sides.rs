//! One side of the sensor bench: the publisher, or a client that only receives and acknowledges. See `benches/run`.
//!
//! `sensors publish PORT FIRST N RATE PERIOD [last]`: messages FIRST..FIRST+N, RATE a second (0: as fast as the broker
//! takes them); with `last`, one more on `site/end/dev/end`.
//! `sensors acknowledge PORT session|bare N...`: prints `ready` once subscribed and `done CPU` with its own
//! CPU-seconds after each N messages.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use outpost::config;
use outpost::ingest::mqtt::{Session, SessionState};
use outpost::telemetry::clock;
use outpost_benches::mqtt::{self, PUBACK_BYTES};
use outpost_benches::sensors::Job;
use outpost_benches::{Failure, cpu_s_of};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Messages that the publisher has unconfirmed at the most.
const WINDOW: u64 = 1_000;
/// Pace of the open loop.
const TICK: Duration = Duration::from_millis(1);

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["publish", port, first, n, rate, period, rest @ ..] => {
            let mut publisher =
                Publisher { stream: mqtt::connect(port.parse()?, "sensors")?, job: Job { period: period.parse()? }, confirmed_bytes: 0 };
            publisher.publish(first.parse()?, n.parse()?, rate.parse()?)?;
            if rest.first() == Some(&"last") { publisher.end() } else { Ok(()) }
        }
        ["acknowledge", port, side, counts @ ..] => {
            let counts = counts.iter().map(|n| n.parse()).collect::<Result<Vec<u64>, _>>()?;
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            match *side {
                "session" => runtime.block_on(through_session(port.parse()?, &counts)),
                _ => runtime.block_on(through_bare_client(port.parse()?, &counts)),
            }
        }
        _ => Err("expected publish or acknowledge".into()),
    }
}

struct Publisher {
    stream: TcpStream,
    job: Job,
    confirmed_bytes: u64,
}

impl Publisher {
    fn publish(&mut self, first: u64, n: u64, rate: u64) -> Result<(), Failure> {
        let begun = Instant::now();
        let (mut sent, mut out, mut topic, mut payload) = (0, Vec::new(), String::new(), String::new());
        while self.confirmed() < n {
            let due = match rate {
                0 => n.min(self.confirmed() + WINDOW),
                _ => n.min((begun.elapsed().as_secs_f64() * rate as f64) as u64),
            };
            out.clear();
            let at_ms = clock::now_ms();
            while sent < due {
                self.job.topic(first + sent, &mut topic);
                self.job.payload(first + sent, at_ms, &mut payload);
                mqtt::push_publish(&mut out, sent, &topic, &payload);
                sent += 1;
            }
            self.stream.write_all(&out)?;
            if self.confirmed() < sent {
                self.hear()?;
            }
            if rate != 0 && sent < n {
                std::thread::sleep(TICK);
            }
        }
        self.confirmed_bytes = 0;
        Ok(())
    }

    /// QoS 1 keeps the order: who has this one has had all.
    fn end(&mut self) -> Result<(), Failure> {
        let mut out = Vec::new();
        mqtt::push_publish(&mut out, 0, "site/end/dev/end", r#"{"end":true}"#);
        self.stream.write_all(&out)?;
        self.hear()
    }

    fn confirmed(&self) -> u64 {
        self.confirmed_bytes / PUBACK_BYTES
    }

    fn hear(&mut self) -> Result<(), Failure> {
        match self.stream.read(&mut [0; 1 << 16])? {
            0 => Err("the broker hung up".into()),
            bytes => {
                self.confirmed_bytes += bytes as u64;
                Ok(())
            }
        }
    }
}

/// The gateway's session with a pipeline that only acknowledges.
async fn through_session(port: u16, counts: &[u64]) -> Result<(), Failure> {
    let text = format!("id = \"b\"\nhost = \"127.0.0.1\"\nport = {port}\nclient_id = \"floor-session\"\n");
    let broker: config::Broker = toml::from_str(&text)?;
    let (sender, mut messages) = mpsc::channel(8192);
    let stop = CancellationToken::new();
    let session = Session::start(&broker, vec!["site/+/dev/+".into()], sender, stop.clone());
    session.state().wait_for(|state| matches!(state, SessionState::Live { .. })).await?;
    println!("ready");
    let acks = session.acks();
    std::thread::spawn(move || {
        let (mut batch, mut receipts) = (Vec::new(), Vec::new());
        while messages.blocking_recv_many(&mut batch, 1024) > 0 {
            receipts.extend(batch.drain(..).map(|message| message.receipt));
            acks.acknowledge(&receipts);
            receipts.clear();
        }
    });
    let (counters, mut due) = (session.counters(), 0);
    for n in counts {
        let begun_s = cpu_s_of("self")?;
        due += n;
        while counters.acknowledged.load(Ordering::Relaxed) < due {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        println!("done {:.2}", cpu_s_of("self")? - begun_s);
    }
    stop.cancel();
    session.stopped().await;
    Ok(())
}

/// The client library alone, which acknowledges by itself.
async fn through_bare_client(port: u16, counts: &[u64]) -> Result<(), Failure> {
    let mut options = MqttOptions::new("floor-bare", ("127.0.0.1", port));
    options.set_receive_maximum(Some(1000));
    let (client, mut eventloop) = AsyncClient::builder(options).capacity(4096).build();
    client.subscribe("site/+/dev/+", QoS::AtLeastOnce).await?;
    while !matches!(eventloop.poll().await?, Event::Incoming(Packet::SubAck(_))) {}
    println!("ready");
    for n in counts {
        let (begun_s, mut taken) = (cpu_s_of("self")?, 0);
        while taken < *n {
            taken += u64::from(matches!(eventloop.poll().await?, Event::Incoming(Packet::Publish(_))));
        }
        println!("done {:.2}", cpu_s_of("self")? - begun_s);
    }
    // What it still has to acknowledge leaves before it goes.
    let _ = tokio::time::timeout(Duration::from_millis(200), async { while eventloop.poll().await.is_ok() {} }).await;
    Ok(())
}
