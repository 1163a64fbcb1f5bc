//! What a camera's session hands its units and links to: keeps the pace, and puts in line what is to be decoded. Decodes
//! nothing.

mod alarms;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use outpost_detectors::observation::{Fact, Link, LinkState, Observation};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::alarms::Alarms;
use super::closeup::Asked;
use super::counters::Counters;
use super::group::Group;
use super::pace::Pace;
use super::queue::{Claim, Queue, Work};
use super::reel::Reel;
use super::roll::Roll;
use crate::config;
use crate::ingest::rtsp::AccessUnit;
use crate::telemetry::clock;

/// Share of a camera's memory that the units since its last key frame may take.
const GROUP_SHARE: u64 = 4;

/// Where key frames are further apart ("smart" codecs: up to minutes), all frames are decoded: looking only at key
/// frames would leave the camera unwatched in between.
pub(super) const KEY_GAP_MS_MAX: i64 = 5_000;

pub(super) struct Feed {
    camera: usize,
    source: Arc<str>,
    important: bool,
    queue: Arc<Queue>,
    own: Arc<Counters>,
    /// What is shed may be another's.
    roll: Arc<Roll>,
    out: mpsc::Sender<Observation>,
    number: AtomicU64,
    /// Number of the last unit that went into the queue.
    queued: AtomicU64,
    session: AtomicU64,
    /// Only the session's task takes it, and waits for nothing meanwhile.
    sentry: Mutex<Sentry>,
    /// Whether what comes waits for the decoder, however long: a recording.
    is_patient: bool,
    /// None where no clips are made of what comes.
    reel: Option<Arc<Reel>>,
    asked: Arc<Asked>,
    /// For how long an alarm of the camera's own makes all frames due; None where it is not listened to.
    alarm_active_ms: Option<i64>,
    /// What ends the camera alone, and what ends all.
    ends: Option<(CancellationToken, CancellationToken)>,
}

/// What is known of a camera without decoding anything.
struct Sentry {
    pace: Pace,
    group: Group,
    keys: Keys,
    alarms: Alarms,
    /// The camera told of alarms in this session: it may wake at any time, so the group is at hand.
    has_alarms: bool,
}

/// How far apart a session's key frames are.
#[derive(Default)]
struct Keys {
    last_ms: Option<i64>,
    /// None before the second.
    is_sparse: Option<bool>,
}

impl Keys {
    fn key(&mut self, now_ms: i64) {
        if let Some(last_ms) = self.last_ms.replace(now_ms) {
            self.is_sparse = Some(now_ms.saturating_sub(last_ms) > KEY_GAP_MS_MAX);
        }
    }

    /// A delta frame came: whether it tells that the next key frame comes too late.
    fn delta(&mut self, now_ms: i64) -> bool {
        let is_late = self.last_ms.is_some_and(|last_ms| now_ms.saturating_sub(last_ms) > KEY_GAP_MS_MAX);
        is_late && self.is_sparse.replace(true) != Some(true)
    }

    fn is_sparse(&self) -> bool {
        self.is_sparse == Some(true)
    }
}

/// What is to be done about a unit.
enum Plan {
    Pass,
    Enqueue(Claim),
    /// Something stirs, or somebody wants to look: all since the last key frame.
    Rouse(Vec<(u64, AccessUnit)>),
}

impl Feed {
    pub(super) fn new(
        camera: usize,
        config: &config::Camera,
        pace: Pace,
        queue: Arc<Queue>,
        (own, roll): (Arc<Counters>, Arc<Roll>),
        out: mpsc::Sender<Observation>,
        reel: Option<Arc<Reel>>,
    ) -> Self {
        if pace.standing().onsets > 0.0 {
            own.set_gate(pace.standing(), pace.earned());
        }
        let group = Group::new(usize::try_from(config.memory_max.0 / GROUP_SHARE).unwrap_or(usize::MAX));
        Feed {
            camera,
            source: super::name(config),
            important: config.zones.iter().any(|zone| zone.important),
            queue,
            own,
            roll,
            out,
            number: AtomicU64::new(0),
            queued: AtomicU64::new(0),
            session: AtomicU64::new(0),
            sentry: Mutex::new(Sentry {
                pace,
                group,
                keys: Keys::default(),
                alarms: Alarms::default(),
                has_alarms: false,
            }),
            is_patient: config.pace == config::Pace::Fast,
            reel,
            asked: Arc::default(),
            alarm_active_ms: None,
            ends: None,
        }
    }

