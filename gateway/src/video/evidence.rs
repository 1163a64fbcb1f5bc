//! The last pictures of each camera, and snapshots of them: masked, with zone and box drawn, as JPEG. Knows nothing of
//! alerts or where the files go.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};
use outpost_detectors::observation::Blob;
use tokio::sync::mpsc;
use tracing::warn;

use super::canvas::Canvas;
use super::decoder::{Codec, Guarded};
use super::frame::Frame;
use super::reel::{Clip, Margins, Reel};
use crate::config::{Camera, Video};
use crate::nouns::Missing;
use crate::objects::Picture;

/// Pictures kept per camera; evidence is asked for when the alert that a picture raised is committed, which is soon.
const PICTURES_MAX: usize = 16;

/// Of these, the newest are kept whatever they show. Of the older ones those in which something large moves are kept longest: the
/// best picture of somebody who stayed for seconds is seldom the last.
const NEWEST_MIN: usize = 8;

/// Share of a camera's memory that its pictures may take, and that its reel may.
const PICTURES_SHARE: u64 = 2;
const REEL_SHARE: u64 = 4;

/// Pictures kept per camera in which nothing moves.
const QUIET_MAX: usize = 2;

/// Older pictures are dropped when the next one comes: what moved long ago has been asked for, or never will be.
const AGE_MS_MAX: i64 = 30_000;

const ZONE_RGB: [u8; 3] = [255, 200, 0];
pub(super) const BOX_RGB: [u8; 3] = [230, 30, 30];

/// Widest picture of a contact sheet.
const THUMBNAIL_WIDTH: u32 = 320;

/// The last few decoded pictures of one camera.
#[derive(Debug)]
pub(crate) struct Pictures {
    kept: Mutex<VecDeque<Kept>>,
    bytes_max: usize,
}

#[derive(Debug)]
struct Kept {
    number: u64,
    at_ms: i64,
    shows: Shows,
}

/// How a picture is kept.
#[derive(Debug, Clone)]
pub(crate) enum Shows {
    /// Something moves in it: evidence is likely to be asked for. With the share of the picture that the largest box takes.
    Movement(Arc<Frame>, f32),
    /// Nothing moves, and evidence is hardly ever asked for: as it came where it can be decoded by itself, which takes a
    /// tenth of the memory.
    QuietKey(Codec, Bytes),
    Quiet(Arc<Frame>),
}

impl Pictures {
    fn new(bytes_max: usize) -> Self {
        Pictures { kept: Mutex::default(), bytes_max }
    }

    pub(crate) fn keep(&self, number: u64, at_ms: i64, shows: Shows) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|old| at_ms.saturating_sub(old.at_ms) <= AGE_MS_MAX);
        if shows.is_quiet() {
            let mut n_quiet = kept.iter().filter(|old| old.shows.is_quiet()).count();
            kept.retain(|old| {
                let surplus = old.shows.is_quiet() && n_quiet >= QUIET_MAX;
                n_quiet -= usize::from(surplus);
                !surplus
            });
        }
        kept.push_back(Kept { number, at_ms, shows });
        let mut bytes: usize = kept.iter().map(|kept| kept.shows.bytes()).sum();
        while kept.len() > PICTURES_MAX || bytes > self.bytes_max {
            let number = least(&kept);
            bytes -= kept.remove(number).map_or(0, |kept| kept.shows.bytes());
        }
    }

    /// Memory that the pictures hold.
    pub(crate) fn bytes(&self) -> usize {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().map(|kept| kept.shows.bytes()).sum()
    }

    /// The picture that came last, and when.
    fn last(&self) -> Option<(i64, Arc<Frame>)> {
        let (at_ms, shows) = {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.back().map(|kept| (kept.at_ms, kept.shows.clone()))?
        };
        Some((at_ms, shows.frame()?))
    }

    /// When a picture that is still kept came.
    fn at_ms(&self, number: u64) -> Option<i64> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|kept| kept.number == number).map(|kept| kept.at_ms)
    }

    fn find(&self, number: u64) -> Option<Arc<Frame>> {
        let shows = {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.iter().find(|kept| kept.number == number)?.shows.clone()
        };
        shows.frame()
    }
}

