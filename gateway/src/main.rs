//! The program `outpost`: its commands and their answers. All work is in the library.

use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::{Parser, Subcommand};
use outpost::config::{self, Config};
use outpost::decode::{Decoded, Decoders};
use outpost::pipeline::backtest::{Backtest, By};
use outpost::pipeline::replay::Replay;
use outpost::pipeline::{examples, record};
use outpost::{app, demo, probe, report, telemetry, thermal};
use tokio_util::sync::CancellationToken;
use tracing::level_filters::LevelFilter;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The gateway of a district: cameras and sensors in, dispatch tickets out.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the gateway. SIGHUP makes it take the rules, fences and sources of the changed configuration.
    Run {
        /// Configuration file (TOML); see configs/district.toml.
        #[arg(short, long, value_name = "FILE")]
        config: PathBuf,
        /// Append every observation to this file as NDJSON, for `outpost replay`.
        #[arg(long, value_name = "FILE")]
        record: Option<PathBuf>,
    },
    /// List every problem of a configuration, with line and hint.
    Check { file: PathBuf },
    /// Work on fence files.
    #[command(subcommand)]
    Fences(Fences),
    /// Look at a camera: codec, size, fps, key-frame interval, bit rate; saves a snapshot.
    Probe {
        /// rtsp://[user:password@]host[:port]/path
        url: String,
        /// Where the snapshot goes.
        #[arg(long, default_value = "snapshot.jpg", value_name = "FILE")]
        snapshot: PathBuf,
        /// How long to watch.
        #[arg(long, default_value_t = 10, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
        seconds: u64,
    },
    /// Tell the temperatures of a radiometric picture or sequence (FLIR's JPEG, FFF, SEQ), and draw them.
    Thermal(ThermalFile),
    /// Show what payloads become: one line per observation and per reject. Exits with 1 where something was rejected.
    Decode(Decode),
    /// Play recorded observations (NDJSON) through the rules and print the timeline.
    Replay {
        #[arg(required = true)]
        files: Vec<PathBuf>,
        #[arg(short, long, value_name = "CONFIG")]
        config: PathBuf,
    },
    /// Tell which tickets new rules would have opened over recorded observations (NDJSON), beside the old ones.
    Backtest {
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Configuration with the new rules.
        #[arg(short, long, value_name = "NEW")]
        config: PathBuf,
        /// Configuration with the old rules.
        #[arg(short, long, value_name = "OLD")]
        beside: Option<PathBuf>,
        /// Leave out what was received earlier: a date, or an RFC 3339 time.
        #[arg(long, value_name = "TIME", value_parser = time)]
        since: Option<i64>,
        /// Tell only what differs.
        #[arg(long)]
        changes: bool,
    },
    /// Work on the rules of a configuration.
    #[command(subcommand)]
    Rules(Rules),
    /// Write a month of a district as a page (HTML) and as tables (CSV): scores, class cases, patterns.
    Report(report::Args),
    /// Run on replayed real recordings, with a broker and a camera of its own.
    Demo {
        /// Address of the page; port 0 takes a free one.
        #[arg(long, default_value = "127.0.0.1:8088")]
        listen: String,
        /// Folder of the database and the evidence; a new one in the temporary folder where left out.
        #[arg(long, value_name = "FOLDER")]
        data: Option<PathBuf>,
        /// Let limits of work run this many times as fast, and a crew leave one ticket until it has gone a level up and then
        /// work it to its end. Without it they run 60 times as fast, and you are the crew.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
        speed: Option<u32>,
        /// End after this many seconds instead of at Ctrl-C.
        #[arg(long, value_name = "SECONDS")]
        seconds: Option<u64>,
    },
}

