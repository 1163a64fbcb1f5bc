//! The program as users start it: `outpost` in a process and a folder of its own, killed and started as a test says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;

use super::within;

/// Sent with every request where the configuration asks for one.
pub(crate) const TOKEN: &str = "correct-horse";

pub(crate) struct Program {
    folder: TempDir,
    process: Option<Child>,
    address: String,
    n_starts: usize,
    n_kills: usize,
    record: bool,
    file_bytes_max: Option<u64>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|cause| panic!("{cause}: {}", self.text))
    }
}

impl Program {
    /// Not started yet. `rest` follows the parts that every test has: a data folder, a free port, a token. Fences are
    /// those of the demo.
    pub(crate) fn new(rest: &str) -> Program {
        let folder = tempfile::Builder::new().prefix("outpost").tempdir().unwrap();
        let home = folder.path();
        fs::write(home.join("token"), TOKEN).unwrap();
        fs::write(home.join("fences.geojson"), include_str!("../../../../fixtures/demo/fences.geojson")).unwrap();
        let text = format!(
            "[store]\nfolder = \"{home}/data\"\n[api]\nlisten = \"127.0.0.1:0\"\ntoken = {{ file = \"{home}/token\" }}\n{}",
            rest.replace("{folder}", &home.display().to_string()),
            home = home.display()
        );
        fs::write(home.join("outpost.toml"), text).unwrap();
        Program {
            folder,
            process: None,
            address: String::new(),
            n_starts: 0,
            n_kills: 0,
            record: false,
            file_bytes_max: None,
        }
    }

    /// Every start appends its observations to the file [`Program::record_file`].
    pub(crate) fn record(&mut self) {
        self.record = true;
    }

    /// From its next start on no file of it may grow beyond this.
    pub(crate) fn limit_files(&mut self, bytes_max: u64) {
        self.file_bytes_max = Some(bytes_max);
    }

    /// Room again, for the process that runs.
    #[expect(clippy::disallowed_methods, reason = "prlimit, of util-linux, acts on the program under test")]
    pub(crate) fn lift_file_limit(&self) {
        let pid = self.process.as_ref().expect("it runs").id().to_string();
        let status = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited"]).status();
        assert!(status.expect("cannot start prlimit: is the Debian package util-linux installed?").success());
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("outpost.toml")
    }

    pub(crate) fn record_file(&self) -> PathBuf {
        self.folder.path().join("record.ndjson")
    }

    /// Starts the process and does not wait for anything.
    #[expect(clippy::disallowed_methods, reason = "the program under test is another process")]
    pub(crate) fn spawn(&mut self) {
        assert!(self.process.is_none(), "it runs already");
        self.n_starts += 1;
        let log = fs::File::create(self.log_file()).unwrap();
        let mut command = match self.file_bytes_max {
            None => Command::new(env!("CARGO_BIN_EXE_outpost")),
            Some(bytes) => limited(bytes),
        };
        command.arg("run").arg("-c").arg(self.config());
        if self.record {
            command.arg("--record").arg(self.record_file());
        }
        command.stdout(Stdio::null()).stderr(log);
        self.process = Some(command.spawn().unwrap());
    }

    /// Starts, and returns when the API listens.
    pub(crate) async fn start(&mut self) {
        self.spawn();
        self.listens().await;
    }

