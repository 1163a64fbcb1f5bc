//! Close looks at a camera, asked for by others: all its frames are decoded for some seconds, and what they show of fire is
//! the answer. Knows nothing of alerts.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use ndarray::{Array2, ArrayView2, ShapeBuilder};
use outpost_detectors::fire::Closeup;
use outpost_detectors::fire::cells::Planes;
use tokio::sync::oneshot;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::frame::{Colour, Frame};
use super::seen::{Look, Seen, Still};
use crate::objects::Judge;

/// Who waits for the same look at one camera.
const WAITING_MAX: usize = 16;
/// How much longer than the look itself its answer may take: a key frame has to come first.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is asked of one camera.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// Number of the look that is wanted; 0 = none.
    wanted: AtomicU64,
    /// Nothing was done for it yet.
    is_fresh: AtomicBool,
    /// Until when all frames are due because the camera gave alarm.
    roused_until_ms: AtomicI64,
    /// Nothing was done for that yet. Apart from the look's: an alarm is not over when a look is.
    is_alarm_fresh: AtomicBool,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    number: u64,
    answers: Vec<oneshot::Sender<Arc<Seen>>>,
}

impl Asked {
    pub(crate) fn wanted(&self) -> Option<u64> {
        Some(self.wanted.load(Ordering::Acquire)).filter(|number| *number > 0)
    }

    /// Whether a look was asked for, or an alarm given, that nobody began with yet; says so once.
    pub(crate) fn take_fresh(&self) -> bool {
        let take = |fresh: &AtomicBool| fresh.load(Ordering::Relaxed) && fresh.swap(false, Ordering::Relaxed);
        take(&self.is_fresh) | take(&self.is_alarm_fresh)
    }

    /// The camera says that something begins: all frames are due until then, whatever they show.
    pub(super) fn rouse(&self, until_ms: i64) {
        self.roused_until_ms.store(until_ms, Ordering::Relaxed);
        self.is_alarm_fresh.store(true, Ordering::Relaxed);
    }

    /// 0 before the first alarm.
    pub(super) fn roused_until_ms(&self) -> i64 {
        self.roused_until_ms.load(Ordering::Relaxed)
    }

    /// Joins the look that goes on, or wants one. None where too many wait.
    pub(super) fn ask(&self) -> Option<oneshot::Receiver<Arc<Seen>>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.answers.retain(|answer| !answer.is_closed());
        if waiting.answers.len() >= WAITING_MAX {
            return None;
        }
        if waiting.answers.is_empty() {
            waiting.number += 1;
            self.is_fresh.store(true, Ordering::Relaxed);
            self.wanted.store(waiting.number, Ordering::Release);
        }
        let (answer, answered) = oneshot::channel();
        waiting.answers.push(answer);
        Some(answered)
    }

    /// Ends a look for which nobody waits any more.
    pub(super) fn give_up(&self) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.answers.retain(|answer| !answer.is_closed());
        if waiting.answers.is_empty() {
            self.end();
        }
    }

    fn end(&self) {
        self.wanted.store(0, Ordering::Release);
        self.is_fresh.store(false, Ordering::Relaxed);
    }

    fn answer(&self, seen: &Arc<Seen>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        self.end();
        for answer in waiting.answers.drain(..) {
            let _ = answer.send(seen.clone());
        }
    }
}

/// Asks cameras. Cloning costs a reference count; callable from any task.
#[derive(Debug, Clone)]
pub struct Looker {
    cameras: Arc<RwLock<HashMap<Arc<str>, Arc<Asked>>>>,
    patience: Duration,
    judge: Judge,
    jpeg_quality: u8,
}

impl Looker {
    pub(crate) fn new(span_ms: i64, judge: Judge, jpeg_quality: u8) -> Looker {
        let patience = PATIENCE + Duration::from_millis(span_ms.max(0).unsigned_abs());
        Looker { cameras: Arc::default(), patience, judge, jpeg_quality: jpeg_quality.clamp(1, 100) }
    }

    /// Who wants to look through this camera asks here from now on.
    pub(super) fn admit(&self, source: Arc<str>, asked: Arc<Asked>) {
        self.cameras.write().unwrap_or_else(PoisonError::into_inner).insert(source, asked);
    }

    pub(super) fn dismiss(&self, source: &str) {
        self.cameras.write().unwrap_or_else(PoisonError::into_inner).remove(source);
    }

    /// Looks through `camera` (`cam:<id>`); why not, where no look came of it.
    pub async fn look(&self, camera: &str) -> Result<Look, &'static str> {
        let known = self.cameras.read().unwrap_or_else(PoisonError::into_inner).get(camera).cloned();
        let asked = known.ok_or("it is not configured")?;
        let answer = asked.ask().ok_or("too many ask for it")?;
        match tokio::time::timeout(self.patience, answer).await {
            Ok(Ok(seen)) => Ok(seen.look(&self.judge, self.jpeg_quality).await),
            Ok(Err(_)) => Err("the gateway stops"),
            Err(_) => {
                asked.give_up();
                Err("it gave no pictures in time")
            }
        }
    }
}

