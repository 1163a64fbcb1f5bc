//! CPU that receiving and acknowledging costs: a million QoS 1 messages of 120 bytes from a real Mosquitto, through
//! the gateway's session or through a bare client, with nothing else done. Run it in release mode:
//!
//! `cargo run --release -p outpost-benches --bin mqtt_floor -- [session|automatic|manual] [5|3.1.1] [messages]`
//!
//! The generator is a process of its own, so that its CPU is not counted. One line of JSON.

#![expect(clippy::disallowed_methods, reason = "the broker and the generator are programs of their own")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use outpost::config;
use outpost::ingest::mqtt::{Session, SessionState};
use outpost_benches::{Failure, cpu_s_of};
use rumqttc::{AckMode, AsyncClient, Event, MqttOptions, Packet, QoS};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Messages that the generator has in flight.
const WINDOW: u64 = 1_000;
const PAYLOAD: &str = r#"{"ts":1732345600000,"dev":"sens-000000","temp":25.25,"hum":45.5,"lat":29.612345,"lon":105.812345,"batt":3.55,"seq":1}"#;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |at: usize, default: &str| arguments.get(at).cloned().unwrap_or_else(|| default.to_owned());
    if argument(0, "") == "generate" {
        return generate(argument(1, "0").parse()?, argument(2, "0").parse()?);
    }
    let (mode, version, n) = (argument(0, "session"), argument(1, "5"), argument(2, "500000").parse()?);
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let folder = std::env::temp_dir().join(format!("mqtt_floor-{port}"));
    std::fs::create_dir_all(&folder)?;
    let configuration = folder.join("mosquitto.conf");
    let text = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_inflight_messages 1000\n\
         max_queued_messages 1000000\nset_tcp_nodelay true\nlog_type error\n"
    );
    std::fs::write(&configuration, text)?;
    let mut mosquitto = Ended(start(Command::new("mosquitto").arg("-c").arg(&configuration))?);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let (cpu_s, wall_s) = match mode.as_str() {
        "session" => runtime.block_on(through_session(port, &version, n))?,
        _ => runtime.block_on(through_bare_client(port, mode == "manual", n))?,
    };
    let broker_cpu_s = cpu_s_of(&mosquitto.0.id().to_string())?;
    mosquitto.0.kill()?;
    std::fs::remove_dir_all(&folder)?;
    let per_million = 1e6 / n as f64;
    println!(
        "{{\"mode\":\"{mode}\",\"version\":\"{version}\",\"messages\":{n},\"cpu_s_per_million\":{:.2},\
         \"broker_cpu_s_per_million\":{:.2},\"messages_per_s\":{:.0}}}",
        cpu_s * per_million,
        broker_cpu_s * per_million,
        n as f64 / wall_s
    );
    Ok(())
}

async fn through_session(port: u16, version: &str, n: u64) -> Result<(f64, f64), Failure> {
    let text = format!("id = \"b\"\nhost = \"127.0.0.1\"\nport = {port}\nversion = \"{version}\"\n");
    let broker: config::Broker = toml::from_str(&text)?;
    let (sender, mut messages) = mpsc::channel(8192);
    let stop = CancellationToken::new();
    let session = Session::start(&broker, vec!["#".into()], sender, stop.clone())?;
    session.state().wait_for(|state| matches!(state, SessionState::Live { .. })).await?;
    let acks = session.acks();
    let mut generator = Ended(generator(port, n)?);
    let (cpu_s, started) = (cpu_s_of("self")?, Instant::now());
    // As the pipeline does: a plain thread that takes what is there and acknowledges it together.
    let committer = std::thread::spawn(move || {
        let (mut batch, mut receipts, mut taken) = (Vec::new(), Vec::new(), 0);
        while taken < n && messages.blocking_recv_many(&mut batch, 1024) > 0 {
            taken += batch.len() as u64;
            receipts.extend(batch.drain(..).map(|message| message.receipt));
            acks.acknowledge(&receipts);
            receipts.clear();
        }
    });
    tokio::task::spawn_blocking(move || committer.join()).await?.map_err(|_| "the committer panicked")?;
    while session.counters().acknowledged.load(Ordering::Relaxed) < n {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let spent = (cpu_s_of("self")? - cpu_s, started.elapsed().as_secs_f64());
    generator.0.wait()?;
    stop.cancel();
    session.stopped().await;
    Ok(spent)
}

/// The client library alone, MQTT 5, everything in its own task.
async fn through_bare_client(port: u16, manual: bool, n: u64) -> Result<(f64, f64), Failure> {
    let mut options = MqttOptions::new("bare", ("127.0.0.1", port));
    options.set_receive_maximum(Some(1000)).set_ack_mode(if manual { AckMode::Manual } else { AckMode::Automatic });
    let (client, mut eventloop) = AsyncClient::builder(options).capacity(4096).build();
    client.subscribe("#", QoS::AtLeastOnce).await?;
    while !matches!(eventloop.poll().await?, Event::Incoming(Packet::SubAck(_))) {}
    let mut generator = Ended(generator(port, n)?);
    let (cpu_s, started, mut taken) = (cpu_s_of("self")?, Instant::now(), 0);
    while taken < n {
        if let Event::Incoming(Packet::Publish(publish)) = eventloop.poll().await? {
            taken += 1;
            if manual {
                client.try_ack(&publish)?;
            }
        }
    }
    let spent = (cpu_s_of("self")? - cpu_s, started.elapsed().as_secs_f64());
    drop(eventloop);
    generator.0.wait()?;
    Ok(spent)
}

fn generator(port: u16, n: u64) -> Result<Child, Failure> {
    start(Command::new(std::env::current_exe()?).arg("generate").arg(port.to_string()).arg(n.to_string()))
}

fn start(command: &mut Command) -> Result<Child, Failure> {
    Ok(command.stdout(Stdio::null()).spawn()?)
}

/// Publishes in large writes over MQTT 3.1.1, at most `WINDOW` unconfirmed.
fn generate(port: u16, n: u64) -> Result<(), Failure> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    stream.write_all(b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x3c\x00\x03gen")?;
    stream.read_exact(&mut [0; 4])?;
    let (mut sent, mut confirmed_bytes) = (0u64, 0u64);
    let (mut out, mut answers) = (Vec::new(), vec![0; 1 << 16]);
    while confirmed_bytes / 4 < n {
        out.clear();
        while sent < n && sent - confirmed_bytes / 4 < WINDOW {
            let topic = format!("site/{}/dev/{:06}/telemetry", sent % 10, sent * 37 % 10_000);
            let length = 2 + topic.len() + 2 + PAYLOAD.len();
            out.extend([0x32, (length % 128) as u8 | 0x80, (length / 128) as u8]);
            out.extend((topic.len() as u16).to_be_bytes());
            out.extend(topic.as_bytes());
            out.extend(((sent % 65_535) as u16 + 1).to_be_bytes());
            out.extend(PAYLOAD.as_bytes());
            sent += 1;
        }
        stream.write_all(&out)?;
        // Every answer is a PUBACK of four bytes.
        match stream.read(&mut answers)? {
            0 => return Err("the broker hung up".into()),
            bytes => confirmed_bytes += bytes as u64,
        }
    }
    Ok(())
}

/// A child that does not outlive us.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