#[derive(clap::Subcommand)]
enum Fences {
    /// Write a GeoJSON file with its common mistakes mended (open, swapped, repeated, crossing), and say what was mended.
    Repair {
        file: PathBuf,
        /// Where the mended file goes. Default: standard output.
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Subcommand)]
enum Rules {
    /// Run the examples that rules carry and tell what came out otherwise.
    Test {
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

#[derive(clap::Args)]
struct Decode {
    /// Payloads, each in a file, byte for byte as the device sends them. One after the other, as by one gateway.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// A kind of payload, e.g. senml, or a whole feeds.format: '{ kind = "number", metric = "level", unit = "m" }'.
    #[arg(long, value_name = "FORMAT", required_unless_present = "config", conflicts_with = "config")]
    format: Option<String>,
    /// Name of the source, as feeds.source.
    #[arg(long, value_name = "TEMPLATE", default_value = "{topic}", conflicts_with = "config")]
    source: String,
    /// Decode as the feed of this configuration does that reads the topic.
    #[arg(short, long, value_name = "CONFIG", requires = "topic")]
    config: Option<PathBuf>,
    /// Topic of the messages; several times: of the first, the second…
    #[arg(long)]
    topic: Vec<String>,
    /// Time of receipt (RFC 3339); now where left out.
    #[arg(long, value_name = "TIME")]
    received: Option<jiff::Timestamp>,
}

#[derive(clap::Args)]
struct ThermalFile {
    file: PathBuf,
    /// Of the object, over 0 to 1. Default: as it was set at the camera, as with all of these.
    #[arg(long, value_name = "SHARE")]
    emissivity: Option<f64>,
    /// Apparent temperature of what the object mirrors.
    #[arg(long, value_name = "CELSIUS", allow_negative_numbers = true)]
    reflected: Option<f64>,
    /// Temperature of the air.
    #[arg(long, value_name = "CELSIUS", allow_negative_numbers = true)]
    air: Option<f64>,
    /// Relative humidity, 0 to 1.
    #[arg(long, value_name = "SHARE")]
    humidity: Option<f64>,
    #[arg(long, value_name = "METRES")]
    distance: Option<f64>,
    /// Tell regions whose pixels all exceed this.
    #[arg(long, value_name = "CELSIUS", allow_negative_numbers = true)]
    above: Option<f32>,
    /// Tell regions that exceed the frame's median by this.
    #[arg(long, value_name = "KELVIN")]
    over_background: Option<f32>,
    /// Connected pixels that make a region.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pixels_min: usize,
    /// Draw a frame: temperatures in colours, scale bar, hottest point, regions.
    #[arg(long, value_name = "OUT")]
    png: Option<PathBuf>,
    /// Frame of a sequence that is drawn, from 0.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "png")]
    frame: usize,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Run { config, record } => run(&config, record),
        Command::Check { file } => return check(&file),
        Command::Fences(Fences::Repair { file, output }) => repair(&file, output.as_deref()),
        Command::Probe { url, snapshot, seconds } => look(&url, &snapshot, seconds),
        Command::Decode(what) => match decode(&what) {
            Ok(0) => Ok(()),
            Ok(_) => return ExitCode::FAILURE,
            Err(error) => Err(error),
        },
        Command::Thermal(what) => tell_heat(what),
        Command::Replay { files, config } => replay(&files, &config),
        Command::Backtest { files, config, beside, since, changes } => {
            backtest(&files, &config, beside.as_deref(), since.unwrap_or(i64::MIN), changes)
        }
        Command::Rules(Rules::Test { files }) => test_rules(&files),
        Command::Report(args) => report::run(&args).map_err(anyhow::Error::from),
        Command::Demo { listen, data, speed, seconds } => show(&listen, data, speed, seconds),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("outpost: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(file: &Path, record: Option<PathBuf>) -> anyhow::Result<()> {
    telemetry::logs::init(LevelFilter::INFO)?;
    let config = load(file)?;
    let fences = app::fences(&config, file)?;
    runtime()?.block_on(async {
        let stop = stop_on_signal()?;
        use tokio::signal::unix::{SignalKind, signal};
        let mut hang_up = signal(SignalKind::hangup()).context("failed to listen for signals")?;
        let mut app = app::App::start(&config, fences, record.as_deref(), stop).await?;
        app.reload_when(async || hang_up.recv().await.is_some(), file).await;
        app.finished().await
    })
}

fn repair(file: &Path, output: Option<&Path>) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| format!("failed to read {}", file.display()))?;
    let repaired =
        outpost_fences::repair::repair(&text).map_err(|cause| anyhow::anyhow!("{}: {cause}", file.display()))?;
    let json = serde_json::to_string(&repaired.json).context("failed to write JSON")? + "\n";
    for change in &repaired.changes {
        eprintln!("{}: {}", change.feature, change.what);
    }
    for problem in &outpost_fences::geojson::parse(&json).problems {
        eprintln!("left as it is: {problem}");
    }
    match output {
        Some(path) => std::fs::write(path, json).with_context(|| format!("failed to write {}", path.display())),
        None => std::io::stdout().write_all(json.as_bytes()).context("failed to print"),
    }
}

fn check(file: &Path) -> ExitCode {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(cause) => {
            eprintln!("outpost: cannot read {}: {cause}", file.display());
            return ExitCode::FAILURE;
        }
    };
    let checked = config::check::check(&text, file);
    for problem in &checked.problems {
        println!("{problem}");
    }
    match (checked.config, checked.problems.len()) {
        (Some(config), n_warnings) => {
            let Config { brokers, listeners, feeds, cameras, rules, receivers, .. } = &config;
            println!(
                "{}: {} brokers, {} listeners, {} feeds, {} cameras, {} rules, {} receivers; {n_warnings} warnings",
                file.display(),
                brokers.len(),
                listeners.len(),
                feeds.len(),
                cameras.len(),
                rules.len(),
                receivers.len()
            );
            ExitCode::SUCCESS
        }
        (None, n_problems) => {
            println!("{}: {n_problems} problems", file.display());
            ExitCode::FAILURE
        }
    }
}

