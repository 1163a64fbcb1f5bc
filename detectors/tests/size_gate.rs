//! What the size gate earns by the frames of real visits, as four encoders sent them (`fixtures/video/README.md`).

use outpost_detectors::size_gate::{SizeGate, Standing};

/// Frames a line: bytes of a delta frame, or what a key frame showed.
fn earned(frames: &str) -> Standing {
    let mut gate = SizeGate::default();
    for frame in frames.lines() {
        if let Ok(n_bytes) = frame.parse() {
            gate.delta(n_bytes);
            continue;
        }
        let said = gate.take();
        match frame {
            "moved" | "still" => gate.judge(said, frame == "moved"),
            other => assert_eq!(other, "-"),
        }
    }
    gate.standing()
}

#[test]
fn where_quality_is_held_constant_no_visit_is_missed_and_little_stirs_at_rest() {
    for frames in [
        include_str!("../../fixtures/video/visits-quality-clean.txt"),
        include_str!("../../fixtures/video/visits-quality-noisy.txt"),
    ] {
        let standing = earned(frames);
        assert!(standing.is_trusted && standing.misses == 0.0 && standing.onsets > 10.0, "{standing:?}");
        assert!(standing.auc > Some(0.9) && standing.false_share < Some(0.1), "{standing:?}");
    }
}

#[test]
fn where_the_bit_rate_is_held_constant_sizes_tell_nothing_and_are_not_trusted() {
    let standing = earned(include_str!("../../fixtures/video/visits-rate-noisy.txt"));
    assert!(!standing.is_trusted && standing.misses > 10.0, "{standing:?}");
    assert!(standing.auc < Some(0.7), "{standing:?}");
}
