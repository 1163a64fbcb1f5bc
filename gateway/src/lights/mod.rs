//! Physical lights that show the worst lamp of a centre: told by MQTT, and believed only when they confirm it.
//!
//! - [`Light`]: what one has been told and has confirmed; pure
//! - [`worker`]: tells them, hears them
//!
//! A light that does not confirm in time is told again, ever more slowly; after [`FAULT_AFTER`] attempts it counts as
//! faulty until it confirms. What it shows is what it said last, never what it was told.

pub mod worker;

use crate::nouns::Lamp;

/// Attempts without a confirmation after which a light is faulty.
const FAULT_AFTER: u32 = 3;
/// A light is told again after twice the wait each time, up to so many times.
const DOUBLINGS_MAX: u32 = 5;

/// One light. Time comes in.
#[derive(Debug, Clone)]
pub struct Light {
    within_ms: i64,
    wanted: Option<Lamp>,
    shown: Option<Lamp>,
    told_ms: i64,
    /// Attempts since it was last as it should be, or since it should last be another.
    n_attempts: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing is wanted of it yet.
    Idle,
    /// It was told and has not said that it does.
    Waiting,
    /// It shows what it should, as it says itself.
    Confirmed,
    /// It does not do, or does not say, what it was told.
    Fault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// What it should show.
    Wanted(Lamp),
    /// What it says that it shows; none where that is no colour.
    Said(Option<Lamp>),
    Tick,
}

impl Light {
    /// `within_ms`: how long it may take to confirm.
    pub fn new(within_ms: i64) -> Light {
        Light { within_ms, wanted: None, shown: None, told_ms: 0, n_attempts: 0 }
    }

    /// What it is to be told now, if anything.
    pub fn step(&mut self, input: Input, now_ms: i64) -> Option<Lamp> {
        match input {
            Input::Wanted(lamp) if self.wanted == Some(lamp) => {}
            Input::Wanted(lamp) => {
                self.wanted = Some(lamp);
                self.n_attempts = 0;
                // Even where it shows that already: it may have said so long ago.
                return self.tell(now_ms);
            }
            Input::Said(lamp) => {
                let was_right = self.is_right();
                self.shown = lamp;
                if self.is_right() {
                    self.n_attempts = 0;
                } else if was_right {
                    // Somebody else switched it: it has the usual time before it is told again.
                    self.told_ms = now_ms;
                }
            }
            Input::Tick => {}
        }
        if self.due_ms().is_some_and(|due_ms| due_ms <= now_ms || now_ms < self.told_ms) {
            return self.tell(now_ms);
        }
        None
    }

    /// When it is told again unless it confirms.
    pub fn due_ms(&self) -> Option<i64> {
        let is_owed = self.wanted.is_some() && !self.is_right();
        let doublings = self.n_attempts.saturating_sub(1).min(DOUBLINGS_MAX);
        is_owed.then(|| self.told_ms.saturating_add(self.within_ms.saturating_mul(1 << doublings)))
    }

    pub fn state(&self) -> State {
        match self.wanted {
            None => State::Idle,
            Some(_) if self.is_right() => State::Confirmed,
            Some(_) if self.n_attempts >= FAULT_AFTER => State::Fault,
            Some(_) => State::Waiting,
        }
    }

    pub fn wanted(&self) -> Option<Lamp> {
        self.wanted
    }

    /// What it said last.
    pub fn shown(&self) -> Option<Lamp> {
        self.shown
    }

    fn is_right(&self) -> bool {
        self.wanted.is_some() && self.wanted == self.shown
    }

    fn tell(&mut self, now_ms: i64) -> Option<Lamp> {
        self.told_ms = now_ms;
        self.n_attempts += 1;
        self.wanted
    }
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            State::Idle => "idle",
            State::Waiting => "waiting",
            State::Confirmed => "confirmed",
            State::Fault => "fault",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_light_is_told_again_ever_more_slowly_until_it_confirms() {
        let mut light = Light::new(1_000);
        assert_eq!((light.state(), light.due_ms()), (State::Idle, None));
        assert_eq!(light.step(Input::Wanted(Lamp::Red), 0), Some(Lamp::Red));
        let mut told = Vec::new();
        for now_ms in 1..=130_000 {
            if light.step(Input::Tick, now_ms).is_some() {
                told.push(now_ms);
            }
        }
        assert_eq!(told, [1_000, 3_000, 7_000, 15_000, 31_000, 63_000, 95_000, 127_000]);
        assert_eq!((light.state(), light.shown()), (State::Fault, None), "never shown as lit without its word");
        assert_eq!(light.step(Input::Said(Some(Lamp::Green)), 130_001), None);
        assert_eq!(light.state(), State::Fault);
        light.step(Input::Said(Some(Lamp::Red)), 130_002);
        assert_eq!((light.state(), light.due_ms()), (State::Confirmed, None));
    }

    #[test]
    fn what_somebody_else_switched_is_switched_back() {
        let mut light = Light::new(1_000);
        light.step(Input::Wanted(Lamp::Yellow), 0);
        light.step(Input::Said(Some(Lamp::Yellow)), 10);
        assert_eq!(light.step(Input::Said(Some(Lamp::Off)), 5_000), None);
        assert_eq!(light.state(), State::Waiting);
        assert_eq!(light.step(Input::Tick, 6_000), Some(Lamp::Yellow));
    }

    fn any_input() -> impl Strategy<Value = Input> {
        let lamp = || prop::sample::select(vec![Lamp::Off, Lamp::Green, Lamp::Yellow, Lamp::Red]);
        prop_oneof![lamp().prop_map(Input::Wanted), prop::option::of(lamp()).prop_map(Input::Said), Just(Input::Tick),]
    }

    proptest! {
        #[test]
        fn only_what_is_wanted_is_told_and_only_its_word_is_believed(
            steps in prop::collection::vec((any_input(), -500i64..5_000), 1..60)
        ) {
            let (mut light, mut now_ms) = (Light::new(1_000), 0);
            let (mut wanted, mut said) = (None, None);
            for (input, passed_ms) in steps {
                now_ms += passed_ms;
                match input {
                    Input::Wanted(lamp) => wanted = Some(lamp),
                    Input::Said(lamp) => said = lamp,
                    Input::Tick => {}
                }
                let told = light.step(input, now_ms);
                prop_assert!(told.is_none() || told == wanted);
                prop_assert_eq!(light.shown(), said);
                prop_assert_eq!(light.state() == State::Confirmed, wanted.is_some() && wanted == said);
                // What is not right is due within the longest wait.
                let due_ms = light.due_ms();
                prop_assert_eq!(due_ms.is_some(), wanted.is_some() && wanted != said);
                prop_assert!(due_ms.is_none_or(|due_ms| due_ms <= now_ms + 500 + 32_000));
            }
        }
    }
}
