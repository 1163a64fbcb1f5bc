//! Rules about pictures over pictures that are written down.

use outpost_detectors::observation::Sight;
use outpost_detectors::tracker::TRACKS_MAX;
use proptest::prelude::*;

use super::*;

/// The lower half of the picture; a line up its middle; ground that is 10 m wide at the lower edge.
fn framing() -> Framing {
    let pair = |at, lon: f64, lat: f64| crate::config::GroundPair { at, place: [106.0 + lon, 29.8 + lat] };
    // A degree of longitude is 96.7 km here, one of latitude 110.8 km.
    let pairs = [
        pair([0.0, 1.0], 0.0, 0.0),
        pair([1.0, 1.0], 10.0 / 96_671.0, 0.0),
        pair([0.75, 0.5], 15.0 / 96_671.0, 20.0 / 110_848.0),
        pair([0.25, 0.5], -5.0 / 96_671.0, 20.0 / 110_848.0),
    ];
    Framing {
        zone: PictureZone::rectangle([0.0, 0.5], [1.0, 1.0]).ok().map(Arc::new),
        line: PictureLine::new(&[[0.5, 1.0], [0.5, 0.0]]).ok().map(Arc::new),
        ground: ground(&pairs).ok().map(Arc::new),
        absorb_ms: 60_000,
        young_ms: 0,
    }
}

fn rule(detect: &str) -> PictureRule {
    #[derive(serde::Deserialize)]
    struct Only {
        detect: Detect,
    }
    PictureRule::new(&toml::from_str::<Only>(&format!("detect = {{ {detect} }}")).unwrap().detect).unwrap().0
}

/// A person of this size whose foot is there.
fn standing(x: f32, y: f32, width: f32, height: f32) -> Blob {
    Blob { left: x - width / 2.0, right: x + width / 2.0, top: y - height, bottom: y, area: width * height }
}

fn picture(things: &[(u64, Blob, i64)]) -> PictureFacts {
    let track = |(id, blob, still_ms): &(u64, Blob, i64)| Track {
        id: *id,
        blob: *blob,
        since_ms: 0,
        still_ms: *still_ms,
        travelled: 0.0,
    };
    PictureFacts {
        pixels: [1600, 900],
        blobs: things.iter().map(|thing| thing.1).collect(),
        tracks: things.iter().map(track).collect(),
        ..PictureFacts::default()
    }
}

/// Whether each picture, a second after the other, is a finding; none where it says nothing.
fn judged(rule: &PictureRule, framing: &Framing, pictures: &[PictureFacts]) -> Vec<Option<bool>> {
    let (mut memory, mut counted) = (Memory::default(), CountingState::default());
    let judge = |(second, facts): (usize, &PictureFacts)| {
        let finding = rule.judge(framing, &mut memory, &mut counted, facts, second as i64 * 1000);
        finding.map(|finding| finding.signal == Signal::On)
    };
    pictures.iter().enumerate().map(judge).collect()
}

fn is_found(detect: &str, blob: Blob) -> bool {
    judged(&rule(detect), &framing(), &[picture(&[(1, blob, 0)])]) == [Some(true)]
}