    /// Returns when a process that was started listens.
    pub(crate) async fn listens(&mut self) {
        let found = within("the API to listen", async {
            loop {
                let log = self.log();
                let line = log.lines().find(|line| line.contains("api listens"));
                if let Some((_, address)) = line.and_then(|line| line.rsplit_once("address=")) {
                    return address.to_owned();
                }
                let ended = self.process.as_mut().and_then(|process| process.try_wait().unwrap());
                assert!(ended.is_none(), "ended with {ended:?}: {log}");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        self.address = found.await;
    }

    /// Starts, and returns when every session with a broker is up.
    pub(crate) async fn start_ready(&mut self) {
        self.start().await;
        self.ready(200).await;
    }

    /// Returns when `/readyz` answers with this status.
    pub(crate) async fn ready(&self, status: u16) {
        self.eventually("GET /readyz", async || self.get("/readyz").await.status == status).await;
    }

    /// What the current or last process logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
            self.n_kills += 1;
        }
    }

    pub(crate) fn n_kills(&self) -> usize {
        self.n_kills
    }

    /// Takes the store's only place for a writer until it is dropped.
    pub(crate) fn hang_commits(&self) -> rusqlite::Connection {
        let conn = rusqlite::Connection::open(self.data().join("outpost.db")).unwrap();
        conn.busy_timeout(Duration::from_secs(10)).unwrap();
        conn.execute_batch("BEGIN IMMEDIATE").unwrap();
        conn
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(self.process.as_ref().expect("it runs").id(), name);
    }

    /// SIGTERM; returns how the process ended.
    pub(crate) async fn terminate(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("it runs");
        signal(process.id(), "-TERM");
        within("the program to end", async {
            loop {
                match process.try_wait().unwrap() {
                    Some(status) => return status,
                    None => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        })
        .await
    }

    /// Changes its configuration, for its next start.
    pub(crate) fn rewrite(&self, change: impl FnOnce(&str) -> String) {
        let text = fs::read_to_string(self.config()).unwrap();
        fs::write(self.config(), change(&text)).unwrap();
    }

    /// Changes its configuration and sends it SIGHUP.
    pub(crate) fn reload(&self, change: impl FnOnce(&str) -> String) {
        self.rewrite(change);
        self.signal("-HUP");
    }

    /// A figure of its memory by its name in `/proc/PID/status`: `VmRSS` is now, `VmHWM` the most that ever was.
    pub(crate) fn memory_bytes(&self, name: &str) -> u64 {
        let pid = self.process.as_ref().expect("it runs").id();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let kib =
            line.and_then(|rest| rest.trim().strip_suffix(" kB")).unwrap_or_else(|| panic!("no {name}: {status}"));
        kib.parse::<u64>().unwrap() << 10
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path, None, Some(TOKEN)).await
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    /// What is no text.
    pub(crate) async fn bytes(&self, path: &str) -> Vec<u8> {
        let request = client().get(format!("http://{}{path}", self.address)).bearer_auth(TOKEN);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.bytes().await.unwrap().to_vec()
    }

    /// Whatever the status is.
    pub(crate) async fn json_of_any(&self, path: &str) -> Value {
        self.get(path).await.json()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.request(Method::POST, path, Some(body), Some(TOKEN)).await
    }

    pub(crate) async fn request(&self, method: Method, path: &str, body: Option<Value>, token: Option<&str>) -> Answer {
        let mut request = client().request(method, format!("http://{}{path}", self.address));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.unwrap_or_else(|cause| panic!("{path}: {cause}; {}", self.log()));
        Answer { status: answer.status().as_u16(), text: answer.text().await.unwrap() }
    }

    /// A figure of `/metrics`; 0 where it is not there yet. `labels` as the page writes them.
    pub(crate) async fn metric(&self, name: &str, labels: &str) -> u64 {
        let page = self.get("/metrics").await.text;
        let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        let line = page.lines().find_map(|line| line.strip_prefix(&format!("{name}{labels} ")));
        line.map_or(0, |value| value.parse().unwrap())
    }

    /// Asks until the answer is yes; on the deadline the log says more.
    pub(crate) async fn eventually(&self, what: &str, mut asked: impl AsyncFnMut() -> bool) {
        let poll = async {
            while !asked().await {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        if tokio::time::timeout(2 * super::DEADLINE, poll).await.is_err() {
            panic!("waited too long for {what}: {}", self.log());
        }
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join(format!("log-{}", self.n_starts))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn outpost(arguments: &[&str]) -> (Option<i32>, String, String) {
    outpost_in(Path::new("."), arguments)
}

/// Any other command of the program: its exit code, what it printed, and what it complained of.
#[expect(clippy::disallowed_methods, reason = "the program under test is another process")]
pub(crate) fn outpost_in(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_outpost")).args(arguments).current_dir(folder).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The soft limit only, so that it can be lifted; its signal is ignored, so that writes fail as on a full disk.
#[expect(clippy::disallowed_methods, reason = "the program under test is another process")]
fn limited(bytes_max: u64) -> Command {
    let mut command = Command::new("sh");
    let script = format!("trap '' XFSZ; exec prlimit --fsize={bytes_max}:unlimited \"$0\" \"$@\"");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_outpost")]);
    command
}

#[expect(clippy::disallowed_methods, reason = "signals to the program under test")]
fn signal(pid: u32, signal: &str) {
    let status = Command::new("kill").args([signal, &pid.to_string()]).status().unwrap();
    assert!(status.success());
}

pub(crate) fn client() -> reqwest::Client {
    // The client wants it even where no TLS is spoken.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}
