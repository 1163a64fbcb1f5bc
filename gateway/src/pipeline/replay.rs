//! `outpost replay`: recorded observations through the same Watch and Desk, as fast as it can, printed as a timeline.
//! Time is what the recording says: the same input gives the same output, byte for byte.

use std::io::{BufRead, Write};

use outpost_detectors::observation::Observation;
use outpost_fences::FenceSet;

use super::watch::{Effect, Watch};
use super::{record, rules::RuleError};
use crate::config::Config;
use crate::dispatch::{self, Desk};
use crate::telemetry::time_text;

#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error(transparent)]
    Rule(#[from] RuleError),
    #[error("{file}: {cause}")]
    Io { file: String, cause: std::io::Error },
    #[error("cannot write the timeline: {0}")]
    Out(std::io::Error),
}

/// What was played, for the last line of the timeline.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Played {
    pub n_observations: u64,
    pub n_rejected: u64,
    pub n_alerts: u64,
    pub n_tickets: u64,
}

pub struct Replay<'a, W: Write> {
    watch: Watch,
    desk: Desk,
    effects: Vec<Effect>,
    desk_effects: Vec<dispatch::Effect>,
    played: Played,
    /// Receive time of the last observation.
    heard_ms: i64,
    out: &'a mut W,
}

impl<'a, W: Write> Replay<'a, W> {
    pub fn new(config: &Config, fences: &FenceSet, out: &'a mut W) -> Result<Self, ReplayError> {
        Ok(Replay {
            watch: Watch::new(config, fences)?,
            desk: Desk::restore(config, dispatch::Kept::default()),
            effects: Vec::new(),
            desk_effects: Vec::new(),
            played: Played::default(),
            heard_ms: 0,
            out,
        })
    }

    /// Plays one recording. A line that cannot be read is told with its number, counted, and skipped.
    pub fn play(&mut self, file: &str, lines: &mut impl BufRead) -> Result<(), ReplayError> {
        let failed = |cause| ReplayError::Io { file: file.to_owned(), cause };
        record::for_each(lines, failed, |number, observation| match observation {
            Ok(observation) => self.observe(&observation),
            Err(error) => {
                self.played.n_rejected += 1;
                writeln!(self.out, "{file}:{number}: {error}").map_err(ReplayError::Out)
            }
        })
    }

    fn observe(&mut self, observation: &Observation) -> Result<(), ReplayError> {
        self.played.n_observations += 1;
        self.heard_ms = observation.received_ms;
        self.wait_until(observation.received_ms)?;
        self.watch.step(observation, &mut self.effects);
        self.tell(observation.received_ms)
    }

    /// The last line: what was played.
    pub fn finish(mut self) -> Result<Played, ReplayError> {
        // Nothing more of the last message comes.
        self.watch.message_ends(&mut self.effects);
        self.tell(self.heard_ms)?;
        let Played { n_observations, n_rejected, n_alerts, n_tickets } = self.played;
        writeln!(
            self.out,
            "{n_observations} observations, {n_rejected} rejected, {n_alerts} alerts, {n_tickets} tickets"
        )
        .map_err(ReplayError::Out)?;
        Ok(self.played)
    }

    /// Ends what was due before the next observation, each at its own time.
    fn wait_until(&mut self, now_ms: i64) -> Result<(), ReplayError> {
        while let Some(due_ms) = self.watch.elapse_next(now_ms, &mut self.effects) {
            self.tell(due_ms)?;
        }
        Ok(())
    }

    fn tell(&mut self, now_ms: i64) -> Result<(), ReplayError> {
        for effect in self.effects.drain(..) {
            match effect {
                Effect::Save(_) | Effect::Remember(_) | Effect::Join(_) | Effect::Show(_) => {}
                Effect::Open(alert) => {
                    self.played.n_alerts += 1;
                    self.desk.alert_opened(&alert, now_ms, &mut self.desk_effects);
                    let (key, severity) = (&alert.key, alert.severity.as_str());
                    let fence = key.fence.as_deref().map(|fence| format!(" {fence}")).unwrap_or_default();
                    writeln!(
                        self.out,
                        "{} alert {} opened {severity} {} {}{fence}: {} (since {})",
                        time_text(now_ms),
                        alert.id,
                        key.rule,
                        key.source,
                        alert.why.text,
                        time_text(alert.since_at_ms)
                    )
                    .map_err(ReplayError::Out)?;
                }
                Effect::Clear(cleared) => {
                    self.desk.alert_cleared(&cleared, now_ms, &mut self.desk_effects);
                    let (key, time) = (&cleared.key, time_text(now_ms));
                    writeln!(
                        self.out,
                        "{time} alert {} cleared {} {}: {}",
                        cleared.id, key.rule, key.source, cleared.why
                    )
                    .map_err(ReplayError::Out)?;
                }
            }
        }
        for effect in self.desk_effects.drain(..) {
            let dispatch::Effect::Journal(entry) = effect else { continue };
            self.played.n_tickets += u64::from(entry.what == "opened");
            writeln!(self.out, "{} T-{} {}: {}", time_text(now_ms), entry.ticket, entry.what, entry.note)
                .map_err(ReplayError::Out)?;
        }
        Ok(())
    }
}
