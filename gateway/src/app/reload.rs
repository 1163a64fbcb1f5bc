//! Takes rules, fences, cameras, the object model and the names of sources from a changed configuration while everything runs, be it that a person
//! changed the file or that somebody asked for it over the API. What else it may say takes a restart; then nothing is taken, so
//! that what runs is always one configuration and never half of two.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use outpost_fences::FenceSet;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::{error, info};

use super::annex::{Annex, Draft};
use super::{expected, fences};
use crate::api::{Asked, Edit, Edited, Estate, NotEdited, Try};
use crate::config::{self, Camera, Config};
use crate::objects::Judge;
use crate::pipeline::run::{Ask, Reload};
use crate::store::Archive;
use crate::telemetry::metrics::Metrics;
use crate::video;

pub(super) struct Reloader {
    running: Vec<(&'static str, String)>,
    asks: mpsc::Sender<Ask>,
    estate: watch::Sender<Estate>,
    metrics: Arc<Metrics>,
    archive: Arc<Archive>,
    /// Closed where the configuration has no annex.
    edits: mpsc::Receiver<Asked>,
    /// None where there were none at the start and none may come.
    cameras: Option<Arc<video::Cameras>>,
    running_cameras: Vec<Camera>,
    judge: Judge,
}

impl Reloader {
    pub(super) fn new(
        config: &Config,
        asks: mpsc::Sender<Ask>,
        estate: watch::Sender<Estate>,
        metrics: Arc<Metrics>,
        archive: Arc<Archive>,
        edits: mpsc::Receiver<Asked>,
    ) -> Self {
        let (running, running_cameras) = (fixed(config), config.cameras.clone());
        let judge = Judge::default();
        Reloader { running, asks, estate, metrics, archive, edits, cameras: None, running_cameras, judge }
    }

    pub(super) fn with(self, cameras: Option<Arc<video::Cameras>>, judge: Judge) -> Self {
        Reloader { cameras, judge, ..self }
    }

    /// One at a time, whoever asks.
    pub(super) async fn serve(&mut self, mut asked: impl AsyncFnMut() -> bool, file: &Path) {
        let annex = Annex::new(file, self.archive.clone());
        loop {
            tokio::select! {
                is_asked = asked() => {
                    if !is_asked {
                        return;
                    }
                    let taken = self.reload(file).await;
                    self.told(file, &taken);
                }
                Some(asked) = self.edits.recv() => match asked {
                    Asked::Edit(edit) => self.edit(&annex, edit, file).await,
                    Asked::Try(Try { drafts, reply }) => {
                        let annex = annex.clone();
                        // Reads files and changes nothing: who edits need not wait for it.
                        tokio::task::spawn_blocking(move || {
                            // Who asked may have gone.
                            let _ = reply.send(annex.attempt(&drafts));
                        });
                    }
                },
            }
        }
    }

    fn told(&self, file: &Path, taken: &Result<usize, String>) {
        self.metrics.reloaded(taken.is_ok());
        match taken {
            Ok(n_rules) => info!(file = %file.display(), n_rules, "rules and fences reloaded"),
            Err(cause) => error!(file = %file.display(), %cause, "not reloaded, what ran before runs on"),
        }
    }

    async fn reload(&mut self, file: &Path) -> Result<usize, String> {
        let config = config::load(file).map_err(|problems| problems.to_string())?;
        if let Some(changed) = self.takes_restart(&config) {
            return Err(format!("{changed} changed, which takes a restart"));
        }
        let fences = fences(&config, file).map_err(|error| format!("{error:#}"))?;
        self.take(config, fences).await
    }

