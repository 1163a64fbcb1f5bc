//! What camera tests stand on: a real gst-rtsp-server, a scripted one, and a collector of observations.

#![expect(clippy::unwrap_used, reason = "shared by tests: a failure here is a failed test")]

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use outpost::config;
use outpost::demo::camera::{Clip, serve};
use outpost::objects::Judge;
use outpost::video::{Cameras, Counts, Wires};
use outpost_detectors::observation::{Fact, LinkReason, LinkState, Observation, PictureFacts};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

/// Far above what anything here takes: a test that gets here has failed.
const DEADLINE: Duration = Duration::from_secs(60);

/// A camera by Debian's gst-rtsp-server; dies with the value.
pub(crate) struct GstCamera {
    child: Child,
    pub(crate) port: u16,
}

impl GstCamera {
    /// Port 0 takes a free one.
    pub(crate) fn start(port: u16, codec: &str, credentials: &[&str]) -> GstCamera {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/gst_camera.py");
        #[expect(clippy::disallowed_methods, reason = "tests start the real server")]
        let mut command = Command::new("/usr/bin/python3");
        command.arg(script).arg(port.to_string()).arg(codec).args(credentials).stdout(Stdio::piped());
        let mut child = command.spawn().expect("python3 starts");
        let stdout = child.stdout.take().expect("stdout is piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("the server says its port");
        let port =
            line.trim().parse().expect("gst-rtsp-server runs: install gir1.2-gst-rtsp-server-1.0 and python3-gi");
        GstCamera { child, port }
    }

    pub(crate) fn url(&self) -> String {
        format!("rtsp://127.0.0.1:{}/live", self.port)
    }

    /// `STOP` freezes the camera as a hung firmware would, `CONT` goes on.
    pub(crate) fn signal(&self, name: &str) {
        #[expect(clippy::disallowed_methods, reason = "the only way to freeze a process")]
        let done = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(done.expect("kill runs").success());
    }
}

impl Drop for GstCamera {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A camera by VLC, which serves over UDP only; dies with the value.
pub(crate) struct VlcCamera {
    child: Child,
    port: u16,
}

impl VlcCamera {
    pub(crate) async fn start() -> VlcCamera {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let sout = format!("#rtp{{sdp=rtsp://127.0.0.1:{free}/live}}");
        // VLC does not run as root, as containers do.
        let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
        #[expect(clippy::disallowed_methods, reason = "tests start the real server")]
        let mut command = Command::new(if is_root { "setpriv" } else { "vlc" });
        if is_root {
            command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "vlc"]);
        }
        let clip = std::fs::canonicalize(fixture("visitors.h264")).unwrap();
        // Nobody may read the repository of root: the clip goes in by the pipe.
        command.args(["-I", "dummy", "--no-audio", "--demux", "h264", "--h264-fps", "10", "fd://0", "--sout", &sout]);
        command.env("HOME", "/tmp").stdin(std::fs::File::open(clip).unwrap());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("vlc starts: install vlc-bin and vlc-plugin-base");
        let deadline = Instant::now() + DEADLINE;
        while TcpStream::connect(("127.0.0.1", free)).await.is_err() {
            assert!(child.try_wait().unwrap().is_none(), "vlc ended: install vlc-bin and vlc-plugin-base");
            assert!(Instant::now() < deadline, "vlc does not listen");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        VlcCamera { child, port: free }
    }

    pub(crate) fn url(&self) -> String {
        format!("rtsp://127.0.0.1:{}/live", self.port)
    }
}

impl Drop for VlcCamera {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The product's demo camera: a good neighbour for bad ones.
pub(crate) async fn demo_camera(stop: &CancellationToken) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("rtsp://{}/demo", listener.local_addr().unwrap());
    let clip = Clip::from_annex_b(&std::fs::read(fixture("visitors.h264")).unwrap()).unwrap();
    tokio::spawn(serve(listener, Arc::new(clip), 10.0, stop.clone()));
    url
}

/// A recorded stream of the fixtures, at ten pictures a second, as it is in a file.
#[expect(clippy::disallowed_methods, reason = "another program's file")]
pub(crate) fn mp4(folder: &Path, name: &str, input: &str, more: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let done = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y", "-r", "10", "-i"])
        .arg(fixture(input))
        .args(["-c", "copy"])
        .args(more)
        .arg(&path)
        .status()
        .expect("ffmpeg is installed (make packages-test)");
    assert!(done.success());
    path
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/video").join(name)
}

/// Configuration with short limits; `more` is TOML.
pub(crate) fn camera(id: &str, url: &str, more: &str) -> config::Camera {
    let limits =
        ["open_timeout = \"3s\"", "stall_after = \"3s\"", "retry_max = \"1s\"", "frame_bytes_max = \"256KiB\""];
    let given = |limit: &str| more.contains(limit.split_once(" =").map_or(limit, |(key, _)| key));
    let limits: Vec<&str> = limits.into_iter().filter(|limit| !given(limit)).collect();
    toml::from_str(&format!("id = {id:?}\nurl = {url:?}\n{}\n{more}", limits.join("\n"))).expect("test configuration")
}

/// Cameras and all that they said.
pub(crate) struct Watched {
    pub(crate) cameras: Cameras,
    out: mpsc::Receiver<Observation>,
    stop: CancellationToken,
    heard: Vec<Observation>,
}

impl Watched {
    pub(crate) fn start(cameras: &[config::Camera]) -> Watched {
        let (sender, out) = mpsc::channel(64);
        let stop = CancellationToken::new();
        let cameras = Cameras::start(
            cameras,
            usize::MAX,
            &config::Video::default(),
            &HashMap::new(),
            Wires { observations: sender, clips: mpsc::channel(1).0, judge: Judge::default() },
            stop.clone(),
        )
        .unwrap();
        Watched { cameras, out, stop, heard: Vec::new() }
    }

