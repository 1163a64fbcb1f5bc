//! L: how long a command and the lamp board take while many tickets are open: the gateway's own pieces in this process, asked
//! over HTTP, with its store on disk.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use outpost::app::App;
use outpost::config::check::check_alone;
use outpost::config::{Config, Severity};
use outpost::dispatch::{Desk, Effect, Kept};
use outpost::nouns::{Alert, AlertKey, Place, Why};
use outpost::store::{Commit, Store};
use outpost::telemetry::now_ms;
use outpost_fences::FenceSet;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::Failure;

const TOWNS: usize = 28;
/// What is asked of one ticket after the other.
const MOVES: [(&str, &str); 6] = [
    ("accept", r#"{"who":"clerk"}"#),
    ("supervise", r#"{"who":"chief","note":"still nobody there"}"#),
    ("file", r#"{"who":"chief"}"#),
    ("dispatch", r#"{"who":"dispatcher","unit":"patrol-3"}"#),
    ("escalate", r#"{"who":"chief","note":"too large for us"}"#),
    ("reassign", r#"{"who":"dispatcher","unit":"patrol-4"}"#),
];
/// Commands between two looks at the board.
const LOOK_EVERY: usize = 20;

/// `desk FOLDER TICKETS COMMANDS`: prints a table.
pub async fn run(words: &[&str]) -> Result<(), Failure> {
    let [folder, n_tickets, n_commands] = words else { return Err("desk FOLDER TICKETS COMMANDS".into()) };
    let (folder, n_tickets, n_commands) = (Path::new(folder), n_tickets.parse::<u64>()?, n_commands.parse::<usize>()?);
    let config = configuration(folder)?;
    fill(&config, n_tickets)?;
    let stop = CancellationToken::new();
    let app = App::start(&config, FenceSet::new(Vec::new()), None, stop.clone()).await?;
    let mut client = Client { stream: TcpStream::connect(app.address()).await?, buffer: Vec::new() };
    let (mut commands_ms, mut boards_ms) = (Vec::new(), Vec::new());
    for n in 0..n_commands {
        // Tickets from all over the range, each through the same moves.
        let no = 1 + (n / MOVES.len()) as u64 * 37 % n_tickets;
        let (name, body) = MOVES[n % MOVES.len()];
        commands_ms.push(client.ask("POST", &format!("/api/v1/tickets/{no}/{name}"), body).await?);
        if n % LOOK_EVERY == 0 {
            boards_ms.push(client.ask("GET", "/api/v1/lamps?level=town", "").await?);
        }
    }
    stop.cancel();
    app.finished().await?;
    println!("| asked of {n_tickets} open tickets | times | p50 ms | p99 ms | max ms |\n|---|---|---|---|---|");
    for (name, times_ms) in [("a command", &mut commands_ms), ("the lamp board", &mut boards_ms)] {
        times_ms.sort_by(f64::total_cmp);
        let at = |share: f64| times_ms[((times_ms.len() - 1) as f64 * share).round() as usize];
        println!("| {name} | {} | {:.1} | {:.1} | {:.1} |", times_ms.len(), at(0.5), at(0.99), at(1.0));
    }
    Ok(())
}

/// Limits on a calendar, and a tree of centres.
fn configuration(folder: &Path) -> Result<Config, Failure> {
    let mut text = format!(
        "[store]\nfolder = \"{}\"\n[api]\nlisten = \"127.0.0.1:0\"\n[desk]\ncalendar = \"district\"\n\
         hours = [\"workdays 09:00-12:00\", \"workdays 14:00-18:00\"]\nraise_after = \"2 working hours\"\n\
         limits = [{{ category = \"#\", whole = \"15 working days\", stages = {{ reported = \"3 working days\" }} }}]\n\
         storm = {{ n = 10000 }}\n[[calendars]]\nid = \"district\"\n[[centres]]\nid = \"district\"\nlevel = \"district\"\n",
        folder.display()
    );
    for n in 0..TOWNS {
        write!(
            text,
            "[[centres]]\nid = \"town-{n}\"\nlevel = \"town\"\nparent = \"district\"\nsources = [\"town-{n}/#\"]\n"
        )?;
    }
    let checked = check_alone(&text, Path::new("desk.toml"));
    checked.config.ok_or_else(|| format!("{:?}", checked.problems).into())
}

/// Tickets as alerts open them.
fn fill(config: &Config, n_tickets: u64) -> Result<(), Failure> {
    let mut store = Store::open(&config.store.folder, None)?;
    let mut desk = Desk::restore(config, Kept::default());
    let (mut effects, mut commit) = (Vec::new(), Commit::default());
    for n in 1..=n_tickets {
        let source = format!("town-{}/{n}", n % TOWNS as u64);
        let key = AlertKey { rule: "r".into(), source: source.into(), fence: None };
        let alert = Alert {
            id: key.alert_id(n as i64, 1),
            key,
            name: "暴露垃圾".into(),
            severity: Severity::Moderate,
            category: "waste/heap".into(),
            since_at_ms: n as i64,
            opened_ms: now_ms(),
            place: Place { point: Some((106.05, 29.84)), ..Place::default() },
            why: Why { text: "a heap of waste has been there for two hours".into(), figures: Vec::new() },
            snapshot: None,
            exhibits: Vec::new(),
            confidence: None,
            visible: None,
        };
        desk.alert_opened(&alert, now_ms(), &mut effects);
        commit.opened.push((alert, None));
        for effect in effects.drain(..) {
            match effect {
                Effect::Ticket(ticket) => commit.tickets.push(ticket),
                Effect::Journal(entry) => commit.journal.push(entry),
                Effect::Member { alert, ticket } => commit.members.push((alert, ticket)),
                _ => {}
            }
        }
    }
    store.commit(&commit)?;
    Ok(())
}

/// One connection that is kept open.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    /// Milliseconds from the request to the end of its answer, which has to be a 200.
    async fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<f64, Failure> {
        let asked = Instant::now();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the gateway closed the connection".into());
            }
            let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let head = std::str::from_utf8(&self.buffer[..end])?;
            let length =
                head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0").parse::<usize>()?;
            if self.buffer.len() < end + 4 + length {
                continue;
            }
            if !head.starts_with("HTTP/1.1 200") {
                return Err(format!("{path}: {}", String::from_utf8_lossy(&self.buffer)).into());
            }
            return Ok(asked.elapsed().as_secs_f64() * 1e3);
        }
    }
}
