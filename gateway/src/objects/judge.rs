//! The one thread that runs the object model, behind a short queue: who asks waits for so long and no longer, and a model that
//! fails, or panics, costs one look.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tracing::warn;

use super::{Model, Picture};
use crate::nouns::Object;

/// Looks that wait.
pub const QUEUE_MAX: usize = 16;

/// Objects of each picture, or why there are none.
pub(super) type Answer = Result<Vec<Vec<Object>>, &'static str>;

struct Ask {
    model: Arc<Model>,
    pictures: Vec<Arc<Picture>>,
    reply: oneshot::Sender<Answer>,
}

/// Asks the model. Cloning costs a reference count; callable from any task. The thread ends with the last one.
#[derive(Debug, Clone, Default)]
pub struct Judge(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    model: Option<Arc<Model>>,
    /// Begun with the first model.
    line: Option<SyncSender<Ask>>,
}

impl Judge {
    /// Asks this model from now on. Errors where the system has no thread left.
    pub fn take(&self, model: Option<Arc<Model>>) -> std::io::Result<()> {
        let mut state = self.lock();
        if model.is_some() && state.line.is_none() {
            let (line, asks) = sync_channel(QUEUE_MAX);
            std::thread::Builder::new().name("objects".into()).spawn(move || answer(&asks))?;
            state.line = Some(line);
        }
        state.model = model;
        Ok(())
    }

    /// Whether there is a model that knows fire or smoke.
    pub fn tells_fire(&self) -> bool {
        self.lock().model.as_ref().is_some_and(|model| model.tells_fire())
    }

    /// What is in each of the pictures, surest first, or why nobody can say.
    pub async fn look(&self, pictures: Vec<Arc<Picture>>) -> Answer {
        let (answered, timeout) = self.ask(pictures)?;
        match tokio::time::timeout(timeout, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err("the object model is gone"),
            Err(_) => Err("the object model gave no answer in time"),
        }
    }

    pub(super) fn ask(
        &self,
        pictures: Vec<Arc<Picture>>,
    ) -> Result<(oneshot::Receiver<Answer>, Duration), &'static str> {
        let state = self.lock();
        let (Some(model), Some(line)) = (state.model.clone(), &state.line) else {
            return Err("there is no object model");
        };
        let ((reply, answered), timeout) = (oneshot::channel(), model.timeout);
        line.try_send(Ask { model, pictures, reply }).map_err(|error| match error {
            TrySendError::Full(_) => "too many wait for the object model",
            TrySendError::Disconnected(_) => "the object model is gone",
        })?;
        Ok((answered, timeout))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answer(asks: &Receiver<Ask>) {
    while let Ok(Ask { model, pictures, reply }) = asks.recv() {
        // Who gave up needs no answer.
        if reply.is_closed() {
            continue;
        }
        let found: Result<Vec<_>, _> = pictures.iter().map(|picture| model.look(picture)).collect();
        let answer = found.map_err(|error| {
            warn!(%error, "object model failed");
            "the object model failed"
        });
        // Who asked may have given up meanwhile.
        let _ = reply.send(answer);
    }
}
