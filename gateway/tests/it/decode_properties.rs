//! Whatever bytes come, decoding neither panics nor loses a message, and what it says is within its bounds.

use std::sync::OnceLock;

use outpost::decode::{Decoded, PLACE_BYTES_MAX, REJECTS_LISTED_MAX};
use outpost_detectors::observation::Fact;
use proptest::prelude::*;

use crate::decode_fixtures::{Fixture, fixtures};

const EARLIEST_MS: i64 = 946_684_800_000;
const AHEAD_MAX_MS: i64 = 86_400_000;

fn all() -> &'static [Fixture] {
    static FIXTURES: OnceLock<Vec<Fixture>> = OnceLock::new();
    FIXTURES.get_or_init(fixtures)
}

/// Decodes under every feed that the fixtures have, into one buffer, as the gateway does.
fn check(payload: &[u8], fixture: &Fixture, decoded: &mut Decoded) -> Result<(), TestCaseError> {
    decoded.clear();
    fixture.decoder.decode(&fixture.topic, payload, fixture.received_ms, decoded);
    let n_told = decoded.observations.len() as u64 + decoded.n_rejected() + decoded.n_ignored;
    prop_assert!(n_told > 0, "nothing was said of the message");
    prop_assert!(decoded.rejects.len() <= REJECTS_LISTED_MAX);
    prop_assert!(decoded.requests.len() <= 1);
    for reject in &decoded.rejects {
        prop_assert!(reject.place.len() <= PLACE_BYTES_MAX, "{}", reject.place);
        prop_assert!(!reject.place.chars().any(char::is_control), "{:?}", reject.place);
    }
    for observation in &decoded.observations {
        prop_assert!(observation.at_ms >= EARLIEST_MS);
        prop_assert!(observation.at_ms <= fixture.received_ms + AHEAD_MAX_MS);
        match &observation.fact {
            Fact::Reading(reading) => prop_assert!(reading.value.is_finite()),
            Fact::Position(position) => {
                prop_assert!((-180.0..=180.0).contains(&position.lon) && (-90.0..=90.0).contains(&position.lat));
                prop_assert!(position.accuracy_m.is_none_or(|accuracy| accuracy >= 0.0));
            }
            Fact::Thermal(frame) => {
                // A bad pixel among bad ones stays none.
                prop_assert!(!frame.celsius.iter().any(|pixel| pixel.is_infinite()));
                prop_assert!(frame.celsius.iter().any(|pixel| pixel.is_finite()));
            }
            other => prop_assert!(false, "no decoder makes {other:?}"),
        }
    }
    Ok(())
}

/// A way to break a payload.
#[derive(Debug, Clone)]
enum Damage {
    Flip { at: prop::sample::Index, bits: u8 },
    Cut { at: prop::sample::Index },
    Insert { at: prop::sample::Index, bytes: Vec<u8> },
    Repeat { from: prop::sample::Index, n_bytes: usize, n_times: usize },
}

fn any_damage() -> impl Strategy<Value = Damage> {
    let index = any::<prop::sample::Index>;
    let word = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..4),
        prop::sample::select(vec![
            &b"null"[..],
            b"-",
            b"1e999",
            b"\"",
            b"[",
            b"]",
            b"{",
            b"}",
            b",",
            b"1e308",
            b"\\ud800",
            b"true",
            b"-1e300",
            // CBOR: endless array, map and text, break, infinity, decimal fraction, tag, a length beyond all payloads.
            b"\x9f",
            b"\xbf",
            b"\x7f",
            b"\xff",
            b"\xf9\x7c\x00",
            b"\xc4\x82\x1a\x7f\xff\xff\xff\x01",
            b"\xd9\xd9\xf7",
            b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        ])
        .prop_map(<[u8]>::to_vec),
    ];
    prop_oneof![
        (index(), 1u8..).prop_map(|(at, bits)| Damage::Flip { at, bits }),
        index().prop_map(|at| Damage::Cut { at }),
        (index(), word).prop_map(|(at, bytes)| Damage::Insert { at, bytes }),
        (index(), 1usize..20, 1usize..200).prop_map(|(from, n_bytes, n_times)| Damage::Repeat {
            from,
            n_bytes,
            n_times
        }),
    ]
}

fn damaged(payload: &[u8], damages: &[Damage]) -> Vec<u8> {
    let mut bytes = payload.to_vec();
    for damage in damages {
        if bytes.is_empty() {
            break;
        }
        match damage {
            Damage::Flip { at, bits } => {
                let at = at.index(bytes.len());
                bytes[at] ^= bits;
            }
            Damage::Cut { at } => bytes.truncate(at.index(bytes.len())),
            Damage::Insert { at, bytes: new } => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, new.iter().copied());
            }
            Damage::Repeat { from, n_bytes, n_times } => {
                let from = from.index(bytes.len());
                let part = bytes[from..bytes.len().min(from + n_bytes)].repeat(*n_times);
                bytes.splice(from..from, part);
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn arbitrary_bytes_are_told_and_never_panic(payload in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut decoded = Decoded::new();
        for fixture in all() {
            check(&payload, fixture, &mut decoded)?;
        }
    }

    #[test]
    fn text_that_looks_like_json_is_told_and_never_panics(
        payload in "[\\[\\]{}:,\"0-9.eE+a-z_-]{0,60}",
    ) {
        let mut decoded = Decoded::new();
        for fixture in all() {
            check(payload.as_bytes(), fixture, &mut decoded)?;
        }
    }

    #[test]
    fn damaged_payloads_are_told_and_never_panic(
        which in any::<prop::sample::Index>(), damages in prop::collection::vec(any_damage(), 1..5),
    ) {
        let fixture = &all()[which.index(all().len())];
        check(&damaged(&fixture.payload, &damages), fixture, &mut Decoded::new())?;
    }
}
