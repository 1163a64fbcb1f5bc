//! Clients that only receive and acknowledge: the floor under the gateway's figure.

use std::sync::atomic::Ordering;
use std::time::Duration;

use outpost::config;
use outpost::ingest::mqtt::{Session, SessionState};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{Failure, cpu_s_of};

const TOPICS: &str = "site/+/dev/+";

/// `PORT session|bare N...`: prints `ready` once subscribed, and `done CPU` with the CPU-seconds of this process after
/// each N messages.
pub async fn run(words: &[&str]) -> Result<(), Failure> {
    let [port, side, counts @ ..] = words else { return Err("expected PORT session|bare N...".into()) };
    let counts = counts.iter().map(|n| n.parse()).collect::<Result<Vec<u64>, _>>()?;
    match *side {
        "session" => through_session(port.parse()?, &counts).await,
        _ => through_bare_client(port.parse()?, &counts).await,
    }
}

/// The gateway's session with a pipeline that only acknowledges.
async fn through_session(port: u16, counts: &[u64]) -> Result<(), Failure> {
    let text = format!("id = \"b\"\nhost = \"127.0.0.1\"\nport = {port}\nclient_id = \"floor-session\"\n");
    let broker: config::Broker = toml::from_str(&text)?;
    let (sender, mut messages) = mpsc::channel(8192);
    let stop = CancellationToken::new();
    let session = Session::start(&broker, vec![TOPICS.into()], sender, stop.clone())?;
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
    client.subscribe(TOPICS, QoS::AtLeastOnce).await?;
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