/// One camera's side of it, on its decode thread.
#[derive(Debug, Clone)]
pub(crate) struct Looking {
    asked: Arc<Asked>,
    masks: Vec<Vec<[f32; 2]>>,
    span_ms: i64,
    /// The look that goes on, and its number.
    open: Option<(u64, Closeup)>,
    first: Option<Still>,
}

impl Looking {
    pub(crate) fn new(asked: Arc<Asked>, masks: Vec<Vec<[f32; 2]>>, span_ms: i64) -> Looking {
        Looking { asked, masks, span_ms, open: None, first: None }
    }

    pub(crate) fn is_wanted(&self) -> bool {
        self.asked.wanted().is_some()
    }

    /// Until when all frames are due because the camera gave alarm.
    pub(crate) fn roused_until_ms(&self) -> i64 {
        self.asked.roused_until_ms()
    }

    /// Takes a picture where a look is wanted, and answers once it has seen enough.
    pub(crate) fn see(&mut self, frame: &Frame, received_ms: i64) {
        let Some(wanted) = self.asked.wanted() else {
            (self.open, self.first) = (None, None);
            return;
        };
        if self.open.as_ref().is_none_or(|(number, _)| *number != wanted) {
            self.open = Some((wanted, Closeup::new(self.masks.clone())));
            self.first = Still::of(frame, &self.masks, received_ms);
        }
        let Some((_, closeup)) = &mut self.open else { return };
        with_planes(frame, |planes| closeup.look(planes, received_ms));
        if closeup.span_ms() < self.span_ms && !closeup.is_full() {
            return;
        }
        let evidence = closeup.evidence();
        let last = Still::of(frame, &self.masks, received_ms);
        let stills = self.first.take().into_iter().chain(last).collect();
        self.open = None;
        self.asked.answer(&Arc::new(Seen::new(evidence, stills)));
    }
}

/// Hands over a frame's planes; one without colours has grey ones. A JPEG that is broken is passed over.
fn with_planes(frame: &Frame, mut take: impl FnMut(&Planes)) {
    let size = (frame.height, frame.width);
    let half = (frame.height.div_ceil(2), frame.width.div_ceil(2));
    let Ok(luma) = ArrayView2::from_shape(size, &frame.luma) else { return };
    match &frame.colour {
        Colour::Quarter { cb, cr } => {
            if let (Ok(cb), Ok(cr)) = (ArrayView2::from_shape(half, cb), ArrayView2::from_shape(half, cr)) {
                take(&Planes { luma, cb, cr });
            }
        }
        Colour::Jpeg(jpeg) => {
            let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::YCbCr);
            let decoded = JpegDecoder::new_with_options(ZCursor::new(jpeg.as_ref()), options).decode();
            let levels = decoded.ok().filter(|levels| levels.len() == 3 * size.0 * size.1);
            let Some(levels) = levels else { return };
            let plane = |channel: usize| ArrayView2::from_shape(size.strides((3 * size.1, 3)), &levels[channel..]);
            if let (Ok(cb), Ok(cr)) = (plane(1), plane(2)) {
                take(&Planes { luma, cb, cr });
            }
        }
        Colour::None => {
            let grey = Array2::from_elem(half, 128);
            take(&Planes { luma, cb: grey.view(), cr: grey.view() });
        }
    }
}

#[cfg(test)]
mod tests {
    use outpost_detectors::fire::Evidence;

    use super::*;

    const SPAN_MS: i64 = 6_000;

    fn camera() -> (Looker, Looking) {
        let asked = Arc::<Asked>::default();
        let looking = Looking::new(asked.clone(), Vec::new(), SPAN_MS);
        let looker = Looker::new(SPAN_MS, Judge::default(), 80);
        looker.admit("cam:west".into(), asked);
        (looker, looking)
    }

    /// Grass, and in its middle a blaze whose brightness leaps.
    fn frame(number: i64, burns: bool) -> Frame {
        let (width, height) = (320, 192);
        let is_lit = |row: usize, column: usize, scale: usize| {
            burns && (80 / scale..112 / scale).contains(&row) && (140 / scale..180 / scale).contains(&column)
        };
        let plane = |rows: usize, columns: usize, scale: usize, lit: u8, dull: u8| -> Vec<u8> {
            let at = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
            at.map(|(row, column)| if is_lit(row, column, scale) { lit } else { dull }).collect()
        };
        let bright = if number % 2 == 0 { 210 } else { 150 };
        let colour = Colour::Quarter {
            cb: plane(height / 2, width / 2, 2, 70, 118),
            cr: plane(height / 2, width / 2, 2, 175, 124),
        };
        Frame::new(width, height, plane(height, width, 1, bright, 90), colour).unwrap()
    }

