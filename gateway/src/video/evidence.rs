//! The last pictures of each camera, and snapshots of them: masked, with zone and box drawn, as JPEG. Knows nothing of
//! alerts or where the files go.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};
use outpost_detectors::observation::Blob;
use tracing::warn;

use super::canvas::Canvas;
use super::frame::Frame;
use crate::config::Camera;

/// Pictures kept per camera; evidence is asked for when the alert that a picture raised is committed, which is soon.
const PICTURES_MAX: usize = 16;

/// Bytes of pictures kept per camera, though always the last two.
const PICTURES_BYTES_MAX: usize = 16 << 20;

const ZONE_RGB: [u8; 3] = [255, 200, 0];
const BOX_RGB: [u8; 3] = [230, 30, 30];

/// The last few decoded pictures of one camera.
#[derive(Debug, Default)]
pub(crate) struct Pictures {
    kept: Mutex<VecDeque<(u64, Arc<Frame>)>>,
}

impl Pictures {
    pub(crate) fn keep(&self, number: u64, frame: Frame) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back((number, Arc::new(frame)));
        let mut bytes: usize = kept.iter().map(|(_, frame)| frame.bytes()).sum();
        while kept.len() > PICTURES_MAX || (kept.len() > 2 && bytes > PICTURES_BYTES_MAX) {
            bytes -= kept.pop_front().map_or(0, |(_, frame)| frame.bytes());
        }
    }

    fn find(&self, number: u64) -> Option<Arc<Frame>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(kept, _)| *kept == number).map(|(_, frame)| frame.clone())
    }
}

/// Makes snapshots. Cloning costs a reference count; callable from any thread.
#[derive(Debug, Clone)]
pub struct Evidence {
    cameras: Arc<HashMap<Arc<str>, Sight>>,
    jpeg_quality: u8,
}

#[derive(Debug)]
pub(crate) struct Sight {
    pub(crate) pictures: Arc<Pictures>,
    pub(crate) masks: Vec<Vec<[f32; 2]>>,
}

impl Evidence {
    pub(crate) fn new(cameras: impl IntoIterator<Item = (Arc<str>, Sight)>, jpeg_quality: u8) -> Self {
        Evidence { cameras: Arc::new(cameras.into_iter().collect()), jpeg_quality: jpeg_quality.clamp(1, 100) }
    }

    /// A colour JPEG of picture number `picture` of `source` (`cam:<id>`), with the outlines of `zones` and `boxes`
    /// (both 0..1) drawn over it. The camera's privacy masks are blackened before anything else happens. `None` where
    /// the picture is no longer kept.
    pub fn snapshot(&self, source: &str, picture: u64, zones: &[Vec<[f32; 2]>], boxes: &[Blob]) -> Option<Vec<u8>> {
        let sight = self.cameras.get(source)?;
        let frame = sight.pictures.find(picture)?;
        let jpeg = render(&frame, &sight.masks, zones, boxes, self.jpeg_quality);
        jpeg.inspect_err(|error| warn!(source, picture, %error, "snapshot could not be made")).ok()
    }
}

impl Sight {
    pub(crate) fn new(camera: &Camera) -> Self {
        Sight { pictures: Arc::default(), masks: camera.masks.clone() }
    }
}