    /// The first observation from here on for which `wanted` gives something.
    pub(crate) async fn until<T>(&mut self, what: &str, mut wanted: impl FnMut(&Observation) -> Option<T>) -> T {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let Ok(Some(observation)) = timeout_at(deadline, self.out.recv()).await else {
                let links = self.heard.iter().filter(|heard| matches!(heard.fact, Fact::Link(_)));
                let links: Vec<_> = links.map(|heard| (&heard.source, &heard.fact)).collect();
                panic!("no {what}; links were {links:?}; counters are {:?}", self.cameras.counters());
            };
            let found = wanted(&observation);
            self.heard.push(observation);
            if let Some(found) = found {
                return found;
            }
        }
    }

    pub(crate) async fn until_link(&mut self, source: &str, state: LinkState) -> Option<LinkReason> {
        let what = format!("{state:?} of {source}");
        self.until(&what, |observation| match &observation.fact {
            Fact::Link(link) if link.state == state && &*observation.source == source => Some(link.reason),
            _ => None,
        })
        .await
    }

    pub(crate) async fn until_picture(&mut self, source: &str) -> PictureFacts {
        self.until("picture", |observation| match &observation.fact {
            Fact::Picture(picture) if &*observation.source == source => Some(picture.clone()),
            _ => None,
        })
        .await
    }

    /// Links that a source has reported so far.
    pub(crate) fn links(&self, source: &str) -> Vec<LinkState> {
        let of_source = self.heard.iter().filter(|heard| &*heard.source == source);
        of_source.filter_map(|heard| if let Fact::Link(link) = &heard.fact { Some(link.state) } else { None }).collect()
    }

    pub(crate) fn counts(&self, source: &str) -> Counts {
        self.cameras.counters().into_iter().find(|counts| &*counts.source == source).expect("source is watched")
    }

    /// Everything ends when it is asked to.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        self.out.close();
        let ended = tokio::time::timeout(DEADLINE, self.cameras.stopped()).await;
        assert!(ended.is_ok(), "cameras did not stop");
    }
}

/// A camera that says what a script lets it: each verb is one request answered.
pub(crate) struct Scripted {
    stream: TcpStream,
    inbox: Vec<u8>,
}

pub(crate) const SDP: &str = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\na=control:*\r\n\
    m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:track1\r\n";

impl Scripted {
    /// Where it is reached.
    pub(crate) fn address(&self) -> String {
        self.stream.local_addr().unwrap().to_string()
    }

    /// Reads one request; its `CSeq`. `None` when the client is gone.
    pub(crate) async fn hear(&mut self) -> Option<String> {
        self.hear_method().await.map(|(_, cseq)| cseq)
    }

    /// The same with its method.
    pub(crate) async fn hear_method(&mut self) -> Option<(String, String)> {
        loop {
            if let Some(end) = self.inbox.windows(4).position(|w| w == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&self.inbox[..end]).into_owned();
                self.inbox.drain(..end + 4);
                let cseq = head.lines().find_map(|line| line.strip_prefix("CSeq: ")).unwrap_or("0");
                let method = head.split(' ').next().unwrap_or_default();
                return Some((method.to_owned(), cseq.to_owned()));
            }
            if self.stream.read_buf(&mut self.inbox).await.ok()? == 0 {
                return None;
            }
        }
    }

    /// Answers one request with `head`, a status and fields, and `body`.
    pub(crate) async fn answer(&mut self, head: &str, body: &str) {
        if let Some(cseq) = self.hear().await {
            let len = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
            self.say(format!("RTSP/1.0 {head}\r\nCSeq: {cseq}\r\n{len}\r\n{body}").as_bytes()).await;
        }
    }

    pub(crate) async fn answer_describe(&mut self) {
        self.answer("200 OK\r\nContent-Type: application/sdp", SDP).await;
    }

    pub(crate) async fn answer_setup(&mut self) {
        self.answer("200 OK\r\nSession: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=00000001", "").await;
    }

    pub(crate) async fn answer_play(&mut self) {
        self.answer("200 OK\r\nSession: 1", "").await;
    }

    pub(crate) async fn open(&mut self) {
        self.answer_describe().await;
        self.answer_setup().await;
        self.answer_play().await;
    }

    /// False when the client is gone.
    pub(crate) async fn say(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok()
    }

    /// One RTP packet on the video channel.
    pub(crate) async fn say_rtp(&mut self, sequence: u16, time: u32, payload: &[u8]) -> bool {
        self.say_rtp_marked(sequence, time, payload, false).await
    }

    /// The same; `mark` ends an access unit.
    pub(crate) async fn say_rtp_marked(&mut self, sequence: u16, time: u32, payload: &[u8], mark: bool) -> bool {
        let mut packet = vec![b'$', 0];
        packet.extend((12 + payload.len() as u16).to_be_bytes());
        packet.extend([0x80, 96 | u8::from(mark) << 7]);
        packet.extend(sequence.to_be_bytes());
        packet.extend(time.to_be_bytes());
        packet.extend([0, 0, 0, 1]);
        packet.extend(payload);
        self.say(&packet).await
    }

    /// Says nothing more until the client hangs up.
    pub(crate) async fn hang(&mut self) {
        while self.hear().await.is_some() {}
    }
}

/// Serves every connection by `script`, until the test's runtime ends.
pub(crate) async fn scripted<F>(script: impl Fn(Scripted) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("rtsp://{}/live", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(script(Scripted { stream, inbox: Vec::new() }));
        }
    });
    url
}
