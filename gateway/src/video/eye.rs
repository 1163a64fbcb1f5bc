//! One camera's pictures on its decode thread: which to decode, what moves in them, which to keep. Knows nothing of
//! sessions or rules.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;
use outpost_detectors::observation::{Fact, Link, LinkReason, LinkState, Observation, PictureFacts};
use tokio::sync::mpsc;
use tracing::warn;

use super::closeup::Looking;
use super::counters::Counters;
use super::decoder::Guarded;
use super::evidence::{Pictures, Shows};
use super::frame::Frame;
use super::lane::Look;
use super::pace::Verdict;
use super::queue::{Claim, Work};
use super::spare::Spare;
use super::white_hot::WhiteHot;
use outpost_detectors::background::Scratch;
use outpost_detectors::lookout::Lookout;
use outpost_detectors::luma::Luma;

/// Key frames in a row without a picture, after which the camera counts as one that is not decoded here.
const FAILED_KEYS_MAX: u32 = 3;

/// For so long after each unit that comes while somebody looks through the camera all frames are decoded.
const LOOKED_THROUGH_MS: i64 = 2_000;

pub(crate) struct Eye {
    source: Arc<str>,
    active_ms: i64,
    out: mpsc::Sender<Observation>,
    counters: Arc<Counters>,
    pictures: Arc<Pictures>,
    lookout: Lookout,
    looking: Looking,
    heat: Option<WhiteHot>,
    state: State,
}

/// All that a panic throws away.
#[derive(Default)]
struct State {
    decoder: Option<Guarded>,
    session: u64,
    last_number: u64,
    /// Whether all units since the last key frame were decoded, so that the next delta frame can be.
    unbroken: bool,
    active_until_ms: i64,
    /// Whether key frames are too far apart to look at them alone.
    sparse_keys: bool,
    failed_keys: u32,
    blind: bool,
    /// Number of the last picture.
    picture: u64,
}

impl Eye {
    pub(crate) fn new(
        source: Arc<str>,
        active_ms: i64,
        out: mpsc::Sender<Observation>,
        counters: Arc<Counters>,
        pictures: Arc<Pictures>,
        lookout: Lookout,
        looking: Looking,
    ) -> Self {
        // A camera's second eye numbers no picture as its first one did.
        let picture = counters.decoded.load(Relaxed);
        let state = State { picture, ..State::default() };
        Eye { source, active_ms, out, counters, pictures, lookout, looking, heat: None, state }
    }

    /// Its pictures are of heat, as well.
    pub(crate) fn of_heat(self, heat: Option<WhiteHot>) -> Self {
        Eye { heat, ..self }
    }

    fn judge(&mut self, work: &Work, spare: &mut Spare) {
        let unit = &work.unit;
        self.state.active_until_ms = self.state.active_until_ms.max(self.looking.roused_until_ms());
        if self.looking.is_wanted() {
            let until_ms = unit.received_ms.saturating_add(LOOKED_THROUGH_MS);
            self.state.active_until_ms = self.state.active_until_ms.max(until_ms);
        }
        let active = unit.received_ms < self.state.active_until_ms();
        let wanted = (!work.claim.is_conditional() || active) && (unit.key || self.state.unbroken);
        if !wanted {
            self.state.unbroken = false;
            if !unit.key {
                // Its forerunner was shed or damaged: it cannot be decoded either, and is part of the same loss.
                self.counters.shed(
                    u64::from(work.claim == Claim::Stir),
                    u64::from(work.claim == Claim::Follow),
                    unit.received_ms,
                );
            }
            return;
        }
        let own = self.state.decoder.take().filter(|own| own.codec() == unit.codec);
        let mut decoder = own.unwrap_or_else(|| spare.take(unit.codec));
        // libavcodec holds the key frame of a stream with B-frames back until more comes.
        let is_alone = !work.chain && !active;
        let mut held = false;
        let outcome = spare.timer().time(work.camera, || {
            let outcome = decoder.decode(&unit.data);
            held = is_alone && unit.key && matches!(outcome, Ok(None));
            if held { Ok(decoder.finish()) } else { outcome }
        });
        self.state.unbroken = outcome.is_ok();
        match outcome {
            Ok(Some(frame)) => self.picture(frame, work, &mut spare.scratch),
            Ok(None) if !unit.key => {}
            Ok(None) => self.failed_key("key frame holds no picture"),
            Err(error) => {
                self.counters.decode_errors.fetch_add(1, Relaxed);
                if unit.key {
                    self.failed_key(&error.to_string());
                }
            }
        }
        let goes_on = work.chain || unit.received_ms < self.state.active_until_ms();
        if goes_on && unit.codec.has_delta_frames() {
            if held {
                // What follows needs it, and to have it shown ended the stream.
                let _ = spare.timer().time(work.camera, || decoder.decode(&unit.data));
            }
            self.state.decoder = Some(decoder);
        } else {
            self.state.unbroken = false;
            spare.put(decoder);
        }
    }

