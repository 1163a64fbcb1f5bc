//! A camera's own alarms: what begins wakes it as a stir does, and rules hear which kinds are on: many rules of the camera may
//! speak of one kind.

use std::sync::atomic::Ordering::Relaxed;

use outpost_detectors::observation::{Fact, Reading};

use super::Feed;
use crate::decode::alarms::{Alarm, AlarmKind, AlarmState, Told};
use crate::telemetry::clock;

/// What a camera may say is on at once; more of it wakes the camera and has no end.
const ON_MAX: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Alarms {
    /// What is on, by who says it.
    on: Vec<(AlarmKind, String)>,
    /// Of which the state was told since the session began.
    told: Vec<AlarmKind>,
}

/// What follows from an alarm.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// Something begins that was not on.
    pub(super) begins: bool,
    /// What has to be told of the kind, in this order.
    pub(super) states: &'static [bool],
}

impl Alarms {
    pub(super) fn take(&mut self, alarm: &Alarm) -> Change {
        let kind = alarm.kind;
        let was_on = self.is_on(kind);
        let at = self.on.iter().position(|(of, speaker)| (*of, speaker) == (kind, &alarm.speaker));
        let begins = match alarm.state {
            AlarmState::On if at.is_none() => {
                if self.on.len() < ON_MAX {
                    self.on.push((kind, alarm.speaker.clone()));
                }
                true
            }
            AlarmState::On => false,
            AlarmState::Off => {
                at.map(|at| self.on.swap_remove(at));
                false
            }
            AlarmState::Momentary => true,
        };
        let is_news = !self.told.contains(&kind);
        if is_news {
            self.told.push(kind);
        }
        let states: &[bool] = match (alarm.state, was_on, self.is_on(kind)) {
            (AlarmState::Momentary, false, _) => &[true, false],
            (_, false, true) => &[true],
            (_, true, false) => &[false],
            // A rule of ours may remember it as on from before.
            (_, false, false) if is_news => &[false],
            _ => &[],
        };
        Change { begins, states }
    }

    /// The session is over: nobody knows what is on. Those that were.
    pub(super) fn forget(&mut self) -> Vec<AlarmKind> {
        self.told.clear();
        let on = std::mem::take(&mut self.on);
        AlarmKind::ALL.into_iter().filter(|kind| on.iter().any(|(of, _)| of == kind)).collect()
    }

    fn is_on(&self, kind: AlarmKind) -> bool {
        self.on.iter().any(|(of, _)| *of == kind)
    }
}

impl Feed {
    /// The camera told of its own analysis.
    pub(in crate::video) async fn alarms(&self, told: &Told) {
        let Some(active_ms) = self.alarm_active_ms else { return };
        let mut states = Vec::new();
        {
            let mut sentry = self.sentry();
            sentry.has_alarms |= !told.alarms.is_empty();
            for alarm in &told.alarms {
                let change = sentry.alarms.take(alarm);
                if change.begins {
                    self.own().alarm(alarm.kind);
                    self.asked.rouse(clock::now_ms().saturating_add(active_ms));
                }
                states.extend(change.states.iter().map(|is_on| (alarm.kind, *is_on)));
            }
        }
        self.own().alarm_others.fetch_add(told.n_others as u64, Relaxed);
        self.say_states(states).await;
    }

    /// Something of its alarms could not be had or read.
    pub(in crate::video) fn alarm_failed(&self) {
        if self.alarm_active_ms.is_some() {
            self.own().alarm_faults.fetch_add(1, Relaxed);
        }
    }

    /// Nobody knows any more what is on.
    pub(super) async fn end_alarms(&self) {
        let over = {
            let mut sentry = self.sentry();
            sentry.has_alarms = false;
            sentry.alarms.forget()
        };
        self.say_states(over.into_iter().map(|kind| (kind, false)).collect()).await;
    }

