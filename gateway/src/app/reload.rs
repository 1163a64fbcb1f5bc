//! Takes rules, fences and the names of sources from a changed configuration while everything runs. What else it may say
//! takes a restart; then nothing is taken, so that what runs is always one configuration and never half of two.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use tracing::{error, info};

use super::{expected, fences};
use crate::api::Estate;
use crate::config::{self, Config};
use crate::pipeline::run::{Ask, Reload};
use crate::telemetry::metrics::Metrics;

pub(super) struct Reloader {
    running: Vec<(&'static str, String)>,
    asks: mpsc::Sender<Ask>,
    estate: watch::Sender<Estate>,
    metrics: Arc<Metrics>,
}

impl Reloader {
    pub(super) fn new(
        config: &Config,
        asks: mpsc::Sender<Ask>,
        estate: watch::Sender<Estate>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Reloader { running: fixed(config), asks, estate, metrics }
    }

    pub(super) async fn serve(&mut self, mut asked: impl AsyncFnMut() -> bool, file: &Path) {
        while asked().await {
            let taken = self.reload(file).await;
            self.metrics.reloaded(taken.is_ok());
            match taken {
                Ok(n_rules) => info!(file = %file.display(), n_rules, "rules and fences reloaded"),
                Err(cause) => error!(file = %file.display(), %cause, "not reloaded, what ran before runs on"),
            }
        }
    }

    async fn reload(&mut self, file: &Path) -> Result<usize, String> {
        let config = config::load(file).map_err(|problems| problems.to_string())?;
        let changed: Vec<&str> =
            fixed(&config).iter().zip(&self.running).filter(|(new, old)| new != old).map(|(new, _)| new.0).collect();
        if !changed.is_empty() {
            return Err(format!("{} changed, which takes a restart", changed.join(", ")));
        }
        let fences = fences(&config, file).map_err(|error| format!("{error:#}"))?;
        let estate = Estate::new(&config, &fences);
        let n_rules = config.rules.len();
        let reload = Box::new(Reload { expected: expected(&config), config, fences });
        let (reply, answer) = oneshot::channel();
        let gone = |_| "the pipeline is gone".to_owned();
        self.asks.send(Ask::Reload(reload, reply)).await.map_err(|_| gone(()))?;
        answer.await.map_err(|_| gone(()))?.map_err(|error| error.to_string())?;
        self.estate.send_replace(estate);
        Ok(n_rules)
    }
}

/// What a reload does not take, as text to compare. Secrets show as the names of where they are.
fn fixed(config: &Config) -> Vec<(&'static str, String)> {
    let Config {
        district,
        api,
        store,
        pipeline,
        video,
        desk,
        centres,
        people,
        scores,
        calendars,
        brokers,
        listeners,
        feeds,
        cameras,
        receivers,
        series,
        lights,
        open311,
        intake,
        ..
    } = config;
    vec![
        ("district", format!("{district:?}")),
        ("api", format!("{api:?}")),
        ("store", format!("{store:?}")),
        ("pipeline", format!("{pipeline:?}")),
        ("video", format!("{video:?}")),
        ("desk", format!("{desk:?}")),
        ("centres", format!("{centres:?}")),
        ("people", format!("{people:?}")),
        ("scores", format!("{scores:?}")),
        // Rules take another calendar; what the desk promised stands on its own.
        (
            "the calendar of desk",
            format!("{:?}", calendars.iter().find(|calendar| Some(&calendar.id) == desk.calendar.as_ref())),
        ),
        ("brokers", format!("{brokers:?}")),
        ("listeners", format!("{listeners:?}")),
        ("feeds", format!("{feeds:?}")),
        ("cameras", format!("{cameras:?}")),
        ("receivers", format!("{receivers:?}")),
        ("series", format!("{series:?}")),
        ("lights", format!("{lights:?}")),
        ("open311", format!("{open311:?}")),
        ("intake", format!("{intake:?}")),
    ]
}
