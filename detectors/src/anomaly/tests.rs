//! Claims about the detector as a whole.

use proptest::prelude::*;

use super::*;

const CONFIG: AnomalyConfig = AnomalyConfig { learn_n: 288, resolution: 0.0, margin: MARGIN_NAB };
const STEP_MS: i64 = 600_000;

/// Days of a quiet room, a reading each ten minutes: 20 degrees, 4 up and down, and a wobble.
fn room(row: usize) -> f64 {
    20.0 + 4.0 * (row as f64 / 144.0 * std::f64::consts::TAU).sin() + 0.2 * (row as f64 * 1.7).sin()
}

fn judge(values: impl Iterator<Item = f64>) -> Vec<Judgement> {
    let mut state = AnomalyState::default();
    values.enumerate().map(|(row, value)| CONFIG.observe(&mut state, value, row as i64 * STEP_MS)).collect()
}

/// Rows from the thousandth on that are worth an alarm.
fn alarms(change: impl Fn(usize, f64) -> f64) -> Vec<usize> {
    let judged = judge((0..1_200).map(|row| if row < 1_000 { room(row) } else { change(row, room(row)) }));
    (1_000..1_200).filter(|row| judged[*row].score >= ALERT_SCORE).collect()
}

#[test]
fn a_usual_day_alarms_nobody() {
    assert_eq!(alarms(|_, usual| usual), Vec::<usize>::new());
}

#[test]
fn a_step_alarms_at_once_and_then_is_known() {
    let rows = alarms(|_, usual| usual + 8.0);
    assert_eq!(rows.first(), Some(&1_000));
    assert!(rows.len() < 30, "{} alarms", rows.len());
}

#[test]
fn a_stuck_sensor_is_too_quiet() {
    let rows = alarms(|_, _| room(999));
    assert!(rows.first().is_some_and(|row| *row < 1_036), "{rows:?}");
}

#[test]
fn a_stuck_sensor_is_told_at_a_wide_margin_too() {
    let config = AnomalyConfig { margin: 0.25, ..CONFIG };
    let mut state = AnomalyState::default();
    let mut judge = |row: usize| config.observe(&mut state, room(row.min(1_000)), row as i64 * STEP_MS);
    let alarms: Vec<(usize, Judgement)> =
        (0..1_100).map(|row| (row, judge(row))).filter(|(_, one)| one.score >= ALERT_SCORE).collect();
    assert!(alarms.iter().all(|(row, _)| *row > 1_000), "{alarms:?}");
    assert!(
        alarms.iter().any(|(row, one)| *row < 1_024 && one.why.is_some_and(|why| why.view == View::Stuck)),
        "{alarms:?}"
    );
}

#[test]
fn an_error_code_is_told_and_does_not_blind() {
    let config = AnomalyConfig { margin: 0.25, ..CONFIG };
    let mut state = AnomalyState::default();
    let mut judge = |row: usize, value: f64| config.observe(&mut state, value, row as i64 * STEP_MS).score;
    let told: Vec<usize> = (0..1_500)
        .filter(|row| {
            let value = match row {
                1_000 => -999.0,
                1_300.. => room(*row) + 30.0,
                _ => room(*row),
            };
            judge(*row, value) >= ALERT_SCORE
        })
        .collect();
    assert_eq!(told.first(), Some(&1_000));
    assert!(told.contains(&1_300), "{told:?}");
    assert!(!told.iter().any(|row| (1_030..1_300).contains(row)), "{told:?}");
}

#[test]
fn a_sensor_that_never_moves_is_not_stuck() {
    let judged = judge((0..2_000).map(|_| 21.0));
    assert!(judged.iter().all(|judgement| judgement.score == 0.0));
}

#[test]
fn an_everyday_value_at_the_wrong_hour_is_unusual() {
    // Half a day shifted: every value was seen before, at another time of the day.
    let rows = alarms(|row, _| room(row + 72));
    assert!(rows.first().is_some_and(|row| *row < 1_036), "{rows:?}");
}

