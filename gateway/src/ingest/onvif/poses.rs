//! Where cameras look, as they last told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use outpost_detectors::observation::{Aim, Fact, Observation};

/// Where a camera looks, and for how long that may be believed. Gateway time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pose {
    pub aim: Aim,
    pub at_ms: i64,
    pub until_ms: i64,
}

/// The last pose of each camera. Cloning costs a reference count; nobody holds it longer than a look-up takes.
#[derive(Debug, Clone, Default)]
pub struct Poses(Arc<Mutex<HashMap<Arc<str>, Known>>>);

#[derive(Debug, Default)]
struct Known {
    pose: Option<Pose>,
    n_failed: u64,
}

impl Poses {
    /// None: it moves.
    pub fn set(&self, source: &Arc<str>, pose: Option<Pose>) {
        self.lock().entry(source.clone()).or_default().pose = pose;
    }

    /// It did not answer: what it told before holds for as long as it may.
    pub fn failed(&self, source: &Arc<str>) {
        self.lock().entry(source.clone()).or_default().n_failed += 1;
    }

    /// Requests that had no use, by source.
    pub fn failures(&self) -> Vec<(Arc<str>, u64)> {
        self.lock().iter().map(|(source, known)| (source.clone(), known.n_failed)).collect()
    }

    /// Gives a thermal frame that does not tell it the pose of its camera. At a preset it is of that preset's series:
    /// `camera@number`.
    pub fn aim(&self, observation: &mut Observation) {
        let Fact::Thermal(frame) = &mut observation.fact else { return };
        if frame.aim.is_some() {
            return;
        }
        let pose = self.lock().get(&observation.source).and_then(|known| known.pose);
        let Some(pose) = pose.filter(|pose| observation.received_ms <= pose.until_ms) else { return };
        frame.aim = Some(pose.aim);
        if let Some(preset) = pose.aim.preset {
            observation.source = format!("{}@{preset}", observation.source).into();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use outpost_detectors::observation::{Scale, Surface, ThermalFrame};

    use super::*;

    fn frame(received_ms: i64, aim: Option<Aim>) -> Observation {
        let celsius = Arc::new(Array2::zeros((2, 2)));
        let fact = Fact::Thermal(ThermalFrame { celsius, scale: Scale::default(), surface: Surface::default(), aim });
        Observation { source: "thermal/tower".into(), at_ms: 0, received_ms, fact }
    }

    fn aim(bearing_deg: f64, preset: Option<i64>) -> Aim {
        Aim { bearing_deg, elevation_deg: -3.0, fov_deg: None, preset }
    }

    fn aimed(poses: &Poses, mut observation: Observation) -> (String, Option<Aim>) {
        poses.aim(&mut observation);
        let Fact::Thermal(frame) = observation.fact else { panic!() };
        (observation.source.to_string(), frame.aim)
    }

    #[test]
    fn a_frame_has_the_pose_of_its_camera_while_that_is_fresh() {
        let (poses, source) = (Poses::default(), Arc::from("thermal/tower"));
        assert_eq!(aimed(&poses, frame(50, None)), ("thermal/tower".into(), None));
        poses.set(&source, Some(Pose { aim: aim(140.0, Some(3)), at_ms: 100, until_ms: 200 }));
        assert_eq!(aimed(&poses, frame(200, None)), ("thermal/tower@3".into(), Some(aim(140.0, Some(3)))));
        assert_eq!(aimed(&poses, frame(201, None)), ("thermal/tower".into(), None));
        // What the frame tells itself goes first.
        assert_eq!(aimed(&poses, frame(150, Some(aim(9.0, None)))), ("thermal/tower".into(), Some(aim(9.0, None))));
        poses.failed(&source);
        assert_eq!(aimed(&poses, frame(150, None)).0, "thermal/tower@3");
        assert_eq!(poses.failures(), [(source.clone(), 1)]);
        poses.set(&source, None);
        assert_eq!(aimed(&poses, frame(150, None)), ("thermal/tower".into(), None), "it moves");
    }
}