/// A picture as JPEG: masks first, then zones, then boxes.
pub(crate) fn render(
    frame: &Frame,
    masks: &[Vec<[f32; 2]>],
    zones: &[Vec<[f32; 2]>],
    boxes: &[Blob],
    jpeg_quality: u8,
) -> Result<Vec<u8>, image::ImageError> {
    let mut canvas = Canvas::of(frame)?;
    masks.iter().for_each(|mask| canvas.blacken(mask));
    zones.iter().for_each(|zone| canvas.outline(zone, ZONE_RGB));
    for seen in boxes {
        let Blob { left, top, right, bottom, .. } = *seen;
        canvas.outline(&[[left, top], [right, top], [right, bottom], [left, bottom]], BOX_RGB);
    }
    let (width, height, rgb) = canvas.into_rgb();
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, jpeg_quality).write_image(
        &rgb,
        width as u32,
        height as u32,
        ExtendedColorType::Rgb8,
    )?;
    Ok(jpeg)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::frame::Colour;

    const SIDE: usize = 160;

    /// White all over, so that anything dark was made dark.
    fn white() -> Frame {
        let colour = Colour::Quarter { cb: vec![128; SIDE * SIDE / 4], cr: vec![128; SIDE * SIDE / 4] };
        Frame::new(SIDE, SIDE, vec![235; SIDE * SIDE], colour).unwrap()
    }

    fn evidence(masks: Vec<Vec<[f32; 2]>>) -> Evidence {
        let pictures = Arc::new(Pictures::default());
        pictures.keep(7, white());
        Evidence::new([(Arc::from("cam:a"), Sight { pictures, masks })], 90)
    }

    fn decode(jpeg: &[u8]) -> image::RgbImage {
        image::load_from_memory(jpeg).unwrap().to_rgb8()
    }

    #[test]
    fn masked_pixels_are_black_in_the_file_even_under_a_box() {
        let mask = vec![[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]];
        let inside = Blob { left: 0.1, top: 0.1, right: 0.9, bottom: 0.9, area: 0.1 };
        let jpeg = evidence(vec![mask]).snapshot("cam:a", 7, &[], &[inside]).unwrap();
        let image = decode(&jpeg);
        // JPEG blocks that lie wholly inside.
        for (x, y) in (48..112).flat_map(|x| (48..112).map(move |y| (x, y))) {
            let pixel = image.get_pixel(x, y).0;
            assert!(pixel.iter().all(|level| *level <= 6), "({x}, {y}) is {pixel:?}");
        }
        assert!(image.get_pixel(80, 8).0.iter().all(|level| *level > 240), "outside stays as it was");
    }

    #[test]
    fn zones_and_boxes_are_drawn_in_their_colours() {
        let zone = vec![[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]];
        let blob = Blob { left: 0.4, top: 0.4, right: 0.6, bottom: 0.6, area: 0.04 };
        let image = decode(&evidence(Vec::new()).snapshot("cam:a", 7, &[zone], &[blob]).unwrap());
        let [r, g, b] = image.get_pixel(80, 16).0;
        assert!(r > 180 && g > 130 && b < 120, "zone edge is {r} {g} {b}");
        let [r, g, b] = image.get_pixel(80, 64).0;
        assert!(r > 150 && g < 130 && b < 130, "box edge is {r} {g} {b}");
    }

    #[test]
    fn only_the_last_pictures_are_kept() {
        let evidence = evidence(Vec::new());
        let pictures = &evidence.cameras["cam:a"].pictures;
        (8..40).for_each(|number| pictures.keep(number, white()));
        assert!(evidence.snapshot("cam:a", 7, &[], &[]).is_none());
        assert!(evidence.snapshot("cam:a", 39, &[], &[]).is_some());
        assert!(evidence.snapshot("cam:b", 39, &[], &[]).is_none());
        assert_eq!(pictures.kept.lock().unwrap().len(), PICTURES_MAX);
    }

    #[test]
    fn shapes_outside_of_the_picture_or_without_sense_do_no_harm() {
        let odd = [f32::NAN, f32::INFINITY, -3.0, 1e30];
        let shapes: Vec<Vec<[f32; 2]>> = odd.iter().map(|n| vec![[*n, 0.1], [0.5, *n], [*n, *n]]).collect();
        let boxes: Vec<Blob> =
            odd.iter().map(|n| Blob { left: *n, top: 0.0, right: 0.5, bottom: *n, area: 0.0 }).collect();
        assert!(evidence(shapes.clone()).snapshot("cam:a", 7, &shapes, &boxes).is_some());
        assert!(evidence(vec![vec![]]).snapshot("cam:a", 7, &[vec![], vec![[0.5, 0.5]]], &[]).is_some());
    }
}