#[test]
fn the_reason_names_the_range_that_was_left() {
    let judged = judge((0..1_001).map(|row| if row < 1_000 { room(row) } else { 60.0 }));
    let why = judged[1_000].why.unwrap();
    assert!(judged[1_000].score > 0.9);
    assert!(why.seen > why.high && why.high > why.low, "{why:?}");
    assert!((judged[1_000].expected - room(1_000)).abs() < 2.0, "{:?}", judged[1_000]);
}

#[test]
fn nothing_scores_while_learning() {
    let judged = judge((0..288).map(|row| if row % 50 == 0 { 1e6 } else { room(row) }));
    assert!(judged.iter().all(|judgement| judgement.score == 0.0));
}

#[test]
fn what_is_below_the_resolution_is_no_news() {
    let config = AnomalyConfig { resolution: 0.5, ..CONFIG };
    let mut state = AnomalyState::default();
    for row in 0..600 {
        let value = if row < 400 { 21.0 } else { 21.01 };
        let judgement = config.observe(&mut state, value, row * STEP_MS);
        assert!(judgement.score < ALERT_SCORE, "row {row}: {judgement:?}");
    }
}

#[test]
fn a_configuration_that_cannot_work_says_why() {
    let said = |config: AnomalyConfig| config.check().map_err(|error| error.to_string());
    assert_eq!(said(CONFIG), Ok(()));
    let learns = said(AnomalyConfig { learn_n: 39, ..CONFIG });
    assert_eq!(learns, Err("39 readings are too few to learn from, at least 40".into()));
    let resolution = said(AnomalyConfig { resolution: f64::NAN, ..CONFIG });
    assert_eq!(resolution, Err("resolution NaN is not a finite number of at least 0".into()));
    let margin = said(AnomalyConfig { margin: 0.0, ..CONFIG });
    assert_eq!(margin, Err("margin 0 is not within 0.001 and 5".into()));
}

#[test]
fn the_state_is_as_large_as_its_documentation_says() {
    assert_eq!(size_of::<AnomalyState>(), 1_444);
}

/// What sensors and decoders come up with.
fn reading() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => -50.0..50.0,
        1 => any::<f64>(),
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY]),
        1 => prop::sample::select(vec![0.0, -0.0, f64::MIN_POSITIVE, 1e15, -1e15]),
    ]
}

fn readings() -> impl Strategy<Value = Vec<(f64, i64)>> {
    let at_ms = prop_oneof![8 => 0..2_000_000_000_000_i64, 1 => any::<i64>()];
    prop::collection::vec((reading(), at_ms), 0..400)
}

proptest! {
    #[test]
    fn whatever_comes_scores_are_scores_and_the_state_stays_sound(readings in readings()) {
        let config = AnomalyConfig { learn_n: 40, resolution: 0.0, margin: MARGIN_NAB };
        let mut state = AnomalyState::default();
        for (value, at_ms) in readings {
            let judgement = config.observe(&mut state, value, at_ms);
            prop_assert!((0.0..=1.0).contains(&judgement.score), "{judgement:?}");
            prop_assert!(judgement.expected.is_finite());
        }
        // JSON has no NaN and no infinity: what comes back equals only if all numbers are finite.
        let stored = serde_json::to_string(&state).unwrap();
        prop_assert_eq!(serde_json::from_str::<AnomalyState>(&stored).unwrap(), state);
    }

    #[test]
    fn a_restart_anywhere_changes_nothing(readings in readings(), at in 0_usize..400) {
        let config = AnomalyConfig { learn_n: 40, resolution: 0.0, margin: MARGIN_NAB };
        let (mut whole, mut split) = (AnomalyState::default(), AnomalyState::default());
        for (row, (value, at_ms)) in readings.into_iter().enumerate() {
            if row == at {
                split = serde_json::from_str(&serde_json::to_string(&split).unwrap()).unwrap();
            }
            prop_assert_eq!(config.observe(&mut whole, value, at_ms), config.observe(&mut split, value, at_ms));
        }
    }

    #[test]
    fn what_is_no_reading_leaves_no_trace(
        value in prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300]),
    ) {
        let mut state = AnomalyState::default();
        for row in 0..100 {
            CONFIG.observe(&mut state, room(row), row as i64 * STEP_MS);
        }
        let before = state.clone();
        prop_assert_eq!(CONFIG.observe(&mut state, value, 0).score, 0.0);
        prop_assert_eq!(state, before);
    }
}
