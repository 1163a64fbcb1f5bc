//! Pictures that alerts ask for, and looks that are asked of visible cameras.

use std::sync::Arc;

use crate::nouns::{Alert, Exhibit, LookAsk, Missing, SnapshotAsk};
use crate::store::{Commit, NewExhibit};
use crate::thermal::draw;

/// Pictures that alerts ask for. `None` where the pixels are gone: the alert opens without them.
pub trait Evidence: Send {
    fn snapshot(&self, source: &str, ask: &SnapshotAsk) -> Option<Vec<u8>>;
    /// Begins the clip of an alert. `None` where there is none to be, otherwise why there is none yet, or never will be.
    fn clip(&self, alert: &Alert) -> Option<Missing>;
}

/// Takes what visible cameras are asked. Answers come back as the shell's input, each within a bounded time, also where the
/// camera is not there.
pub trait Looks: Send {
    fn look(&self, ask: LookAsk);
}

/// What the shell has of both; none without cameras.
#[derive(Default)]
pub struct Eyes {
    pub evidence: Option<Box<dyn Evidence>>,
    pub looks: Option<Box<dyn Looks>>,
}

impl Eyes {
    pub(super) fn picture(&self, source: &str, ask: &SnapshotAsk) -> Option<Vec<u8>> {
        match ask {
            SnapshotAsk::Heat { celsius, regions } => draw::jpeg(celsius.view(), regions),
            camera => self.evidence.as_ref()?.snapshot(source, camera),
        }
    }

    pub(super) fn clip(&self, alert: &Alert) -> Option<Missing> {
        self.evidence.as_ref()?.clip(alert)
    }

    /// Draws what is shown of an alert; what cannot be drawn is left out.
    pub(super) fn exhibit(&self, alert: &Arc<str>, exhibits: Vec<Exhibit>, commit: &mut Commit) {
        for Exhibit { role, source, at_ms, ask } in exhibits {
            let jpeg = match &ask {
                Some(ask) => match self.picture(&source, ask) {
                    Some(jpeg) => Some(jpeg.into()),
                    None => continue,
                },
                None => None,
            };
            commit.exhibits.push(NewExhibit { alert: alert.clone(), role, source, at_ms, jpeg });
        }
    }

    /// Begins to look; that it was asked is kept until there is an answer.
    pub(super) fn look(&self, alert: &Arc<str>, camera: Option<&Arc<str>>, commit: &mut Commit) {
        if let (Some(looks), Some(camera)) = (&self.looks, camera) {
            let ask = LookAsk { alert: alert.clone(), camera: camera.clone() };
            commit.looks.push(ask.clone());
            looks.look(ask);
        }
    }
}
