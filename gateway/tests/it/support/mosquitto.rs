//! A real Mosquitto (Debian package `mosquitto`) on a free port with its state in a temporary folder.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use outpost::config::{self, MqttVersion};
use outpost::ingest::Message;
use outpost::ingest::mqtt::{Filter, Session};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{session, within};

pub(crate) struct Mosquitto {
    folder: TempDir,
    port: u16,
    process: Option<Child>,
}

impl Mosquitto {
    pub(crate) async fn start() -> Mosquitto {
        Mosquitto::start_with("allow_anonymous true\n").await
    }

    /// With more lines of configuration; `{folder}` in them stands for the broker's folder, which `prepare` may fill.
    pub(crate) async fn start_prepared(extra: &str, prepare: impl FnOnce(&std::path::Path)) -> Mosquitto {
        let folder = tempfile::Builder::new().prefix("mosquitto").tempdir().unwrap();
        prepare(folder.path());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let home = folder.path().display();
        let configuration = format!(
            "listener {port} 127.0.0.1\nuser root\npersistence true\npersistence_location {home}/\n\
             persistent_client_expiration 1h\nmax_inflight_messages 1000\nmax_queued_messages 100000\n\
             set_tcp_nodelay true\nsys_interval 1\nlog_dest file {home}/log\nlog_type all\n{}",
            extra.replace("{folder}", &home.to_string())
        );
        fs::write(folder.path().join("conf"), configuration).unwrap();
        let mut broker = Mosquitto { folder, port, process: None };
        broker.restart().await;
        broker
    }

    pub(crate) async fn start_with(extra: &str) -> Mosquitto {
        Mosquitto::start_prepared(extra, |_| {}).await
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Starts again after `kill` or `stop`, with what is on disk.
    #[expect(clippy::disallowed_methods, reason = "the test's broker is another program")]
    pub(crate) async fn restart(&mut self) {
        let mut command = Command::new("mosquitto");
        // Debian keeps it in /usr/sbin, which is not on everybody's path.
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin");
        command.arg("-c").arg(self.folder.path().join("conf")).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("cannot start mosquitto: is the Debian package installed?");
        self.process = Some(process);
        let port = self.port;
        within("mosquitto to listen", async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                let ended = self.process.as_mut().and_then(|process| process.try_wait().unwrap());
                assert!(ended.is_none(), "mosquitto ended: {}", self.log());
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Listens to what the broker counts, from now on: a figure that does not change it forgets after a minute.
    pub(crate) fn watch(&self) -> Figures {
        let config = config::Broker { client_id: "watcher".into(), ..session::broker(self.port, MqttVersion::V5) };
        let (sender, messages) = mpsc::channel(1024);
        let stop = CancellationToken::new();
        let topics = [DROPPED, UPTIME].map(Filter::from).to_vec();
        let session = Session::start(&config, topics, sender, stop.clone()).unwrap();
        Figures { messages, session, _stop: stop.drop_guard() }
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.process.as_ref().expect("mosquitto runs").id().to_string();
        #[expect(clippy::disallowed_methods, reason = "signals to the test's broker")]
        let status = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(status.success());
    }

    /// Makes the broker write what it keeps to disk, and returns when it has.
    pub(crate) async fn save(&self) {
        let saved = || self.log().matches("Saving in-memory database").count();
        let file = self.folder.path().join("mosquitto.db");
        let (before, _) = (saved(), fs::remove_file(&file));
        self.signal("-USR1");
        within("mosquitto to save", async {
            // The file appears under its name only when complete.
            while saved() == before || !file.exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }

    /// The rest of the log has this by now or soon.
    pub(crate) async fn logged(&self, text: &str) {
        within(text, async {
            while !self.log().contains(text) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }
}

const DROPPED: &str = "$SYS/broker/publish/messages/dropped";
const UPTIME: &str = "$SYS/broker/uptime";

pub(crate) struct Figures {
    messages: mpsc::Receiver<Message>,
    session: Session,
    _stop: DropGuard,
}

impl Figures {
    /// Messages that the broker gave up for want of room.
    pub(crate) async fn n_dropped(mut self) -> u64 {
        let mut n_dropped = None;
        let mut take = |message: Message| {
            self.session.acks().acknowledge(&[message.receipt]);
            if &*message.topic == DROPPED {
                n_dropped = Some(String::from_utf8_lossy(&message.payload).parse().unwrap());
            }
            &*message.topic == UPTIME
        };
        while let Ok(message) = self.messages.try_recv() {
            take(message);
        }
        // By the second uptime from here whatever was to be counted before is counted.
        let mut n_uptimes = 0;
        while n_uptimes < 2 {
            let message = within("the broker's figures", self.messages.recv()).await.expect("the session ended");
            n_uptimes += usize::from(take(message));
        }
        n_dropped.expect("the broker no longer counts what it drops under this name")
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.kill();
    }
}
