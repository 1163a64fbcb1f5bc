//! What a close look saw and what is made of it: pictures that the object model has judged, and on which is drawn what was found.
//! Made once, however many asked.

use std::sync::Arc;

use outpost_detectors::fire::Evidence;
use outpost_detectors::observation::Blob;
use tokio::sync::OnceCell;

use super::canvas::Canvas;
use super::evidence::{BOX_RGB, encode};
use super::frame::Frame;
use crate::nouns::{Judged, Object, ObjectKind};
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
                named.iter_mut().for_each(|objects| objects.retain(|object| object.kind != ObjectKind::Other));
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
        Some((still.at_ms, encode(canvas.into_picture(), jpeg_quality).ok()?.into()))
    };
    stills.iter().enumerate().filter_map(draw).collect()
}

#[cfg(test)]
mod tests {
    use outpost_detectors::fire::Sign;

    use super::*;
    use crate::video::frame::Colour;

    const SIDE: usize = 160;

    fn still(at_ms: i64) -> Still {
        let frame = Frame::new(SIDE, SIDE, vec![128; SIDE * SIDE], Colour::None).unwrap();
        let mask = vec![[0.75, 0.75], [1.0, 0.75], [1.0, 1.0], [0.75, 1.0]];
        Still::of(&frame, &[mask], at_ms).unwrap()
    }

    fn square(left: f32, top: f32) -> Blob {
        Blob { left, top, right: left + 0.2, bottom: top + 0.2, area: 0.04 }
    }

    #[test]
    fn what_moves_is_boxed_in_the_last_picture_and_what_the_model_names_in_its_own() {
        let sign = Sign { share: 0.04, boxes: vec![square(0.1, 0.1)], flicker_hz: 3.0, growth: 1.0 };
        let fire = |place| Object { class: "fire".into(), kind: ObjectKind::Fire, score: 0.8, place };
        let named = [vec![fire(square(0.5, 0.1))], vec![fire(square(0.1, 0.5))]];
        let drawn = draw(&[still(100), still(200)], &Evidence::Flame(sign), &named, 90);
        let [(100, first), (200, last)] = &drawn[..] else { panic!("{} pictures", drawn.len()) };
        let colours = |jpeg: &[u8]| {
            let image = image::load_from_memory(jpeg).unwrap().to_rgb8();
            let at = |x: f32, y: f32| {
                let [r, _, b] = image.get_pixel((x * SIDE as f32) as u32, (y * SIDE as f32) as u32).0.map(i32::from);
                (r - b).signum() * i32::from((r - b).abs() > 60)
            };
            // The upper edges of the three boxes, and a place beside them.
            [at(0.2, 0.1), at(0.6, 0.1), at(0.2, 0.5), at(0.6, 0.6)]
        };
        let (red, blue, grey) = (1, -1, 0);
        assert_eq!(colours(first), [grey, blue, grey, grey]);
        assert_eq!(colours(last), [red, grey, blue, grey]);
        let masked = image::load_from_memory(last).unwrap().to_rgb8().get_pixel(150, 150).0;
        assert!(masked.iter().all(|level| *level <= 6), "{masked:?}");
    }

    #[tokio::test]
    async fn without_a_model_a_look_is_what_colour_says() {
        let seen = Seen::new(Evidence::Neither, vec![still(100)]);
        let look = seen.look(&Judge::default(), 80).await;
        assert_eq!((look.evidence, look.judged, look.pictures.len()), (Evidence::Neither, Judged::Unasked, 1));
    }
}