/// Number of the picture that is least likely to be asked for.
fn least(kept: &VecDeque<Kept>) -> usize {
    let older = kept.iter().take(kept.len().saturating_sub(NEWEST_MIN)).map(|kept| kept.shows.share());
    older.enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(number, _)| number)
}

impl Shows {
    fn share(&self) -> f32 {
        if let Shows::Movement(_, share) = self { *share } else { 0.0 }
    }

    fn is_quiet(&self) -> bool {
        !matches!(self, Shows::Movement(..))
    }

    fn bytes(&self) -> usize {
        match self {
            Shows::Movement(frame, _) | Shows::Quiet(frame) => frame.bytes(),
            Shows::QuietKey(_, unit) => unit.len(),
        }
    }

    fn frame(self) -> Option<Arc<Frame>> {
        match self {
            Shows::Movement(frame, _) | Shows::Quiet(frame) => Some(frame),
            Shows::QuietKey(codec, unit) => Guarded::new(codec).decode(&unit).ok().flatten().map(Arc::new),
        }
    }
}

/// Makes snapshots. Cloning costs a reference count; callable from any thread.
#[derive(Debug, Clone)]
pub struct Evidence {
    cameras: Arc<RwLock<HashMap<Arc<str>, Arc<Sight>>>>,
    jpeg_quality: u8,
}

#[derive(Debug)]
pub(crate) struct Sight {
    pub(crate) pictures: Arc<Pictures>,
    pub(crate) masks: Vec<Vec<[f32; 2]>>,
    /// None where no clips are made of the camera.
    pub(super) reel: Option<Arc<Reel>>,
}

impl Evidence {
    pub(crate) fn new(jpeg_quality: u8) -> Self {
        Evidence { cameras: Arc::default(), jpeg_quality: jpeg_quality.clamp(1, 100) }
    }

    /// Pictures of this source from now on, in place of those that there were.
    pub(super) fn admit(&self, source: Arc<str>, sight: Sight) {
        self.cameras.write().unwrap_or_else(PoisonError::into_inner).insert(source, Arc::new(sight));
    }

    pub(super) fn dismiss(&self, source: &str) {
        self.cameras.write().unwrap_or_else(PoisonError::into_inner).remove(source);
    }

    pub(super) fn sight(&self, source: &str) -> Option<Arc<Sight>> {
        self.cameras.read().unwrap_or_else(PoisonError::into_inner).get(source).cloned()
    }

    /// Memory that the pictures of `source` hold: decoded ones, and coded ones, of which the last group, of so many bytes,
    /// is in the reel as well where there is one.
    pub(super) fn bytes(&self, source: &str, group_bytes: u64) -> u64 {
        let Some(sight) = self.sight(source) else { return group_bytes };
        let reel_bytes = sight.reel.as_ref().map_or(0, |reel| reel.bytes());
        sight.pictures.bytes() as u64 + group_bytes.max(reel_bytes as u64)
    }

    /// Begins the clip of an alert about `source` that picture number `picture` raised at `opened_ms`. `None` where there is
    /// none to be, otherwise why there is none yet, or never will be.
    pub fn clip(&self, source: &str, alert: &Arc<str>, picture: u64, opened_ms: i64) -> Option<Missing> {
        let sight = self.sight(source)?;
        let reel = sight.reel.as_ref()?;
        if !sight.masks.is_empty() {
            return Some(Missing::Masked);
        }
        // The time at which the picture came: that of a recording that is played fast is not the clock's.
        Some(reel.take(alert, sight.pictures.at_ms(picture).unwrap_or(opened_ms)))
    }

