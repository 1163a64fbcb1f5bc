//! Claims about what is cut out of a camera's last seconds.

use bytes::Bytes;
use tokio::sync::Semaphore;

use super::*;

/// One frame in 100 ms, a key frame a second, of 100 bytes each.
fn unit(at: i64) -> AccessUnit {
    coded(at, at % 10 == 0, &[1; 60])
}

fn coded(at: i64, key: bool, parameters: &[u8]) -> AccessUnit {
    let mut data = Vec::new();
    if key {
        data.extend_from_slice(b"\0\0\0\x01\x67");
        data.extend_from_slice(parameters);
    }
    data.extend_from_slice(b"\0\0\0\x01\x65");
    data.resize(100, 0x80);
    let data = Bytes::from(data);
    AccessUnit { codec: Codec::H264, data, key, size: None, loss: 0, received_ms: at * 100, media_ms: Some(at * 100) }
}

fn reel(bytes_max: usize, room: usize) -> (Reel, mpsc::Receiver<Clip>) {
    let (out, clips) = mpsc::channel(room);
    (Reel::new(Margins { before_ms: 2_000, after_ms: 3_000 }, bytes_max, out), clips)
}

/// The times of a clip's first and last picture, in tenths of a second.
fn span(clip: Clip) -> (i64, i64) {
    let shots = clip.film.expect("there are pictures").shots;
    assert!(shots[0].key);
    (shots[0].received_ms / 100, shots.last().unwrap().received_ms / 100)
}

fn alert(n: u32) -> Arc<str> {
    format!("A-{n}").into()
}

#[test]
fn a_clip_goes_from_the_key_frame_before_its_beginning_to_its_end() {
    let (reel, mut clips) = reel(1 << 20, 4);
    (0..95).for_each(|at| reel.push(&unit(at)));
    assert!(reel.bytes() <= 40 * (100 + SHOT_OVERHEAD_BYTES), "{} bytes: old groups go", reel.bytes());
    assert_eq!(reel.take(&alert(1), 9_400), Missing::Pending);
    (95..110).for_each(|at| reel.push(&unit(at)));
    assert_eq!(reel.take(&alert(2), 10_900), Missing::Pending);
    assert!(clips.try_recv().is_err());
    (110..160).for_each(|at| reel.push(&unit(at)));
    assert_eq!(span(clips.try_recv().unwrap()), (70, 124));
    assert_eq!(span(clips.try_recv().unwrap()), (80, 139));
    assert!(reel.bytes() <= 40 * (100 + SHOT_OVERHEAD_BYTES), "what clips needed is not kept for longer");
}

#[test]
fn a_clip_ends_where_its_session_ends_its_parameters_change_or_its_room_is_used_up() {
    let (reel, mut clips) = reel(8_000, 4);
    (0..35).for_each(|at| reel.push(&unit(at)));
    reel.take(&alert(1), 3_400);
    reel.end();
    assert_eq!((span(clips.try_recv().unwrap()), reel.bytes()), ((10, 34), 0));
    assert_eq!(reel.take(&alert(2), 3_500), Missing::Gone, "there is nothing to be seen");
    (35..45).for_each(|at| reel.push(&unit(at)));
    reel.take(&alert(3), 4_400);
    (45..50).for_each(|at| reel.push(&unit(at)));
    reel.push(&coded(50, true, &[2; 60]));
    assert_eq!(span(clips.try_recv().unwrap()), (40, 49));
    (51..75).for_each(|at| reel.push(&coded(at, at % 10 == 0, &[2; 60])));
    reel.take(&alert(4), 7_400);
    (75..105).for_each(|at| reel.push(&coded(at, at % 10 == 0, &[2; 60])));
    let (from, to) = span(clips.try_recv().unwrap());
    assert!(from == 50 && (95..104).contains(&to), "8,000 bytes hold 48 pictures: {from} to {to}");
    assert!(reel.bytes() <= 8_000);
}

#[test]
fn a_disk_that_is_behind_costs_clips_and_no_memory() {
    let (reel, mut clips) = reel(20_000, 1);
    (0..30).for_each(|at| reel.push(&unit(at)));
    (0..4).for_each(|n| assert_eq!(reel.take(&alert(n), 2_900), Missing::Pending));
    (30..300).for_each(|at| {
        reel.push(&unit(at));
        assert!(reel.bytes() <= 20_000);
    });
    let told: Vec<_> = std::iter::from_fn(|| {
        let clip = clips.try_recv().ok()?;
        reel.push(&unit(300));
        Some((clip.alert.to_string(), clip.film.map(|_| ())))
    })
    .collect();
    let lost = |n: u32| (format!("A-{n}"), Err(Missing::Lost));
    assert_eq!(told, [("A-0".to_owned(), Ok(())), ("A-1".to_owned(), Ok(())), lost(2), lost(3)]);
}

#[test]
fn pictures_that_no_clip_can_be_made_of_are_not_kept() {
    let (reel, _clips) = reel(20_000, 1);
    let jpeg = AccessUnit { codec: Codec::Mjpeg, ..unit(0) };
    reel.push(&jpeg);
    assert_eq!((reel.bytes(), reel.take(&alert(1), 0)), (0, Missing::Codec));
    (1..9).for_each(|at| reel.push(&unit(at)));
    assert_eq!(reel.bytes(), 0, "nothing before the first key frame");
}

#[tokio::test]
async fn who_watches_has_the_last_key_frame_and_what_follows_until_the_parameters_change() {
    let seats = Arc::new(Semaphore::new(2));
    let seat = || Seat::new(seats.clone().try_acquire_owned().unwrap(), Arc::default());
    let watch = |reel: &Reel| reel.watch(seat()).map(|watched| watched.into_shots());
    let (reel, _clips) = reel(1 << 20, 4);
    assert_eq!(watch(&reel).unwrap_err(), Unseen::Nothing);
    (0..25).for_each(|at| reel.push(&unit(at)));
    let (begun, mut later) = watch(&reel).unwrap();
    assert_eq!(begun, [20, 21, 22, 23, 24]);
    (25..32).for_each(|at| reel.push(&unit(at)));
    reel.push(&coded(32, true, &[2; 60]));
    let mut followed = Vec::new();
    while let Some(shot) = later.recv().await {
        followed.push(shot.received_ms / 100);
    }
    assert_eq!(followed, (25..32).collect::<Vec<_>>());
    assert_eq!(seats.available_permits(), 2, "what is over takes no place");
    let (begun, _later) = watch(&reel).unwrap();
    assert_eq!((begun, seats.available_permits()), (vec![32], 1));
}