fn look(url: &str, snapshot: &Path, seconds: u64) -> anyhow::Result<()> {
    telemetry::logs::init(LevelFilter::ERROR)?;
    runtime()?.block_on(async {
        probe::probe(url, None, None, Some(snapshot), seconds, &mut std::io::stdout())
            .await
            .context("failed to probe")?;
        Ok(())
    })
}

fn tell_heat(what: ThermalFile) -> anyhow::Result<()> {
    let wish = thermal::Wish {
        emissivity: what.emissivity,
        reflected_c: what.reflected,
        atmosphere_c: what.air,
        distance_m: what.distance,
        humidity: what.humidity,
        above_c: what.above,
        over_background_k: what.over_background,
        pixels_min: what.pixels_min,
        png: what.png,
        frame: what.frame,
    };
    Ok(thermal::tell(&what.file, &wish, &mut std::io::BufWriter::new(std::io::stdout().lock()))?)
}

/// How many rejects there were.
fn decode(what: &Decode) -> anyhow::Result<u64> {
    let received_ms = what.received.map_or_else(telemetry::clock::now_ms, jiff::Timestamp::as_millisecond);
    let config = match &what.config {
        Some(file) => load(file)?,
        None => one_feed(what.format.as_deref().unwrap_or_default(), &what.source)?,
    };
    let decoders = Decoders::new(&config)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let (mut decoded, mut n_rejected) = (Decoded::new(), 0);
    for (i, file) in what.files.iter().enumerate() {
        let payload = std::fs::read(file).with_context(|| format!("failed to read {}", file.display()))?;
        let topic: Arc<str> = what.topic.get(i).or(what.topic.last()).map_or("payload", String::as_str).into();
        let brokers = config.brokers.iter().map(|broker| &broker.id);
        let lines = brokers.chain(config.listeners.iter().map(|listener| &listener.id));
        let mut readers = lines.filter_map(|id| decoders.decoder(id));
        let Some(decoder) = readers.find(|decoder| decoder.route(&topic).is_some()) else {
            anyhow::bail!("no feed of the configuration takes the topic {topic:?}");
        };
        decoded.clear();
        decoder.decode(&topic, &payload, received_ms, &mut decoded);
        n_rejected += decoded.n_rejected();
        if what.files.len() > 1 {
            writeln!(out, "{}:", file.display())?;
        }
        write!(out, "{decoded}")?;
    }
    out.flush().context("failed to write what was decoded")?;
    Ok(n_rejected)
}

/// A configuration of one feed that takes every topic.
fn one_feed(format: &str, source: &str) -> anyhow::Result<Config> {
    let format = match format.starts_with('{') {
        true => format.to_owned(),
        false => format!("{{ kind = {format:?} }}"),
    };
    let text = format!(
        "[[brokers]]\nid = 'any'\nhost = 'localhost'\n\
         [[feeds]]\nid = 'any'\nbroker = 'any'\ntopics = ['#']\nsource = '{source}'\nformat = {format}\n"
    );
    let checked = config::check::check_alone(&text, Path::new("format"));
    let told: String = checked.problems.iter().map(|problem| format!("\n{problem}")).collect();
    checked.config.with_context(|| format!("no feed can be made of it:{told}"))
}

fn replay(files: &[PathBuf], config_file: &Path) -> anyhow::Result<()> {
    let config = load(config_file)?;
    let fences = app::fences(&config, config_file)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut replay = Replay::new(&config, &fences, &mut out)?;
    for path in files {
        let file = std::fs::File::open(path).with_context(|| format!("failed to open {}", path.display()))?;
        replay.play(&path.display().to_string(), &mut BufReader::with_capacity(1 << 20, file))?;
    }
    replay.finish()?;
    out.flush().context("failed to write the timeline")
}