    /// Tries a change of the annex, or makes it and takes it.
    async fn edit(&mut self, annex: &Annex, edit: Edit, file: &Path) {
        let of_annex = annex.clone();
        // The check of a large configuration takes seconds.
        let drafted = tokio::task::spawn_blocking(move || (of_annex.draft(&edit), edit)).await;
        let Ok((draft, Edit { change, doer, is_trial, reply, .. })) = drafted else {
            error!("a change of the annex was given up");
            return;
        };
        let edited = match draft {
            Err(refusal) => Err(refusal),
            Ok(draft) => match self.takes_restart(&draft.config) {
                Some(changed) => {
                    annex.give_up(&draft);
                    Err(NotEdited::Restart(changed))
                }
                None if is_trial => Ok(Edited { told: draft.told }),
                None => {
                    let of_annex = annex.clone();
                    let written =
                        tokio::task::spawn_blocking(move || (of_annex.write(&draft, &change, &doer), draft)).await;
                    match written {
                        Ok((Ok(()), draft)) => self.take_edited(draft, file).await,
                        Ok((Err(refusal), draft)) => {
                            annex.give_up(&draft);
                            Err(refusal)
                        }
                        Err(cause) => Err(NotEdited::Disk(cause.to_string())),
                    }
                }
            },
        };
        // Who asked may have gone; what was done is in the file and in the audit.
        let _ = reply.send(edited);
    }

    async fn take_edited(&mut self, draft: Draft, file: &Path) -> Result<Edited, NotEdited> {
        let Draft { config, fences, told, .. } = draft;
        let taken = self.take(config, fences).await;
        self.told(file, &taken);
        taken.map(|_| Edited { told }).map_err(NotEdited::NotTaken)
    }

    fn takes_restart(&self, config: &Config) -> Option<String> {
        let new = fixed(config);
        let mut changed: Vec<&str> =
            new.iter().zip(&self.running).filter(|(new, old)| new != old).map(|(new, _)| new.0).collect();
        if self.cameras.is_none() && !config.cameras.is_empty() {
            changed.push("cameras");
        }
        (!changed.is_empty()).then(|| changed.join(", "))
    }

    /// Goes on with this; returns the number of rules.
    async fn take(&mut self, config: Config, fences: FenceSet) -> Result<usize, String> {
        let estate = Estate::new(&config, &fences);
        let (n_rules, cameras, model) = (config.rules.len(), config.cameras.clone(), config.model());
        // Cameras that are no more end before the rules forget them, those that are new begin when rules know them.
        if let Some(running) = &self.cameras {
            running.stop_others(&cameras).await;
        }
        let taken = self.pass_on(Reload { expected: expected(&config), config, fences }).await;
        if taken.is_ok() {
            self.estate.send_replace(estate);
            self.running_cameras = cameras;
        }
        let judged = if taken.is_ok() { self.judge.take(model) } else { Ok(()) };
        let started = match &self.cameras {
            Some(running) => running.start_missing(&self.running_cameras, &HashMap::new()),
            None => Ok(()),
        };
        taken?;
        started.map_err(|cause| format!("a camera has no thread to decode on: {cause}"))?;
        judged.map_err(|cause| format!("the object model has no thread to run on: {cause}"))?;
        Ok(n_rules)
    }

    async fn pass_on(&self, reload: Reload) -> Result<(), String> {
        let (reply, answer) = oneshot::channel();
        let gone = |_| "the pipeline is gone".to_owned();
        self.asks.send(Ask::Reload(Box::new(reload), reply)).await.map_err(|_| gone(()))?;
        answer.await.map_err(|_| gone(()))?.map_err(|error| error.to_string())
    }
}

/// What a reload does not take, as text to compare. Secrets show as the names of where they are.
fn fixed(config: &Config) -> Vec<(&'static str, String)> {
    let Config {
        district,
        api,
        console,
        store,
        pipeline,
        video,
        desk,
        places,
        roads,
        centres,
        people,
        scores,
        calendars,
        brokers,
        listeners,
        feeds,
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
        ("console", format!("{console:?}")),
        ("store", format!("{store:?}")),
        ("pipeline", format!("{pipeline:?}")),
        ("video", format!("{video:?}")),
        ("desk", format!("{desk:?}")),
        ("centres", format!("{centres:?}")),
        ("places", format!("{}", places.border_m)),
        ("roads", format!("{:?}", roads.as_ref().map(|roads| (&roads.nodes, &roads.edges, roads.reach_m)))),
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
        ("receivers", format!("{receivers:?}")),
        ("series", format!("{series:?}")),
        ("lights", format!("{lights:?}")),
        ("open311", format!("{open311:?}")),
        ("intake", format!("{intake:?}")),
    ]
}