    #[test]
    fn an_alarm_outlives_a_look_that_is_given_up() {
        let asked = Asked::default();
        asked.rouse(5_000);
        drop(asked.ask().unwrap());
        asked.give_up();
        assert_eq!((asked.take_fresh(), asked.take_fresh(), asked.roused_until_ms()), (true, false, 5_000));
        drop(asked.ask().unwrap());
        asked.give_up();
        assert!(!asked.take_fresh(), "nobody waits for the look");
    }

    #[tokio::test]
    async fn those_who_ask_meanwhile_share_a_look_and_then_nothing_is_wanted() {
        let (looker, mut looking) = camera();
        looking.see(&frame(0, true), 0);
        assert!(!looking.is_wanted(), "nobody asked");
        let asks: Vec<_> = (0..3)
            .map(|_| {
                let looker = looker.clone();
                tokio::spawn(async move { looker.look("cam:west").await })
            })
            .collect();
        while looking.asked.waiting.lock().unwrap().answers.len() < 3 {
            tokio::task::yield_now().await;
        }
        assert!(looking.asked.take_fresh() && !looking.asked.take_fresh());
        for number in 0..=60 {
            assert!(looking.is_wanted());
            looking.see(&frame(number, true), 50_000 + number * 100);
        }
        assert!(!looking.is_wanted());
        for ask in asks {
            let look = ask.await.unwrap().unwrap();
            assert!(matches!(&look.evidence, Evidence::Flame(sign) if sign.boxes.len() == 1), "{:?}", look.evidence);
            let times: Vec<i64> = look.pictures.iter().map(|(at_ms, _)| *at_ms).collect();
            assert_eq!(times, [50_000, 56_000]);
            assert!(look.pictures.iter().all(|(_, jpeg)| jpeg.starts_with(&[0xff, 0xd8])));
        }
    }

    #[tokio::test]
    async fn a_camera_without_pictures_is_given_up_and_its_next_look_begins_anew() {
        let (looker, mut looking) = camera();
        assert_eq!(looker.look("cam:east").await, Err("it is not configured"));
        let hasty = Looker { patience: Duration::from_millis(50), ..looker.clone() };
        let ask = tokio::spawn(async move { hasty.look("cam:west").await });
        while !looking.is_wanted() {
            tokio::task::yield_now().await;
        }
        looking.see(&frame(0, false), 0);
        assert_eq!(ask.await.unwrap(), Err("it gave no pictures in time"));
        assert!(!looking.is_wanted());
        let next = tokio::spawn(async move { looker.look("cam:west").await });
        while !looking.is_wanted() {
            tokio::task::yield_now().await;
        }
        for number in 0..=60 {
            looking.see(&frame(number, false), 60_000 + number * 100);
        }
        let look = next.await.unwrap().unwrap();
        assert_eq!((look.evidence, look.pictures[0].0), (Evidence::Neither, 60_000), "the picture before is not of it");
    }

    #[tokio::test]
    async fn only_so_many_wait_for_one_camera() {
        let (looker, _looking) = camera();
        let asked = &looker.cameras.read().unwrap()["cam:west"].clone();
        let waiting: Vec<_> = (0..WAITING_MAX).map(|_| asked.ask().unwrap()).collect();
        assert_eq!(looker.look("cam:west").await, Err("too many ask for it"));
        drop(waiting);
        assert!(asked.ask().is_some(), "those who went make room");
    }

    #[test]
    fn the_colours_of_a_jpeg_are_those_of_its_picture() {
        let colours = image::RgbImage::from_pixel(64, 48, image::Rgb([220, 90, 20]));
        let mut jpeg = Vec::new();
        colours.write_to(&mut std::io::Cursor::new(&mut jpeg), image::ImageFormat::Jpeg).unwrap();
        let frame = Frame::new(64, 48, vec![120; 64 * 48], Colour::Jpeg(jpeg.into())).unwrap();
        let mut seen = None;
        with_planes(&frame, |planes| seen = Some((planes.cb.dim(), planes.cb[[20, 30]], planes.cr[[20, 30]])));
        let (size, cb, cr) = seen.unwrap();
        // ITU-R BT.601, full range.
        assert_eq!(size, (48, 64));
        assert!(cb.abs_diff(71) <= 3 && cr.abs_diff(199) <= 3, "{cb} {cr}");
        let broken = Frame::new(64, 48, vec![120; 64 * 48], Colour::Jpeg(vec![0xff, 0xd8].into())).unwrap();
        with_planes(&broken, |_| panic!("it has none"));
    }
}