fn backtest(
    files: &[PathBuf],
    new: &Path,
    old: Option<&Path>,
    since_ms: i64,
    only_changes: bool,
) -> anyhow::Result<()> {
    let with_fences = |file: &Path| -> anyhow::Result<_> {
        let config = load(file)?;
        let fences = app::fences(&config, file)?;
        Ok((config, fences))
    };
    let (new, old) = (with_fences(new)?, old.map(with_fences).transpose()?);
    let mut backtest = Backtest::new((&new.0, &new.1), old.as_ref().map(|(config, fences)| (config, fences)))?;
    let (mut n_observations, mut n_rejected) = (0u64, 0u64);
    for path in files {
        let failed = |cause| anyhow::anyhow!("failed to read {}: {cause}", path.display());
        let file = std::fs::File::open(path).map_err(failed)?;
        record::for_each(&mut BufReader::with_capacity(1 << 20, file), failed, |number, observation| {
            match observation {
                Ok(observation) if observation.received_ms >= since_ms => {
                    n_observations += 1;
                    backtest.observe(&observation);
                }
                Ok(_) => {}
                Err(error) => {
                    n_rejected += 1;
                    eprintln!("{}:{number}: {error}", path.display());
                }
            }
            Ok(())
        })?;
    }
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let (entries, tallies) = backtest.finish();
    for entry in entries.iter().filter(|entry| !only_changes || entry.by != By::Both || entry.shift_ms != 0) {
        writeln!(out, "{entry}").context("failed to print")?;
    }
    for (rule, tally) in tallies {
        let before = old.as_ref().map(|_| format!("{} before, ", tally.old)).unwrap_or_default();
        writeln!(out, "{rule}: {before}{} now", tally.new).context("failed to print")?;
    }
    writeln!(out, "{n_observations} observations, {n_rejected} rejected").context("failed to print")?;
    out.flush().context("failed to print")
}

/// A date (its midnight, UTC) or an RFC 3339 time, in milliseconds.
fn time(text: &str) -> Result<i64, String> {
    let date = || format!("{text}T00:00:00Z").parse::<jiff::Timestamp>();
    let timestamp = text.parse::<jiff::Timestamp>().or_else(|_| date());
    timestamp.map(jiff::Timestamp::as_millisecond).map_err(|_| "no date or RFC 3339 time".to_owned())
}

fn test_rules(files: &[PathBuf]) -> anyhow::Result<()> {
    let (mut n_examples, mut n_failed) = (0, 0);
    for file in files {
        let config = load(file)?;
        let fences = app::fences(&config, file)?;
        for outcome in examples::run(&config, &fences)? {
            println!("{}: {outcome}", file.display());
            n_examples += 1;
            n_failed += usize::from(!outcome.is_as_expected());
        }
    }
    println!("{n_examples} examples, {n_failed} failed");
    anyhow::ensure!(n_examples > 0, "no rule has an example");
    anyhow::ensure!(n_failed == 0, "{n_failed} of {n_examples} examples failed");
    Ok(())
}

fn show(listen: &str, data: Option<PathBuf>, speed: Option<u32>, seconds: Option<u64>) -> anyhow::Result<()> {
    telemetry::logs::init(LevelFilter::WARN)?;
    // The temporary folder goes with the demo; one that was named stays.
    let temporary = std::env::temp_dir().join(format!("outpost-demo-{}", std::process::id()));
    let folder = data.clone().unwrap_or_else(|| temporary.clone());
    let outcome = runtime()?.block_on(async {
        let stop = stop_on_signal()?;
        if let Some(seconds) = seconds {
            let stop = stop.clone();
            tokio::spawn(async move {
                tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
                stop.cancel();
            });
        }
        let app = demo::start_at(speed.unwrap_or(demo::SPEED), &folder, listen, stop.clone()).await?;
        println!("Outpost demo: http://{}/   (Ctrl-C ends it)", app.address());
        println!("at the desk you are zhou, or wang who checks; in the field li or wu: http://{}/field", app.address());
        println!("data in {}", folder.display());
        if speed.is_some() {
            demo::crew::start(app.address(), stop);
        }
        app.tell_tickets(&mut std::io::stdout()).await?;
        app.finished().await?;
        println!("stopped");
        Ok(())
    });
    if data.is_none() {
        let _ = std::fs::remove_dir_all(&temporary);
    }
    outcome
}

fn load(file: &Path) -> anyhow::Result<Config> {
    let told = |problems| anyhow::anyhow!("{problems}\n{}: nothing was started", file.display());
    config::load(file).map_err(told)
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("failed to start the runtime")
}

/// Cancelled by Ctrl-C and SIGTERM; a second signal ends the process at once.
fn stop_on_signal() -> anyhow::Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let stop = CancellationToken::new();
    let mut interrupt = signal(SignalKind::interrupt()).context("failed to listen for signals")?;
    let mut terminate = signal(SignalKind::terminate()).context("failed to listen for signals")?;
    let told = stop.clone();
    tokio::spawn(async move {
        for n_signals in 0.. {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if n_signals > 0 {
                std::process::exit(130);
            }
            told.cancel();
        }
    });
    Ok(stop)
}
