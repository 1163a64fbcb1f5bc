//! The publisher of the sensor job: as fast as the broker takes it, or at a rate.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use outpost::telemetry::clock;

use crate::Failure;
use crate::job::Job;
use crate::mqtt::{self, PUBACK_BYTES};

/// Messages that are unconfirmed at the most.
const WINDOW: u64 = 1_000;
/// Pace of the open loop.
const TICK: Duration = Duration::from_millis(1);

/// `PORT FIRST N RATE PERIOD [last]`: messages FIRST..FIRST+N, RATE a second (0: as fast as the broker takes them); with
/// `last`, one more on `site/end/dev/end`.
pub fn run(words: &[&str]) -> Result<(), Failure> {
    let [port, first, n, rate, period, rest @ ..] = words else {
        return Err("expected PORT FIRST N RATE PERIOD [last]".into());
    };
    let (stream, job) = (mqtt::connect(port.parse()?, "sensors")?, Job { period: period.parse()? });
    let mut publisher = Publisher { stream, job, confirmed_bytes: 0 };
    publisher.publish(first.parse()?, n.parse()?, rate.parse()?)?;
    if rest.first() == Some(&"last") { publisher.end() } else { Ok(()) }
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
