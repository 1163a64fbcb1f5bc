//! Watch over what the gateway finds wrong with its decoders and with how cameras send: held both ways, and with the last picture.

use super::*;
use crate::nouns::{SnapshotAsk, TroubleKind, Why, trouble};

const CAMERAS: &str = r#"
    cameras = [
      { id = "a", url = "rtsp://192.0.2.1/" },
      { id = "b", url = "rtsp://192.0.2.2/", ailments = [] },
    ]
"#;

fn watch() -> Watch {
    Watch::new(&toml::from_str(CAMERAS).unwrap(), &FenceSet::default()).unwrap()
}

fn told(kind: TroubleKind, source: &str, is_on: bool, at_s: i64) -> Trouble {
    let why = Why { text: "because".into(), figures: Vec::new() };
    Trouble { kind, source: source.into(), is_on, why, at_ms: at_s * 1000 }
}

/// What opened and cleared, with the second, while this was told.
fn played(watch: &mut Watch, troubles: &[Trouble], until_s: i64) -> Vec<String> {
    let mut words = Vec::new();
    let mut note = |effects: &mut Vec<Effect>| {
        words.extend(effects.drain(..).filter_map(|effect| match effect {
            Effect::Open(alert) => {
                Some(format!("{} open {} {}", alert.opened_ms / 1000, alert.key.rule, alert.key.source))
            }
            Effect::Clear(cleared) => Some(format!("{} clear {}", cleared.cleared_ms / 1000, cleared.key.rule)),
            _ => None,
        }));
    };
    let mut effects = Vec::new();
    for trouble in troubles {
        while watch.elapse_next(trouble.at_ms, &mut effects).is_some() {}
        watch.trouble(trouble, &mut effects);
        note(&mut effects);
    }
    while watch.elapse_next(until_s * 1000, &mut effects).is_some() {}
    note(&mut effects);
    words
}

#[test]
fn decoders_are_behind_when_they_were_for_a_minute_and_keep_up_after_another() {
    let behind = |is_on, at_s| told(TroubleKind::DecodersBehind, trouble::VIDEO, is_on, at_s);
    let moods = [(false, 10), (true, 20), (false, 79), (true, 100), (false, 200), (true, 259), (false, 300)];
    let troubles: Vec<Trouble> = moods.into_iter().map(|(is_on, at_s)| behind(is_on, at_s)).collect();
    let words = played(&mut watch(), &troubles, 1_000);
    assert_eq!(words, ["160 open decoders-behind outpost:video", "360 clear decoders-behind"]);
}

#[test]
fn a_camera_tells_of_how_it_sends_where_it_is_to_and_each_has_its_time_both_ways() {
    for (kind, held_s) in [(TroubleKind::Stalls, 0), (TroubleKind::SparseKeyFrames, 60), (TroubleKind::ClockDrift, 900)]
    {
        let troubles: Vec<Trouble> = [(false, 10), (true, 1_000), (false, 3_000)]
            .into_iter()
            .flat_map(|(is_on, at_s)| ["cam:a", "cam:b", "cam:c"].map(|source| told(kind, source, is_on, at_s)))
            .collect();
        let words = played(&mut watch(), &troubles, 10_000);
        let opened = format!("{} open {} cam:a", 1_000 + held_s, kind.rule());
        assert_eq!(words, [opened, format!("{} clear {}", 3_000 + held_s, kind.rule())]);
    }
}

#[test]
fn what_is_wrong_with_a_camera_is_shown_by_its_last_picture() {
    let (mut watch, mut effects) = (watch(), Vec::new());
    watch.trouble(&told(TroubleKind::Stalls, "cam:a", true, 1), &mut effects);
    let Some(Effect::Open(alert)) = effects.iter().find(|effect| matches!(effect, Effect::Open(_))) else {
        panic!("{effects:?}")
    };
    assert_eq!((alert.snapshot.clone(), &*alert.category), (Some(SnapshotAsk::Last), "device/camera"));
}
