//! Claims about what a viewer gets, judged by ffmpeg of the system, and about those who are too slow.

use tokio::sync::Semaphore;

use super::super::decoder::tests::units;
use super::*;

fn shots(name: &str) -> Vec<Shot> {
    let shot = |(at, (data, key)): (usize, (Bytes, bool))| {
        let ms = at as i64 * 100;
        Shot { data, key, received_ms: 1_790_000_000_000 + ms, media_ms: Some(7_000 + ms) }
    };
    units(name).into_iter().enumerate().map(shot).collect()
}

fn seat() -> Seat {
    Seat::new(Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap(), Arc::default())
}

impl Watcher {
    fn n_let_go(&self) -> u64 {
        self.seat.counters.slow_viewers.load(Relaxed)
    }
}

fn watch(begun: &[Shot]) -> (Watcher, Live) {
    let (watcher, watched) = pair(Codec::H264, begun.iter().cloned().collect(), seat());
    (watcher, Live::new("cam:hall".into(), watched).unwrap())
}

/// All that comes after the camera is gone.
async fn rest(live: &mut Live) -> Vec<Bytes> {
    let mut out = Vec::new();
    while let Some(boxes) = live.next().await {
        out.push(boxes);
    }
    out
}

fn last_word(boxes: &[Bytes]) -> String {
    let last = boxes.last().unwrap();
    let at = last.windows(4).rposition(|four| four == b"free").unwrap();
    let n_bytes = u32::from_be_bytes(last[at - 4..at].try_into().unwrap()) as usize;
    assert_eq!(at - 4 + n_bytes, last.len(), "it is the last box");
    String::from_utf8(last[at + 4..].to_vec()).unwrap()
}

/// What ffmpeg makes of it, without a complaint: size and time of each picture.
#[expect(clippy::disallowed_methods, reason = "the judge is another program")]
fn judged(film: &[u8]) -> Vec<String> {
    let file = tempfile::NamedTempFile::with_suffix(".mp4").unwrap();
    std::fs::write(file.path(), film).unwrap();
    let decoded = std::process::Command::new("ffmpeg")
        .args(["-nostdin", "-v", "warning", "-i"])
        .arg(file.path())
        .args(["-f", "framemd5", "-fps_mode", "passthrough", "-"])
        .output()
        .expect("ffmpeg is installed (make packages-test)");
    assert_eq!(String::from_utf8_lossy(&decoded.stderr), "");
    let text = String::from_utf8(decoded.stdout).unwrap();
    text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

#[tokio::test]
async fn what_comes_is_a_film_from_the_last_key_frame_on() {
    let shots = shots("visitors.h264");
    let (watcher, mut live) = watch(&shots[..3]);
    assert!(live.mime().starts_with("video/mp4; codecs=\"avc1."), "{}", live.mime());
    let mut film = vec![live.next().await.unwrap(), live.next().await.unwrap()];
    for shot in &shots[3..60] {
        assert!(watcher.offer(shot));
    }
    drop(watcher);
    film.extend(rest(&mut live).await);
    assert_eq!(last_word(&film), "over");
    assert!(live.next().await.is_none(), "and nothing after that");
    assert_eq!(judged(&film.concat()).len(), 60);
}

#[tokio::test]
async fn who_is_too_slow_is_let_go_and_told_so() {
    let shots = shots("visitors.h264");
    let (watcher, mut live) = watch(&shots[..1]);
    let n_taken = (1..).take_while(|at| watcher.offer(&shots[at % shots.len()])).count();
    assert!(n_taken <= WAITING_MAX, "{n_taken}");
    assert_eq!(watcher.n_let_go(), 1);
    drop(watcher);
    assert_eq!(last_word(&rest(&mut live).await), "slow");
}

#[tokio::test]
async fn large_pictures_are_too_many_earlier() {
    let begun = shots("visitors.h264");
    let (watcher, mut live) = watch(&begun[..1]);
    let large = Shot { data: Bytes::from(vec![0; WAITING_BYTES_MAX / 4]), ..begun[1].clone() };
    assert_eq!((0..).take_while(|_| watcher.offer(&large)).count(), 4);
    drop(watcher);
    assert_eq!(last_word(&rest(&mut live).await), "slow");
}

#[tokio::test]
async fn who_went_is_not_slow() {
    let shots = shots("visitors.h264");
    let (watcher, live) = watch(&shots[..1]);
    drop(live);
    assert!(!watcher.offer(&shots[1]));
    assert!(!watcher.is_slow.load(Relaxed));
    assert_eq!(watcher.n_let_go(), 0);
}

#[test]
fn times_are_the_cameras_until_its_clock_jumps_and_never_go_back() {
    let shot = |received_ms: i64, media_ms: i64| Shot {
        data: Bytes::new(),
        key: false,
        received_ms,
        media_ms: Some(media_ms),
    };
    let mut reel = Reeling::new(Codec::H264, &shot(50_000, 7_000));
    let mut timing = |received_ms: i64, media_ms: i64| {
        let Timing { decode_ms, offset_ms } = reel.timing(&shot(received_ms, media_ms));
        (decode_ms, offset_ms)
    };
    assert_eq!(timing(50_000, 7_000), (0, 0));
    assert_eq!(timing(50_140, 7_120), (120, 0));
    // Shown before the one that came before it.
    assert_eq!(timing(50_150, 7_040), (121, -81));
    assert_eq!(timing(50_250, 7_240), (240, 0));
    assert_eq!(timing(50_350, 99_000), (350, 0), "the clock was set");
    assert_eq!(timing(50_350, 99_100), (351, 0));
}
