//! The zones, lines and ground of all cameras, made ready to judge by. Pure.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::Arc;

use outpost_fences::picture::ground::Pair;
use outpost_fences::{Ground, PictureLine, PictureZone, Point};

use super::Framing;
use crate::config::{Camera, Clip, Config, GroundPair};
use crate::pipeline::rules::{Judge, RuleError};

/// By source.
#[derive(Debug, Default)]
pub(in crate::pipeline) struct Cameras(HashMap<Arc<str>, Frame>);

#[derive(Debug)]
struct Frame {
    zones: HashMap<Arc<str>, Arc<PictureZone>>,
    lines: HashMap<Arc<str>, Arc<PictureLine>>,
    ground: Option<Arc<Ground>>,
    absorb_ms: i64,
    young_ms: i64,
}

impl Cameras {
    pub(in crate::pipeline) fn new(config: &Config) -> Result<Cameras, RuleError> {
        let frame =
            |camera: &Camera| Ok((format!("cam:{}", camera.id).into(), Frame::new(camera, &config.video.clip)?));
        config.cameras.iter().map(frame).collect::<Result<_, _>>().map(Cameras)
    }

    pub(in crate::pipeline) fn has(&self, source: &str) -> bool {
        self.0.contains_key(source)
    }

    /// What of a source a rule looks at; nothing where it is no camera.
    pub(in crate::pipeline) fn framing(&self, source: &str, judge: &Judge) -> Option<Arc<Framing>> {
        let frame = self.0.get(source)?;
        let ground = frame.ground.clone();
        let framing = match judge {
            Judge::Picture { rule, .. } => Framing {
                zone: rule.zone.as_ref().and_then(|zone| frame.zones.get(zone)).cloned(),
                line: rule.line.as_ref().and_then(|line| frame.lines.get(line)).cloned(),
                ground,
                absorb_ms: frame.absorb_ms,
                young_ms: frame.young_ms,
            },
            Judge::Movement { .. } => Framing { ground, ..Framing::default() },
            _ => return None,
        };
        Some(Arc::new(framing))
    }
}

impl Frame {
    fn new(camera: &Camera, clip: &Clip) -> Result<Frame, RuleError> {
        let (absorb_ms, young_ms) = (camera.absorb_after.ms(), camera.clip.as_ref().unwrap_or(clip).after.ms());
        let error = |what: &str, id: &str, problem: &dyn Display| RuleError {
            rule: String::new(),
            what: format!("camera \"{}\", {what} \"{id}\": {problem}", camera.id),
        };
        let mut frame = Frame { zones: HashMap::new(), lines: HashMap::new(), ground: None, absorb_ms, young_ms };
        for zone in &camera.zones {
            let polygon = PictureZone::new(&zone.polygon).map_err(|problem| error("zone", &zone.id, &problem))?;
            frame.zones.insert(zone.id.as_str().into(), Arc::new(polygon));
        }
        for line in &camera.lines {
            let way = PictureLine::new(&line.points).map_err(|problem| error("line", &line.id, &problem))?;
            frame.lines.insert(line.id.as_str().into(), Arc::new(way));
        }
        if !camera.ground.is_empty() {
            let found = ground(&camera.ground).map_err(|problem| error("ground of", &camera.id, &problem))?;
            frame.ground = Some(Arc::new(found));
        }
        Ok(frame)
    }
}

/// The ground that pairs tell of; the error says what is wrong with them.
pub(crate) fn ground(pairs: &[GroundPair]) -> Result<Ground, String> {
    let pair = |(number, pair): (usize, &GroundPair)| {
        let [lon, lat] = pair.place;
        let place = Point::new(lon, lat).ok_or_else(|| format!("pair {number}: [{lon}, {lat}] is not on the globe"))?;
        Ok(Pair { at: pair.at, place })
    };
    let pairs = pairs.iter().enumerate().map(pair).collect::<Result<Vec<_>, String>>()?;
    Ground::new(&pairs).map_err(|problem| problem.to_string())
}
