//! Devices that publish to the gateway itself: several connections, quality of service 1, pipelined. All bytes are made
//! before the first is sent, so that the load costs little while it runs.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use outpost::telemetry::clock;

use crate::job::{DEVICES, Job};
use crate::mqtt::{self, PUBACK_BYTES};
use crate::{Failure, cpu_s_of};

/// Bytes of one write at the most: what a socket takes at once.
const WRITE_BYTES_MAX: usize = 64 << 10;

/// `PORT CONNECTIONS FIRST N WINDOW PERIOD`: messages FIRST..FIRST+N in turn over the connections, each with WINDOW
/// unacknowledged at the most. Prints `done CPU WALL`, in seconds, of the sending alone.
pub fn run(words: &[&str]) -> Result<(), Failure> {
    let [port, connections, first, n, window, period] = words else {
        return Err("expected PORT CONNECTIONS FIRST N WINDOW PERIOD".into());
    };
    let (port, connections, window): (u16, u64, usize) = (port.parse()?, connections.parse()?, window.parse()?);
    let (first, n, job) = (first.parse::<u64>()?, n.parse::<u64>()?, Job { period: period.parse()? });
    let floods = (0..connections)
        .map(|connection| {
            Flood::new(port, connection, (first + connection..first + n).step_by(connections as usize), job)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let (cpu_s, begun) = (cpu_s_of("self")?, Instant::now());
    let threads: Vec<_> = floods.into_iter().map(|flood| std::thread::spawn(move || flood.send(window))).collect();
    for thread in threads {
        thread.join().map_err(|_| "a connection's thread panicked")??;
    }
    println!("done {:.2} {:.3}", cpu_s_of("self")? - cpu_s, begun.elapsed().as_secs_f64());
    Ok(())
}

/// One connection and what it is going to say.
struct Flood {
    stream: TcpStream,
    bytes: Vec<u8>,
    /// Where each message ends.
    ends: Vec<usize>,
}

impl Flood {
    fn new(port: u16, connection: u64, messages: impl Iterator<Item = u64>, job: Job) -> Result<Flood, Failure> {
        let (mut bytes, mut ends, mut topic, mut payload) = (Vec::new(), Vec::new(), String::new(), String::new());
        // A device speaks every 100 ms by its own clock, however fast all is sent.
        let begin_ms = clock::now_ms() - 3_600_000;
        for (sent, n) in messages.enumerate() {
            job.topic(n, &mut topic);
            job.payload(n, begin_ms + (n / DEVICES) as i64 * 100, &mut payload);
            mqtt::push_publish(&mut bytes, sent as u64, &topic, &payload);
            ends.push(bytes.len());
        }
        Ok(Flood { stream: mqtt::connect(port, &format!("device-{connection}"))?, bytes, ends })
    }

    fn send(mut self, window: usize) -> Result<(), Failure> {
        let (mut sent, mut confirmed_bytes, mut answers) = (0, 0, vec![0; 1 << 16]);
        loop {
            let confirmed = (confirmed_bytes / PUBACK_BYTES) as usize;
            if confirmed == self.ends.len() {
                return Ok(());
            }
            let due = (confirmed + window).min(self.ends.len());
            let mut from = if sent == 0 { 0 } else { self.ends[sent - 1] };
            let to = if due == 0 { 0 } else { self.ends[due - 1] };
            while from < to {
                from += self.stream.write(&self.bytes[from..to.min(from + WRITE_BYTES_MAX)])?;
            }
            sent = due;
            match self.stream.read(&mut answers)? {
                0 => return Err("the gateway hung up".into()),
                bytes => confirmed_bytes += bytes as u64,
            }
        }
    }
}
