//! The people of the demo: they watch the lamps through the public API, leave one ticket alone until it has gone a level up,
//! and then work it to its end. They know nothing of the gateway but its address.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::telemetry::{now_ms, time_text};

/// How often they look.
const LOOK: Duration = Duration::from_millis(200);
/// They read a line before the next one comes.
const PACE: Duration = Duration::from_millis(400);
const TIMEOUT: Duration = Duration::from_secs(10);

/// What is done with the ticket: by whom of `configs/demo.toml`, which move, and what is said.
const WORK: [(&str, &str, &str); 9] = [
    ("zhou", "accept", r#"{}"#),
    ("zhou", "file", r#"{}"#),
    ("zhou", "dispatch", r#"{"unit": "处置三组"}"#),
    ("he", "sign", r#"{}"#),
    ("he", "start", r#"{}"#),
    ("he", "feed-back", r#"{"note": "done"}"#),
    ("wang", "verify", r#"{}"#),
    ("zhou", "close", r#"{}"#),
    ("wang", "rate", r#"{"score": 4}"#),
];

struct Crew {
    client: reqwest::Client,
    api: String,
}

/// Until the ticket is rated, or stopped.
pub fn start(address: SocketAddr, stop: CancellationToken) {
    tokio::spawn(async move {
        let work = async {
            if let Err(cause) = work(address).await {
                warn!(%cause, "the demo's crew gave up");
            }
        };
        stop.run_until_cancelled(work).await
    });
}

async fn work(address: SocketAddr) -> anyhow::Result<()> {
    // Only the first caller in the process installs; whoever came before brought a provider as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().build().context("failed to make a client")?;
    let crew = Crew { client, api: format!("http://{address}/api/v1") };
    let no = crew.first_due().await?;
    crew.watch(no).await?;
    for (who, asked, said) in WORK {
        tokio::time::sleep(PACE).await;
        let mut body: Value = serde_json::from_str(said)?;
        body["who"] = who.into();
        crew.post(&format!("/tickets/{no}/{asked}"), &body).await?;
    }
    let board = crew.get("/lamps?level=district").await?;
    let (centre, ticket) = (&board["centres"][0], &crew.get(&format!("/tickets/{no}")).await?["ticket"]);
    say(&format!("T-{no} counted: {}, score {}", ticket["counts"], ticket["score"]));
    let lamps = ["green", "yellow", "red"].map(|lamp| format!("{} {lamp}", centre[lamp]));
    let closed = &centre["closed"];
    say(&format!(
        "{}: {}; closed {} in time, {} late",
        centre["name"].as_str().unwrap_or_default(),
        lamps.join(", "),
        closed["in_time"],
        closed["late"]
    ));
    Ok(())
}

impl Crew {
    /// The ticket that is due first, once there is one.
    async fn first_due(&self) -> anyhow::Result<u64> {
        loop {
            let list = self.get("/tickets?stage=open").await?;
            let tickets = list["tickets"].as_array().into_iter().flatten();
            let due = tickets.filter_map(|ticket| Some((ticket["due_ms"].as_i64()?, ticket["no"].as_u64()?))).min();
            match due {
                Some((_, no)) => return Ok(no),
                None => tokio::time::sleep(LOOK).await,
            }
        }
    }

    /// Tells how its lamp changes, until it has gone a level up.
    async fn watch(&self, no: u64) -> anyhow::Result<()> {
        let mut told = Vec::new();
        loop {
            let ticket = &self.get(&format!("/tickets/{no}")).await?["ticket"];
            for (lamp, key) in [("yellow", "yellow_ms"), ("red", "due_ms")] {
                if !told.contains(&lamp) && ticket[key].as_i64().is_some_and(|at_ms| at_ms < now_ms()) {
                    told.push(lamp);
                    say(&format!("T-{no} lamp turns {lamp}"));
                }
            }
            if ticket["counts"]["escalated"].as_u64() > Some(0) {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let answer = self.client.get(format!("{}{path}", self.api)).send().await;
        read(path, answer).await
    }

    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.client.post(format!("{}{path}", self.api)).header("content-type", "application/json");
        read(path, request.body(body.to_string()).send().await).await
    }
}

async fn read(path: &str, answer: reqwest::Result<reqwest::Response>) -> anyhow::Result<Value> {
    let answer = answer.with_context(|| format!("failed to ask for {path}"))?;
    let status = answer.status();
    let text = answer.text().await.with_context(|| format!("failed to read {path}"))?;
    ensure!(status.is_success(), "{path} was answered {status}: {text}");
    serde_json::from_str(&text).with_context(|| format!("failed to read {path}"))
}

fn say(line: &str) {
    // Whoever closed the output does not want to hear.
    let _ = writeln!(std::io::stdout(), "{} {line}", &time_text(now_ms())[11..19]);
}
