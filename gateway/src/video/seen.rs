//! What a close look saw and what is made of it: pictures that the object model has judged, and on which is drawn what was found.
//! Made once, however many asked.

use std::sync::Arc;

use outpost_detectors::fire::Evidence;
use outpost_detectors::observation::Blob;
use tokio::sync::OnceCell;

use super::canvas::Canvas;
use super::evidence::{BOX_RGB, encode};
use super::frame::Frame;
use crate::nouns::{Judged, Kind, Object};
use crate::objects::{Judge, Picture};

/// Boxes of the object model: not to be taken for those of colour and flicker.
const OBJECT_RGB: [u8; 3] = [30, 144, 255];

/// What a close look showed.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    pub evidence: Evidence,
    pub judged: Judged,
    /// The first picture and the last, masked, as JPEG, each with the time at which it came. What flickers or drifts is boxed in
    /// the last, what the object model named in each.
    pub pictures: Vec<(i64, Arc<[u8]>)>,
}

/// A picture of the look, masked.
#[derive(Debug, Clone)]
pub(super) struct Still {
    at_ms: i64,
    picture: Arc<Picture>,
}

/// A look that is over.
#[derive(Debug)]
pub(super) struct Seen {
    evidence: Evidence,
    stills: Vec<Still>,
    look: OnceCell<Look>,
}

impl Still {
    /// None where the picture is a JPEG that is broken.
    pub(super) fn of(frame: &Frame, masks: &[Vec<[f32; 2]>], at_ms: i64) -> Option<Still> {
        let mut canvas = Canvas::of(frame).ok()?;
        masks.iter().for_each(|mask| canvas.blacken(mask));
        Some(Still { at_ms, picture: Arc::new(canvas.into_picture()) })
    }
}

impl Seen {
    pub(super) fn new(evidence: Evidence, stills: Vec<Still>) -> Seen {
        Seen { evidence, stills, look: OnceCell::new() }
    }

    /// The first who asks waits until the look is judged and drawn, and all others with it.
    pub(super) async fn look(&self, judge: &Judge, jpeg_quality: u8) -> Look {
        self.look.get_or_init(|| self.finish(judge, jpeg_quality)).await.clone()
    }

    async fn finish(&self, judge: &Judge, jpeg_quality: u8) -> Look {
        let (judged, named) = self.judge(judge).await;
        let (stills, evidence) = (self.stills.clone(), self.evidence.clone());
        let drawn = tokio::task::spawn_blocking(move || draw(&stills, &evidence, &named, jpeg_quality));
        // An error means that the gateway stops: nobody waits for the pictures.
        Look { evidence: self.evidence.clone(), judged, pictures: drawn.await.unwrap_or_default() }
    }

    /// All of fire and smoke that the object model names, and by picture.
    async fn judge(&self, judge: &Judge) -> (Judged, Vec<Vec<Object>>) {
        if self.stills.is_empty() || !judge.tells_fire() {
            return (Judged::Unasked, Vec::new());
        }
        let pictures = self.stills.iter().map(|still| still.picture.clone()).collect();
        match judge.look(pictures).await {
            Ok(mut named) => {
                named.iter_mut().for_each(|objects| objects.retain(|object| object.kind != Kind::Other));
                let mut all = named.concat();
                all.sort_by(|a, b| b.score.total_cmp(&a.score));
                (Judged::Named(all), named)
            }
            Err(why) => (Judged::Silent(why), Vec::new()),
        }
    }
}

/// `named`: by picture, or nothing.
fn draw(stills: &[Still], evidence: &Evidence, named: &[Vec<Object>], jpeg_quality: u8) -> Vec<(i64, Arc<[u8]>)> {
    let signs = match evidence {
        Evidence::Flame(sign) | Evidence::Smoke(sign) => &*sign.boxes,
        Evidence::Neither | Evidence::Unclear(_) => &[],
    };
    let draw = |(number, still): (usize, &Still)| {
        let mut canvas = Canvas::again(&still.picture);
        let is_last = number + 1 == stills.len();
        let boxes = |boxes: &[Blob], rgb, canvas: &mut Canvas| boxes.iter().for_each(|seen| canvas.frame(seen, rgb));
        boxes(if is_last { signs } else { &[] }, BOX_RGB, &mut canvas);
        let objects: Vec<Blob> = named.get(number).into_iter().flatten().map(|object| object.place).collect();
        boxes(&objects, OBJECT_RGB, &mut canvas);
        Some((still.at_ms, encode(canvas, jpeg_quality).ok()?.into()))
    };
    stills.iter().enumerate().filter_map(draw).collect()
}