    fn picture(&mut self, frame: Frame, work: &Work, scratch: &mut Scratch) {
        let (unit, received_ms) = (&work.unit, work.unit.received_ms);
        self.counters.decoded.fetch_add(1, Relaxed);
        self.state.failed_keys = 0;
        if std::mem::take(&mut self.state.blind) {
            self.say(Fact::Link(Link { state: LinkState::Live, reason: None }), received_ms);
        }
        self.looking.see(&frame, received_ms);
        if let Some(shown) = self.heat.as_mut().and_then(|heat| heat.frame(&frame, received_ms)) {
            self.say(Fact::Thermal(shown), received_ms);
        }
        self.state.picture += 1;
        let picture = self.state.picture;
        let luma = Luma { width: frame.width, height: frame.height, stride: frame.width, pixels: &frame.luma };
        let facts = PictureFacts { picture, ..self.lookout.look(&luma, received_ms, scratch) };
        let moves = !facts.blobs.is_empty();
        if unit.key && !facts.sight.is_unsettled {
            self.counters.judged(Verdict { number: work.number, moved: moves });
        }
        if self.lookout.is_stirring() {
            self.state.active_until_ms = received_ms.saturating_add(self.active_ms);
        }
        self.counters.moving.fetch_add(u64::from(moves), Relaxed);
        let shows = if moves || self.lookout.is_stirring() {
            let share = facts.blobs.iter().map(|blob| blob.width() * blob.height()).fold(0.0, f32::max);
            Shows::Movement(Arc::new(frame), share)
        } else if unit.key {
            // A copy: the unit's own buffer may be twice its length.
            Shows::QuietKey(unit.codec, Bytes::copy_from_slice(&unit.data))
        } else {
            Shows::Quiet(Arc::new(frame))
        };
        // Kept before it is spoken of, so that whoever hears of it finds it.
        self.pictures.keep(picture, received_ms, shows);
        self.say(Fact::Picture(facts), received_ms);
    }

    fn failed_key(&mut self, error: &str) {
        self.state.failed_keys = self.state.failed_keys.saturating_add(1);
        if self.state.failed_keys >= FAILED_KEYS_MAX && !self.state.blind {
            self.state.blind = true;
            warn!(source = %self.source, %error, "camera sends pictures that do not decode");
            let link = Link { state: LinkState::Offline, reason: Some(LinkReason::Codec) };
            self.say(Fact::Link(link), crate::telemetry::clock::now_ms());
        }
    }

    fn say(&self, fact: Fact, at_ms: i64) {
        if let Fact::Link(link) = &fact {
            self.counters.set_link(link);
        }
        let observation = Observation { source: self.source.clone(), at_ms, received_ms: at_ms, fact };
        // Blocks while Watch is behind: this queue fills, delta frames are shed, then sockets are not read. An error
        // means that nobody listens any more: the gateway is stopping.
        let _ = self.out.blocking_send(observation);
    }
}

impl Look for Eye {
    /// Takes the next unit of this camera.
    fn look(&mut self, work: &Work, spare: &mut Spare) {
        self.state.follow(work);
        // Before decoding as well as after it: what is shed meanwhile is judged by it.
        self.counters.active_until_ms.store(self.state.active_until_ms(), Relaxed);
        self.judge(work, spare);
        self.counters.looked(work.number, self.state.active_until_ms());
    }

    /// Starts afresh, but never numbers two pictures alike.
    fn reset(&mut self) {
        let (picture, session) = (self.state.picture, self.state.session);
        self.state = State { picture, session, ..State::default() };
        self.lookout.begin_anew();
        self.counters.decode_errors.fetch_add(1, Relaxed);
    }
}

impl State {
    /// Until when all frames are due to be decoded.
    fn active_until_ms(&self) -> i64 {
        if self.sparse_keys { i64::MAX } else { self.active_until_ms }
    }

    /// Notes breaks and new sessions.
    fn follow(&mut self, work: &Work) {
        if work.session != self.session {
            // The session says anew that it is live; so must the eye, if it still is blind.
            (self.session, self.failed_keys, self.blind) = (work.session, 0, false);
            self.unbroken = false;
        }
        self.sparse_keys = work.sparse;
        if work.number != self.last_number.wrapping_add(1) || work.unit.loss > 0 {
            self.unbroken = false;
        }
        if !work.unit.codec.has_delta_frames() {
            self.unbroken = true;
        }
        self.last_number = work.number;
    }
}