    /// `own` ends the camera alone, `all` the gateway.
    pub(super) fn until(self, own: CancellationToken, all: CancellationToken) -> Self {
        Feed { ends: Some((own, all)), ..self }
    }

    /// The camera is no more: its last word would be taken for that of one that went dark.
    fn is_dismissed(&self) -> bool {
        self.ends.as_ref().is_some_and(|(own, all)| own.is_cancelled() && !all.is_cancelled())
    }

    /// What is asked of the camera.
    pub(super) fn asked(self, asked: Arc<Asked>) -> Self {
        Feed { asked, ..self }
    }

    /// What the camera tells of its own wakes it for so long.
    pub(super) fn woken_for(self, alarm_active_ms: Option<i64>) -> Self {
        Feed { alarm_active_ms, ..self }
    }

    /// Nothing will come any more.
    pub(super) fn end(&self) {
        self.reel.iter().for_each(|reel| reel.end());
    }

    /// Whether nothing is known to move, and nobody wants to look.
    pub(super) fn is_at_rest(&self) -> bool {
        self.asked.wanted().is_none() && !self.own().is_active(clock::now_ms())
    }

    fn own(&self) -> &Counters {
        &self.own
    }

    fn sentry(&self) -> MutexGuard<'_, Sentry> {
        self.sentry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn plan(&self, number: u64, unit: &AccessUnit) -> Plan {
        let mut sentry = self.sentry();
        let Sentry { pace, group, keys, has_alarms, .. } = &mut *sentry;
        if let Some(verdict) = self.own().take_verdict() {
            pace.judge(verdict);
            self.own().set_gate(pace.standing(), pace.earned());
        }
        // Of a session's first group nobody knows how long it is.
        let (has_deltas, has_group) = (unit.codec.has_delta_frames(), pace.is_trusted() || *has_alarms);
        let is_kept = has_deltas && (has_group || keys.is_sparse.is_none());
        let is_idle = self.own().is_idle(self.queued.load(Relaxed), unit.received_ms);
        // Where there is no group the next key frame is soon looked at. While what came before is still to be looked at, what
        // is asked for waits for that: it may leave the camera at rest.
        let is_settled = is_idle || self.own().is_active(unit.received_ms);
        let is_asked_for = (has_group || !has_deltas) && is_settled && self.asked.take_fresh();
        let mut before = Vec::new();
        let stirs = if unit.key {
            keys.key(unit.received_ms);
            if is_asked_for && is_idle {
                before = group.take();
            }
            is_asked_for
        } else {
            let (by_size, by_gap) = (pace.delta(unit.data.len()), keys.delta(unit.received_ms));
            by_size || by_gap || is_asked_for
        };
        if is_kept {
            group.push(number, unit);
        } else {
            group.forget();
        }
        let plan = if unit.key {
            let is_look = pace.key(number, unit.received_ms, self.own().active_until_ms.load(Relaxed));
            match (is_look, is_idle) {
                (_, true) if stirs => {
                    before.push((number, unit.clone()));
                    Plan::Rouse(before)
                }
                (true, _) => Plan::Enqueue(Claim::Look),
                (false, true) => Plan::Pass,
                (false, false) => Plan::Enqueue(Claim::Follow),
            }
        } else if !is_idle {
            Plan::Enqueue(Claim::Follow)
        } else if stirs {
            Plan::Rouse(group.take())
        } else {
            // While nothing moves, a delta frame would only wake the decode thread to be dropped there: its missing number
            // tells the same.
            Plan::Pass
        };
        self.own().set_group_bytes(group.bytes());
        plan
    }

    async fn put(&self, number: u64, claim: Claim, chain: bool, unit: AccessUnit) {
        let claim = match claim {
            Claim::Look | Claim::Stir if self.is_patient => Claim::Must,
            Claim::Follow if self.is_patient => Claim::Wait,
            claim => claim,
        };
        let received_ms = unit.received_ms;
        self.queued.store(number, Relaxed);
        let (camera, important, session) = (self.camera, self.important, self.session.load(Relaxed));
        let active = self.own().is_active(received_ms);
        let sparse = unit.codec.has_delta_frames() && self.sentry().keys.is_sparse();
        let work = Work { camera, number, session, claim, chain, active, sparse, important, unit };
        if let Some(shed) = self.queue.put(work).await {
            self.roll.shed(shed.camera, shed.n_due, shed.n_follow, received_ms);
        }
    }
}

