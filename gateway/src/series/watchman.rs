//! Tells the pipeline when the server takes nothing, and when readings are lost. Knows nothing of rules or requests.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::worker::blocking;
use super::{Phase, Progress};
use crate::nouns::{Figure, Spool, SpoolLoss, StoreFault, Trouble, TroubleKind, Why, trouble};
use crate::telemetry::{now_ms, time_text};

/// How often it looks. An alert may count what was lost until then only.
const LOOK_EVERY: Duration = Duration::from_secs(1);

pub struct Watchman {
    spool: Arc<dyn Spool>,
    progress: Arc<Progress>,
    troubles: mpsc::Sender<Trouble>,
    /// What was told last; nothing yet after a start.
    down: Option<bool>,
    losing: Option<bool>,
}

impl Watchman {
    pub fn new(spool: Arc<dyn Spool>, progress: Arc<Progress>, troubles: mpsc::Sender<Trouble>) -> Watchman {
        Watchman { spool, progress, troubles, down: None, losing: None }
    }

    pub async fn run(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let looks = async {
            loop {
                ticks.tick().await;
                self.look_at_server().await;
                // A store that fails is told of by whoever needs it.
                let _ = self.look_at_spool().await;
            }
        };
        stop.run_until_cancelled(looks).await;
    }

    async fn look_at_server(&mut self) {
        let status = self.progress.status();
        let is_down = match status.phase {
            Phase::Up => false,
            Phase::Retrying | Phase::Refused => true,
            // Nothing is known of the server: what was so before stays.
            Phase::Idle | Phase::StoreFault => return,
        };
        if self.down == Some(is_down) {
            return;
        }
        let text = match status.reason {
            Some(reason) => format!("the series database takes no readings: {reason}"),
            None => "the series database takes readings".to_owned(),
        };
        self.tell(TroubleKind::SeriesDown, is_down, Why { text, figures: Vec::new() }).await;
        self.down = Some(is_down);
    }

    async fn look_at_spool(&mut self) -> Result<(), StoreFault> {
        let spool = self.spool.clone();
        let loss = blocking(move || spool.loss()).await?;
        let is_losing = loss.as_ref().is_some_and(|loss| !loss.is_over);
        if self.losing != Some(is_losing) {
            let why = loss.as_ref().map_or_else(Why::default, why_lost);
            self.tell(TroubleKind::ReadingsLost, is_losing, why).await;
            self.losing = Some(is_losing);
        } else if let Some(loss) = loss.filter(|loss| loss.is_over) {
            // Told a look ago, which is more than a commit takes; if that was not enough, a restart only lacks the number.
            let spool = self.spool.clone();
            blocking(move || spool.forget_loss(&loss)).await?;
        }
        Ok(())
    }

    async fn tell(&self, kind: TroubleKind, is_on: bool, why: Why) {
        let trouble = Trouble { kind, source: trouble::SERIES.into(), is_on, why, at_ms: now_ms() };
        // The pipeline is gone: so are we, soon.
        let _ = self.troubles.send(trouble).await;
    }
}

fn why_lost(loss: &SpoolLoss) -> Why {
    let SpoolLoss { n_lines, since_ms, is_over } = loss;
    let since = time_text(*since_ms);
    let text = match is_over {
        false => format!("the spool is full: {n_lines} of the oldest readings lost since {since}, and more may follow"),
        true => format!("the spool has room again: {n_lines} of the oldest readings were lost since {since}"),
    };
    Why { text, figures: vec![Figure { name: "lost".into(), value: *n_lines as f64, unit: None }] }
}