#[test]
fn sizes_are_shares_pixels_and_metres() {
    // At the lower edge 0.05 of the width is half a metre, and 0.35 of the height as much as 0.2 of the width: 2 m.
    let person = standing(0.5, 1.0, 0.05, 0.32);
    let intrusion = |things: &str| format!(r#"kind = "intrusion", zone = "z", things = {{ {things} }}"#);
    for (things, expected) in [
        ("min_area = 0.01", true),
        ("min_area = 0.02", false),
        ("max_area = 0.01", false),
        ("min_px = [60, 200]", true),
        ("min_px = [90, 200]", false),
        ("max_px = [100, 280]", false),
        ("max_px = [100, 300]", true),
        ("min_m = [0.4, 1.5], max_m = [0.6, 2.0]", true),
        ("min_m = [0.4, 2.0]", false),
        ("max_m = [0.4, 3.0]", false),
    ] {
        assert_eq!(is_found(&intrusion(things), person), expected, "{things}");
    }
    // As large in the picture, but twice as far away: a van.
    assert!(!is_found(&intrusion("max_m = [0.6, 2.0]"), standing(0.5, 0.6, 0.05, 0.32)));
    let blind = Framing { ground: None, ..framing() };
    let facts = [picture(&[(1, person, 0)])];
    assert_eq!(judged(&rule(&intrusion("min_m = [0.1, 0.1]")), &blind, &facts), [Some(false)], "no ground, no metres");
}

#[test]
fn a_box_is_in_a_zone_by_its_foot_or_by_its_share() {
    let reaching_in = standing(0.5, 0.45, 0.1, 0.3);
    let half_in = standing(0.5, 0.65, 0.1, 0.3);
    let by_foot = r#"kind = "intrusion", zone = "z""#;
    let by_share = r#"kind = "intrusion", zone = "z", things = { overlap = 0.6 }"#;
    assert_eq!([reaching_in, half_in].map(|blob| is_found(by_foot, blob)), [false, true]);
    assert_eq!([half_in, standing(0.5, 0.75, 0.1, 0.3)].map(|blob| is_found(by_share, blob)), [false, true]);
}

#[test]
fn a_crowd_is_counted_or_covers_the_zone() {
    let row = |n: u64| -> Vec<(u64, Blob, i64)> {
        (1..=n).map(|id| (id, standing(0.1 * id as f32, 0.9, 0.08, 0.3), 0)).collect()
    };
    let facts = [picture(&row(3)), picture(&row(4)), picture(&row(9))];
    let counted = rule(r#"kind = "crowd", zone = "z", count = 4"#);
    assert_eq!(judged(&counted, &framing(), &facts), [Some(false), Some(true), Some(true)]);
    // Nine of 0.08 x 0.3 are 43 % of half a picture.
    let covered = rule(r#"kind = "crowd", zone = "z", share = 0.4"#);
    assert_eq!(judged(&covered, &framing(), &facts), [Some(false), Some(false), Some(true)]);
}

#[test]
fn a_camera_without_the_zone_and_a_picture_that_becomes_another_say_nothing() {
    let intrusion = rule(r#"kind = "intrusion", zone = "z""#);
    let facts = picture(&[(1, standing(0.5, 0.9, 0.1, 0.3), 0)]);
    let without = Framing { zone: None, ..framing() };
    assert_eq!(judged(&intrusion, &without, std::slice::from_ref(&facts)), [None]);
    let mut unsettled = facts.clone();
    unsettled.sight = Sight { is_unsettled: true, ..Sight::default() };
    assert_eq!(judged(&intrusion, &framing(), &[facts, unsettled]), [Some(true), None]);
}

#[test]
fn what_is_left_stays_left_when_it_belongs_to_the_background_until_it_is_taken() {
    let left = rule(r#"kind = "object-left", zone = "z", for = "30s""#);
    let bag = standing(0.5, 0.9, 0.05, 0.1);
    let mut pictures: Vec<PictureFacts> = (0..60).map(|second| picture(&[(1, bag, second * 1000)])).collect();
    // It belongs to the background now, and somebody walks past.
    pictures.extend((0..5).map(|_| picture(&[])));
    pictures.push(picture(&[(2, standing(0.52, 0.92, 0.1, 0.5), 0)]));
    pictures.extend((0..5).map(|_| picture(&[])));
    pictures.push(PictureFacts { vacated: vec![bag], ..picture(&[]) });
    let judged_all = judged(&left, &framing(), &pictures);
    let is_on: Vec<usize> = (0..judged_all.len()).filter(|second| judged_all[*second] == Some(true)).collect();
    assert_eq!(is_on, (30..71).collect::<Vec<_>>());

    // Its owner stands beside it, then goes.
    let attended = picture(&[(1, bag, 40_000), (2, standing(0.56, 0.9, 0.05, 0.4), 40_000)]);
    let owner = |mut facts: PictureFacts| {
        facts.tracks[1].travelled = 5.0;
        facts
    };
    let pictures = [owner(attended), picture(&[(1, bag, 41_000), (2, standing(0.9, 0.9, 0.05, 0.4), 0)])];
    assert_eq!(judged(&left, &framing(), &pictures), [Some(false), Some(true)]);

    // Somebody who came and stands.
    let mut stander = picture(&[(1, bag, 40_000)]);
    stander.tracks[0].travelled = 3.0;
    assert_eq!(judged(&left, &framing(), &[stander]), [Some(false)]);

    // Taken before that.
    let mut pictures: Vec<PictureFacts> = (0..40).map(|second| picture(&[(1, bag, second * 1000)])).collect();
    pictures.extend((0..5).map(|_| picture(&[])));
    assert_eq!(judged(&left, &framing(), &pictures)[38..42], [Some(true), Some(true), Some(false), Some(false)]);
}

#[test]
fn a_line_takes_each_thing_for_itself() {
    let crossing = rule(r#"kind = "line-crossing", line = "l", direction = "right-to-left", band = 0.05"#);
    // One goes to the right as another goes to the left; a new thing on the other side has crossed nothing.
    let at = |x: f32, id| (id, standing(x, 0.9, 0.05, 0.2), 0);
    let pictures = [
        picture(&[at(0.4, 1), at(0.6, 2)]),
        picture(&[at(0.6, 1), at(0.4, 2)]),
        picture(&[at(0.6, 1), at(0.4, 3)]),
        picture(&[at(0.6, 1), at(0.3, 3)]),
    ];
    assert_eq!(judged(&crossing, &framing(), &pictures), [Some(false), Some(true), Some(false), Some(false)]);
}

proptest! {
    #[test]
    fn any_pictures_leave_a_bounded_memory_and_never_panic(
        pictures in prop::collection::vec(
            (any::<i64>(), prop::collection::vec((any::<u64>(), any::<[f32; 5]>(), any::<i64>()), 0..12), any::<[u32; 2]>()),
            1..12),
    ) {
        let kinds = [
            r#"kind = "intrusion", zone = "z", things = { min_m = [0.1, 0.1], overlap = 0.1 }"#,
            r#"kind = "loitering", zone = "z", for = "5s""#,
            r#"kind = "crowd", zone = "z", share = 0.5"#,
            r#"kind = "line-crossing", line = "l""#,
            r#"kind = "counting", line = "l", n = 1, per = "60s""#,
            r#"kind = "wrong-way", along = "l", zone = "z""#,
            r#"kind = "object-left", zone = "z", for = "5s""#,
            r#"kind = "object-removed", zone = "z""#,
        ];
        for rule in kinds.map(rule) {
            let (mut memory, mut counted) = (Memory::default(), CountingState::default());
            for (at_ms, things, pixels) in &pictures {
                let blob = |[left, top, right, bottom, area]: [f32; 5]| Blob { left, top, right, bottom, area };
                let things: Vec<_> = things.iter().map(|(id, at, still_ms)| (*id, blob(*at), *still_ms)).collect();
                let facts = PictureFacts { pixels: *pixels, vacated: vec![blob([0.1; 5])], ..picture(&things) };
                rule.judge(&framing(), &mut memory, &mut counted, &facts, *at_ms);
                prop_assert!(memory.len() <= 4 * TRACKS_MAX + 16);
            }
        }
    }
}