impl Feed {
    pub(super) async fn link(&self, link: Link) {
        let now_ms = clock::now_ms();
        if link.state == LinkState::Live {
            self.session.fetch_add(1, Relaxed);
            self.own().begin();
            let mut sentry = self.sentry();
            sentry.pace.begin(now_ms);
            sentry.group.forget();
            sentry.keys = Keys::default();
        }
        self.own().set_link(&link);
        if self.is_dismissed() {
            return;
        }
        self.say(Fact::Link(link), now_ms).await;
    }

    async fn say(&self, fact: Fact, at_ms: i64) {
        let observation = Observation { source: self.source.clone(), at_ms, received_ms: at_ms, fact };
        // An error means that nobody listens any more: the gateway is stopping.
        let _ = self.out.send(observation).await;
    }

    pub(super) async fn unit(&self, unit: AccessUnit) {
        self.own().frame(unit.data.len(), unit.key, unit.loss, unit.received_ms);
        if let Some(media_ms) = unit.media_ms {
            self.own().media(media_ms, unit.received_ms);
        }
        self.reel.iter().for_each(|reel| reel.push(&unit));
        let number = self.number.fetch_add(1, Relaxed) + 1;
        match self.plan(number, &unit) {
            Plan::Pass => {}
            Plan::Enqueue(claim) => self.put(number, claim, false, unit).await,
            Plan::Rouse(group) => {
                let last = group.len().saturating_sub(1);
                for (at, (number, unit)) in group.into_iter().enumerate() {
                    self.put(number, Claim::Stir, at < last, unit).await;
                }
            }
        }
    }

