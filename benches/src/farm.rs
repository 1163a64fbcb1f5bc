//! Thousands of cameras from one process: a clip packetised beforehand, served by RTSP over TCP to any number of viewers.
//!
//! Viewers are spread over [`PHASES`] phases. Those of one phase get the same packets at the same moment, stamped once;
//! phases are apart in time and in the clip, so that neither pictures nor key frames of all cameras come together.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use outpost::demo::camera::Clip;
use outpost::demo::rtsp::{Inbox, Then, answer};
use tokio::io::AsyncReadExt;
use tokio::net::TcpSocket;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::Failure;

const PHASES: usize = 64;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 4_096;

/// Bytes that a viewer is behind at most; what does not fit is counted and left out, as a camera's encoder would.
const BEHIND_BYTES_MAX: usize = 1 << 20;

/// A camera at `/flap` hangs up after so many pictures.
const FLAP_PICTURES: u64 = 60;

const RTP_CLOCK_HZ: f64 = 90_000.0;

/// `CLIP FPS`: prints the port. `/clip…` plays, `/flap…` plays and hangs up again and again, `/silent…` takes the connection and
/// says nothing. Each path may be asked for by any number of viewers.
pub async fn run(words: &[&str]) -> Result<(), Failure> {
    let [file, fps] = words else { return Err("expected CLIP FPS".into()) };
    let clip = Arc::new(Clip::from_annex_b(&std::fs::read(file)?)?);
    let fps: f64 = fps.parse()?;
    let socket = TcpSocket::new_v4()?;
    socket.bind(([127, 0, 0, 1], 0).into())?;
    let listener = socket.listen(BACKLOG)?;
    println!("{}", listener.local_addr()?.port());
    let field = Arc::new(Field { phases: (0..PHASES).map(|_| Mutex::default()).collect(), next: Mutex::new(0) });
    tokio::spawn(play(field.clone(), clip.clone(), fps));
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (read, write) = stream.into_split();
        tokio::spawn(converse(read, write, clip.clone(), field.clone()));
    }
}

/// All viewers, by phase.
struct Field {
    phases: Vec<Mutex<Vec<Arc<Viewer>>>>,
    next: Mutex<usize>,
}

struct Viewer {
    write: OwnedWriteHalf,
    state: Mutex<State>,
    hang_up: Notify,
}

#[derive(Default)]
struct State {
    /// What the socket did not take yet; begins within a packet or an answer.
    behind: Vec<u8>,
    pictures_left: Option<u64>,
    gone: bool,
}

impl Viewer {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes as much as the socket takes and keeps the rest. False when it was too far behind.
    fn say(&self, bytes: &[u8]) -> bool {
        let mut state = self.state();
        if !state.behind.is_empty() {
            match self.write.try_write(&state.behind) {
                Ok(n) => drop(state.behind.drain(..n)),
                Err(error) => state.gone |= error.kind() != std::io::ErrorKind::WouldBlock,
            }
            if state.behind.len() + bytes.len() > BEHIND_BYTES_MAX {
                return false;
            }
        }
        let taken = if state.behind.is_empty() { self.write.try_write(bytes) } else { Ok(0) };
        match taken {
            Ok(n) => state.behind.extend_from_slice(&bytes[n..]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => state.behind.extend_from_slice(bytes),
            Err(_) => state.gone = true,
        }
        true
    }
}

/// Answers one client's requests; on PLAY it becomes a viewer.
async fn converse(mut read: OwnedReadHalf, write: OwnedWriteHalf, clip: Arc<Clip>, field: Arc<Field>) {
    let viewer = Arc::new(Viewer { write, state: Mutex::default(), hang_up: Notify::new() });
    let (mut inbox, mut playing) = (Inbox::default(), false);
    loop {
        let got = tokio::select! {
            () = viewer.hang_up.notified() => break,
            got = read.read_buf(&mut inbox.bytes) => got,
        };
        if !matches!(got, Ok(1..)) {
            break;
        }
        while let Ok(Some(request)) = inbox.request() {
            let path = request.split('/').nth(3).unwrap_or_default();
            if path.starts_with("silent") {
                continue;
            }
            if path.starts_with("flap") {
                viewer.state().pictures_left.get_or_insert(FLAP_PICTURES);
            }
            let answer = answer(&request, clip.sdp());
            viewer.say(answer.text.as_bytes());
            if answer.then == Then::Play && !std::mem::replace(&mut playing, true) {
                let mut next = field.next.lock().unwrap_or_else(PoisonError::into_inner);
                field.phases[*next % PHASES].lock().unwrap_or_else(PoisonError::into_inner).push(viewer.clone());
                *next += 1;
            }
        }
    }
    viewer.state().gone = true;
}

/// Sends every phase its next picture when it is due, for ever; says each ten seconds how many pictures were left out.
async fn play(field: Arc<Field>, clip: Arc<Clip>, fps: f64) {
    const REPORT_EVERY: Duration = Duration::from_secs(10);
    let step = Duration::from_secs_f64(1.0 / fps / PHASES as f64);
    let (begun, mut reported) = (Instant::now(), Instant::now());
    let (mut sequences, mut skipped) = ([0u16; PHASES], 0u64);
    for turn in 0u64.. {
        let (phase, sent) = ((turn % PHASES as u64) as usize, turn / PHASES as u64);
        tokio::time::sleep_until(begun + step.mul_f64(turn as f64)).await;
        let number = sent + (phase * clip.len() / PHASES) as u64;
        let rtp_time = (sent as f64 * RTP_CLOCK_HZ / fps) as u64 as u32;
        let bytes = clip.picture(number, &mut sequences[phase], rtp_time);
        let mut viewers = field.phases[phase].lock().unwrap_or_else(PoisonError::into_inner);
        viewers.retain(|viewer| {
            skipped += u64::from(!viewer.say(&bytes));
            let mut state = viewer.state();
            if let Some(left) = &mut state.pictures_left {
                *left = left.saturating_sub(1);
                state.gone |= *left == 0;
            }
            if state.gone {
                viewer.hang_up.notify_one();
            }
            !state.gone
        });
        drop(viewers);
        if reported.elapsed() > REPORT_EVERY && skipped > 0 {
            eprintln!("{skipped} pictures were left out: viewers are behind");
            (reported, skipped) = (Instant::now(), 0);
        }
    }
}