    /// A colour JPEG of the picture of `source` (`cam:<id>`) that was decoded last, and when it came, ms since 1970. Masked as
    /// snapshots are.
    pub fn last(&self, source: &str) -> Option<(i64, Vec<u8>)> {
        let sight = self.sight(source)?;
        let (at_ms, frame) = sight.pictures.last()?;
        let jpeg = render(&frame, &sight.masks, &[], &[], self.jpeg_quality);
        Some((at_ms, jpeg.inspect_err(|error| warn!(source, %error, "picture could not be shown")).ok()?))
    }

    /// A colour JPEG of picture number `picture` of `source` (`cam:<id>`), with the outlines of `zones` and `boxes`
    /// (both 0..1) drawn over it. The camera's privacy masks are blackened before anything else happens. `None` where
    /// the picture is no longer kept.
    pub fn snapshot(&self, source: &str, picture: u64, zones: &[Vec<[f32; 2]>], boxes: &[Blob]) -> Option<Vec<u8>> {
        let sight = self.sight(source)?;
        let frame = sight.pictures.find(picture)?;
        let jpeg = render(&frame, &sight.masks, zones, boxes, self.jpeg_quality);
        jpeg.inspect_err(|error| warn!(source, picture, %error, "snapshot could not be made")).ok()
    }
}

impl Sight {
    pub(crate) fn new(camera: &Camera, video: &Video, clips: &mpsc::Sender<Clip>) -> Self {
        let share = |share| usize::try_from(camera.memory_max.0 / share).unwrap_or(usize::MAX);
        let clip = camera.clip.as_ref().unwrap_or(&video.clip);
        let margins = Margins { before_ms: clip.before.ms(), after_ms: clip.after.ms() };
        // A masked camera has a reel as well: an alert that shows no clip says why.
        let reel = (!clip.is_off()).then(|| Arc::new(Reel::new(margins, share(REEL_SHARE), clips.clone())));
        Sight { pictures: Arc::new(Pictures::new(share(PICTURES_SHARE))), masks: camera.masks.clone(), reel }
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
    boxes.iter().for_each(|seen| canvas.frame(seen, BOX_RGB));
    encode(canvas.into_picture(), jpeg_quality)
}

/// A picture as a small JPEG, as it is.
pub(crate) fn thumbnail(frame: &Frame, jpeg_quality: u8) -> Result<Vec<u8>, image::ImageError> {
    let Picture { width, height, rgb } = Canvas::of(frame)?.into_picture();
    let size = (width as u32, height as u32);
    let Some(large) = image::RgbImage::from_raw(size.0, size.1, rgb) else {
        let short = image::error::ParameterErrorKind::DimensionMismatch;
        return Err(image::ImageError::Parameter(image::error::ParameterError::from_kind(short)));
    };
    let across = size.0.clamp(1, THUMBNAIL_WIDTH);
    let small = image::imageops::thumbnail(&large, across, (size.1 * across / size.0.max(1)).max(1));
    let (width, height) = (small.width() as usize, small.height() as usize);
    encode(Picture { width, height, rgb: small.into_raw() }, jpeg_quality)
}

/// As JPEG.
pub(super) fn encode(picture: Picture, jpeg_quality: u8) -> Result<Vec<u8>, image::ImageError> {
    let Picture { width, height, rgb } = picture;
    let mut jpeg = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut jpeg, jpeg_quality);
    encoder.write_image(&rgb, width as u32, height as u32, ExtendedColorType::Rgb8)?;
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
        let pictures = Arc::new(Pictures::new(16 << 20));
        pictures.keep(7, 0, Shows::Movement(Arc::new(white()), 0.0));
        let evidence = Evidence::new(90);
        evidence.admit(Arc::from("cam:a"), Sight { pictures, masks, reel: None });
        evidence
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
    fn the_last_picture_is_masked_as_snapshots_are() {
        let mask = vec![[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]];
        let (at_ms, jpeg) = evidence(vec![mask]).last("cam:a").unwrap();
        let image = decode(&jpeg);
        assert_eq!(at_ms, 0);
        assert!(image.get_pixel(80, 80).0.iter().all(|level| *level <= 6));
        assert!(image.get_pixel(80, 8).0.iter().all(|level| *level > 240));
        assert!(evidence(Vec::new()).last("cam:b").is_none());
    }