    pub(super) async fn failed(&self) {
        self.own().failed_sessions.fetch_add(1, Relaxed);
        self.end();
        self.sentry().group.forget();
        self.own().set_group_bytes(0);
        self.end_alarms().await;
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::video::decoder::Codec;
    use crate::video::pace::Verdict;

    fn unit(key: bool, received_ms: i64, len: usize) -> AccessUnit {
        let data = Bytes::from(vec![0; len]);
        AccessUnit { codec: Codec::H264, data, key, size: None, loss: 0, received_ms, media_ms: None }
    }

    fn feed(queue: &Arc<Queue>, counters: &Arc<Counters>) -> Feed {
        let camera: config::Camera = toml::from_str("id = \"a\"\nurl = \"rtsp://192.0.2.1/\"").unwrap();
        let (pace, out) = (Pace::new(10_000, 60_000, None), mpsc::channel(1).0);
        Feed::new(0, &camera, pace, queue.clone(), (counters.clone(), Arc::default()), out, None)
    }

    #[tokio::test]
    async fn a_delta_frame_passes_only_while_something_moves_or_is_still_to_be_looked_at() {
        let (queue, counters) = (Arc::new(Queue::new(16)), Arc::<Counters>::default());
        let feed = feed(&queue, &counters);
        feed.unit(unit(true, 1_000, 9)).await;
        feed.unit(unit(false, 1_040, 9)).await;
        let numbers = || std::iter::from_fn(|| queue.try_take()).map(|work| work.number).collect::<Vec<_>>();
        assert_eq!(numbers(), [1, 2], "nobody knows yet whether the key frame shows movement");
        counters.looked(2, 0);
        feed.unit(unit(false, 1_080, 9)).await;
        feed.unit(unit(true, 2_000, 9)).await;
        feed.unit(unit(false, 2_040, 9)).await;
        assert_eq!(numbers(), [4, 5]);
        counters.looked(5, 3_000);
        feed.unit(unit(false, 2_999, 9)).await;
        feed.unit(unit(false, 3_000, 9)).await;
        assert_eq!(numbers(), [6, 7], "what follows one that is not looked at yet passes");
        counters.looked(7, 3_000);
        feed.unit(unit(false, 3_001, 9)).await;
        assert_eq!(numbers(), [0u64; 0]);
    }

    #[tokio::test]
    async fn a_zone_that_is_important_makes_all_of_its_camera_so() {
        let zone = |id: &str, more: &str| format!("{{ id = \"{id}\", polygon = [[0, 0], [1, 0], [1, 1]]{more} }}");
        let (plain, important) = (zone("a", ""), zone("b", ", important = true"));
        for (zones, expected) in
            [(String::new(), false), (plain.clone(), false), (format!("{plain}, {important}"), true)]
        {
            let text = format!("id = \"a\"\nurl = \"rtsp://192.0.2.1/\"\nzones = [{zones}]");
            let camera: config::Camera = toml::from_str(&text).unwrap();
            let queue = Arc::new(Queue::new(16));
            let pace = Pace::new(10_000, 60_000, None);
            let feed = Feed::new(0, &camera, pace, queue.clone(), Default::default(), mpsc::channel(1).0, None);
            feed.unit(unit(true, 1_000, 9)).await;
            feed.unit(unit(false, 1_040, 9)).await;
            let taken: Vec<bool> = std::iter::from_fn(|| queue.try_take()).map(|work| work.important).collect();
            assert_eq!(taken, [expected; 2], "{text}");
        }
    }

    #[tokio::test]
    async fn key_frames_too_far_apart_are_known_by_the_first_that_is_late_and_all_frames_are_due_then() {
        let (queue, counters) = (Arc::new(Queue::new(256)), Arc::<Counters>::default());
        let feed = feed(&queue, &counters);
        // One key frame, and a delta frame each tenth of a second.
        let play = async |from: i64, to: i64| {
            let mut taken = Vec::new();
            for tenth in from..to {
                feed.unit(unit(tenth == 0, tenth * 100, 400)).await;
                while let Some(work) = queue.try_take() {
                    counters.looked(work.number, if work.sparse { i64::MAX } else { 0 });
                    taken.push((work.unit.key, work.claim, work.sparse));
                }
            }
            taken
        };
        assert_eq!(play(0, 51).await, [(true, Claim::Look, false)], "at rest");
        let late = play(51, 60).await;
        assert_eq!((late[0], late.len()), ((true, Claim::Stir, true), 60), "from the key frame on");
        assert!(late[52..].iter().all(|unit| *unit == (false, Claim::Follow, true)), "{late:?}");
    }

    #[tokio::test]
    async fn nobody_waits_for_a_camera_at_rest() {
        let (queue, counters) = (Arc::new(Queue::new(16)), Arc::<Counters>::default());
        let (feed, asked) = (feed(&queue, &counters), Arc::<Asked>::default());
        let feed = feed.asked(asked.clone());
        let now_ms = clock::now_ms();
        feed.unit(unit(true, now_ms, 9)).await;
        assert!(feed.is_at_rest());
        let answer = asked.ask();
        assert!(!feed.is_at_rest(), "somebody wants to look");
        drop(answer);
        asked.give_up();
        assert!(feed.is_at_rest());
        counters.looked(1, now_ms + 60_000);
        assert!(!feed.is_at_rest(), "something moves");
    }

    /// Decodes nothing, but answers as an eye would that sees movement where frames are large.
    async fn play(
        feed: &Feed,
        queue: &Queue,
        counters: &Counters,
        frames: std::ops::Range<i64>,
        len: usize,
    ) -> Vec<Work> {
        let mut taken = Vec::new();
        for frame in frames {
            feed.unit(unit(frame % 30 == 0, frame * 66, len)).await;
            while let Some(work) = queue.try_take() {
                if work.unit.key {
                    counters.judged(Verdict { number: work.number, moved: len > 1_000 });
                }
                counters.looked(work.number, 0);
                taken.push(work);
            }
        }
        taken
    }

    #[tokio::test]
    async fn what_stirs_under_a_trusted_gate_is_decoded_from_its_key_frame_on() {
        let (queue, counters) = (Arc::new(Queue::new(256)), Arc::<Counters>::default());
        let feed = feed(&queue, &counters);
        for visit in 0..10 {
            play(&feed, &queue, &counters, visit * 600..visit * 600 + 495, 400).await;
            play(&feed, &queue, &counters, visit * 600 + 495..visit * 600 + 600, 2_000).await;
        }
        assert!(counters.counts(&"cam:a".into()).gate.unwrap().is_trusted);
        let calm = play(&feed, &queue, &counters, 6_000..8_000, 400).await;
        assert!(calm.iter().all(|work| work.unit.key), "at rest only key frames go in line");
        assert!(counters.group_bytes() > 400, "but the group is at hand");
        let stirred = play(&feed, &queue, &counters, 8_000..8_010, 2_000).await;
        let group: Vec<&Work> = stirred.iter().filter(|work| work.claim == Claim::Stir).collect();
        assert!(group[0].unit.key && group.len() > 20, "{} units", group.len());
        assert!(group.windows(2).all(|pair| pair[0].number + 1 == pair[1].number && pair[0].chain));
    }
}