    /// Says one after another what became of alarms, each a millisecond later: what is over at once was on for one.
    async fn say_states(&self, states: Vec<(AlarmKind, bool)>) {
        if self.is_dismissed() {
            return;
        }
        for ((kind, is_on), at_ms) in states.into_iter().zip(clock::now_ms()..) {
            let (metric, value) = (kind.metric().into(), f64::from(u8::from(is_on)));
            self.say(Fact::Reading(Reading { metric, value, unit: None }), at_ms).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use tokio::sync::mpsc;

    use super::*;
    use crate::config;
    use crate::ingest::rtsp::AccessUnit;
    use crate::video::closeup::Asked;
    use crate::video::counters::Counters;
    use crate::video::decoder::Codec;
    use crate::video::pace::Pace;
    use crate::video::queue::{Claim, Queue};

    /// A feed whose gate has earned nothing, and what it puts in line and says.
    struct Scene {
        feed: Feed,
        queue: Arc<Queue>,
        counters: Arc<Counters>,
        said: mpsc::Receiver<outpost_detectors::observation::Observation>,
        asked: Arc<Asked>,
        codec: Codec,
        received_ms: i64,
    }

    impl Scene {
        fn new(codec: Codec) -> Scene {
            let camera: config::Camera = toml::from_str("id = \"a\"\nurl = \"rtsp://192.0.2.1/\"").unwrap();
            let (queue, counters, asked) = (Arc::new(Queue::new(256)), Arc::<Counters>::default(), Arc::default());
            let (out, said) = mpsc::channel(16);
            let own = (counters.clone(), Arc::default());
            let feed = Feed::new(0, &camera, Pace::new(10_000, 60_000, None), queue.clone(), own, out, None)
                .asked(Arc::clone(&asked))
                .woken_for(Some(5_000));
            Scene { feed, queue, counters, said, asked, codec, received_ms: clock::now_ms() }
        }

        /// Takes frames as an eye would that sees nothing move: those put in line, by whether they are key frames and why.
        async fn play(&mut self, frames: &[bool]) -> Vec<(bool, Claim)> {
            let mut taken = Vec::new();
            for key in frames {
                self.received_ms += 100;
                let (data, codec, received_ms) = (Bytes::from_static(&[0; 400]), self.codec, self.received_ms);
                let unit = AccessUnit { codec, data, key: *key, size: None, loss: 0, received_ms, media_ms: None };
                self.feed.unit(unit).await;
                while let Some(work) = self.queue.try_take() {
                    self.counters.looked(work.number, self.asked.roused_until_ms());
                    taken.push((work.unit.key, work.claim));
                }
            }
            taken
        }

        async fn tell(&mut self, kind: AlarmKind, state: AlarmState) {
            self.feed.alarms(&Told { alarms: vec![alarm(kind, "a", state)], n_others: 0 }).await;
        }

        fn said(&mut self) -> Vec<(String, f64)> {
            let mut said = Vec::new();
            while let Ok(observation) = self.said.try_recv() {
                let Fact::Reading(reading) = observation.fact else { panic!("{observation:?}") };
                said.push((reading.metric.to_string(), reading.value));
            }
            said
        }
    }

    const KEY: bool = true;
    const DELTA: bool = false;

    #[tokio::test]
    async fn an_alarm_has_the_group_decoded_though_the_gate_has_earned_nothing() {
        let mut scene = Scene::new(Codec::H264);
        scene.tell(AlarmKind::Motion, AlarmState::Off).await;
        // The second key frame tells how far they are apart; from then on only those that tell of alarms have a group.
        scene.play(&[KEY, DELTA, DELTA, KEY, DELTA, DELTA, DELTA]).await;
        assert_eq!(scene.play(&[DELTA, DELTA]).await, [], "at rest");
        scene.tell(AlarmKind::Motion, AlarmState::On).await;
        let woken = scene.play(&[DELTA, DELTA, DELTA]).await;
        let deltas = |n: usize, claim| vec![(DELTA, claim); n];
        let expected = [vec![(KEY, Claim::Stir)], deltas(6, Claim::Stir), deltas(2, Claim::Follow)].concat();
        assert_eq!(woken, expected);
        assert_eq!(scene.said(), [("alarm.motion".into(), 0.0), ("alarm.motion".into(), 1.0)]);
        assert_eq!(scene.counters.counts(&"cam:a".into()).alarms[0], (AlarmKind::Motion, 1));
    }

    #[tokio::test]
    async fn an_alarm_just_before_a_key_frame_has_the_group_before_it_decoded() {
        let mut scene = Scene::new(Codec::H264);
        scene.tell(AlarmKind::Tamper, AlarmState::Off).await;
        scene.play(&[KEY, DELTA, KEY, DELTA, DELTA]).await;
        scene.tell(AlarmKind::Tamper, AlarmState::On).await;
        let woken = scene.play(&[KEY]).await;
        assert_eq!(woken, [KEY, DELTA, DELTA, KEY].map(|key| (key, Claim::Stir)));
    }

    #[tokio::test]
    async fn an_alarm_has_all_pictures_of_mjpeg_decoded() {
        let mut scene = Scene::new(Codec::Mjpeg);
        scene.play(&[KEY; 5]).await;
        assert_eq!(scene.play(&[KEY; 3]).await, [], "not more often than once in so long");
        scene.tell(AlarmKind::Line, AlarmState::Momentary).await;
        assert_eq!(scene.play(&[KEY; 3]).await.len(), 3);
        assert_eq!(scene.said(), [("alarm.line".into(), 1.0), ("alarm.line".into(), 0.0)]);
    }

    #[tokio::test]
    async fn what_was_on_is_over_with_the_session_and_a_camera_without_alarms_keeps_no_group() {
        let mut scene = Scene::new(Codec::H264);
        scene.tell(AlarmKind::Field, AlarmState::On).await;
        scene.feed.failed().await;
        assert_eq!(scene.said(), [("alarm.field".into(), 1.0), ("alarm.field".into(), 0.0)]);
        scene.play(&[KEY, DELTA, KEY, DELTA, DELTA]).await;
        assert_eq!(scene.counters.group_bytes(), 0);
        scene.feed = Feed { alarm_active_ms: None, ..scene.feed };
        scene.tell(AlarmKind::Field, AlarmState::On).await;
        assert!(scene.said().is_empty(), "it is not listened to");
    }

    fn alarm(kind: AlarmKind, speaker: &str, state: AlarmState) -> Alarm {
        Alarm { kind, speaker: speaker.into(), state }
    }

    #[test]
    fn a_kind_is_on_while_anybody_says_so() {
        use AlarmState::{Off, On};
        let mut alarms = Alarms::default();
        let mut said = |speaker, state| {
            let change = alarms.take(&alarm(AlarmKind::Motion, speaker, state));
            (change.begins, change.states)
        };
        assert_eq!(said("a", Off), (false, &[false][..]), "told once, whatever was on before a restart");
        assert_eq!(said("a", Off), (false, &[][..]));
        assert_eq!(said("a", On), (true, &[true][..]));
        assert_eq!(said("a", On), (false, &[][..]), "said again and again");
        assert_eq!(said("b", On), (true, &[][..]), "something else begins");
        assert_eq!(said("a", Off), (false, &[][..]));
        assert_eq!(said("b", Off), (false, &[false][..]));
    }

    #[test]
    fn what_has_no_end_is_over_at_once_unless_it_is_on() {
        use AlarmState::{Momentary, On};
        let mut alarms = Alarms::default();
        assert_eq!(
            alarms.take(&alarm(AlarmKind::Line, "a", Momentary)),
            Change { begins: true, states: &[true, false] }
        );
        alarms.take(&alarm(AlarmKind::Line, "b", On));
        assert_eq!(alarms.take(&alarm(AlarmKind::Line, "a", Momentary)), Change { begins: true, states: &[] });
    }

    #[test]
    fn with_the_session_all_is_over_and_told_anew() {
        let mut alarms = Alarms::default();
        for kind in [AlarmKind::Tamper, AlarmKind::Motion, AlarmKind::Motion] {
            alarms.take(&alarm(kind, "a", AlarmState::On));
        }
        alarms.take(&alarm(AlarmKind::Input, "a", AlarmState::Off));
        assert_eq!(alarms.forget(), [AlarmKind::Motion, AlarmKind::Tamper]);
        assert!(alarms.forget().is_empty());
        assert_eq!(alarms.take(&alarm(AlarmKind::Input, "a", AlarmState::Off)).states, [false]);
    }

    #[test]
    fn a_camera_that_names_ever_new_things_costs_no_more_than_so_much() {
        let mut alarms = Alarms::default();
        for n in 0..1_000 {
            assert!(alarms.take(&alarm(AlarmKind::Object, &n.to_string(), AlarmState::On)).begins);
        }
        assert_eq!(alarms.on.len(), ON_MAX);
    }
}