    #[test]
    fn a_thumbnail_keeps_the_shape_of_the_picture() {
        let (width, height) = (1_280, 720);
        let colour = Colour::Quarter { cb: vec![128; width * height / 4], cr: vec![128; width * height / 4] };
        let large = Frame::new(width, height, vec![235; width * height], colour).unwrap();
        let size = |frame: &Frame| decode(&thumbnail(frame, 80).unwrap()).dimensions();
        assert_eq!((size(&large), size(&white())), ((320, 180), (160, 160)));
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
        let pictures = &evidence.sight("cam:a").unwrap().pictures;
        let moving = || Shows::Movement(Arc::new(white()), 0.1);
        (8..40).for_each(|number| pictures.keep(number, number as i64 * 100, moving()));
        assert!(evidence.snapshot("cam:a", 7, &[], &[]).is_none());
        assert!(evidence.snapshot("cam:a", 39, &[], &[]).is_some());
        assert!(evidence.snapshot("cam:b", 39, &[], &[]).is_none());
        assert_eq!(pictures.kept.lock().unwrap().len(), PICTURES_MAX);
    }

    #[test]
    fn what_was_large_is_kept_longer_than_what_came_after_it() {
        let evidence = evidence(Vec::new());
        let pictures = &evidence.sight("cam:a").unwrap().pictures;
        for number in 8..60 {
            let share = if number == 12 { 0.4 } else { 0.1 };
            pictures.keep(number, number as i64 * 100, Shows::Movement(Arc::new(white()), share));
        }
        let numbers = pictures.kept.lock().unwrap().iter().map(|kept| kept.number).collect::<Vec<_>>();
        assert_eq!(numbers, [vec![12], (45..60).collect()].concat());
        pictures.keep(60, 1_200 + AGE_MS_MAX + 1, Shows::Movement(Arc::new(white()), 0.1));
        assert!(evidence.snapshot("cam:a", 12, &[], &[]).is_none(), "not for ever");
    }

    #[test]
    fn pictures_keep_to_their_bytes_the_oldest_going_first() {
        let pictures = Pictures::new(100 << 10);
        let frame = Arc::new(white());
        for number in 0..40 {
            pictures.keep(number, number as i64, Shows::Movement(frame.clone(), 0.1));
            assert!(pictures.bytes() <= 100 << 10, "{} bytes", pictures.bytes());
        }
        let numbers = pictures.kept.lock().unwrap().iter().map(|kept| kept.number).collect::<Vec<_>>();
        assert_eq!((frame.bytes(), numbers), (SIDE * SIDE * 3 / 2, vec![38, 39]));
    }

    #[test]
    fn at_rest_two_key_frames_are_kept_as_they_came_and_make_snapshots() {
        let evidence = evidence(Vec::new());
        let pictures = &evidence.sight("cam:a").unwrap().pictures;
        let jpeg = Bytes::from(render(&white(), &[], &[], &[], 80).unwrap());
        let len = jpeg.len();
        for number in 8..20 {
            pictures.keep(number, AGE_MS_MAX + number as i64, Shows::QuietKey(Codec::Mjpeg, jpeg.clone()));
        }
        assert_eq!(pictures.bytes(), 2 * len, "what moved half a minute ago is gone");
        let image = decode(&evidence.snapshot("cam:a", 19, &[], &[]).unwrap());
        assert_eq!((image.width(), image.height()), (SIDE as u32, SIDE as u32));
        assert!(evidence.snapshot("cam:a", 17, &[], &[]).is_none());
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
