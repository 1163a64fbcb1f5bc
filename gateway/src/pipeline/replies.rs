//! Answers that wait for their commit: nobody hears of what is not on disk.

use tokio::sync::oneshot;

use super::errands::Erranded;
use super::run::{Answer, Classed, Reloaded, Reported, Silenced, Worked};

type Waiting<T> = Vec<(oneshot::Sender<T>, T)>;

#[derive(Default)]
pub(super) struct Replies {
    pub(super) tickets: Waiting<Answer>,
    pub(super) silences: Waiting<Silenced>,
    pub(super) works: Waiting<Worked>,
    pub(super) classes: Waiting<Classed>,
    pub(super) reports: Waiting<Reported>,
    pub(super) errands: Waiting<Erranded>,
    pub(super) reloads: Waiting<Reloaded>,
    pub(super) observed: Vec<oneshot::Sender<()>>,
}

impl Replies {
    /// Who does not wait any more hears nothing.
    pub(super) fn send(&mut self) {
        send(&mut self.tickets);
        send(&mut self.silences);
        send(&mut self.works);
        send(&mut self.classes);
        send(&mut self.reports);
        send(&mut self.errands);
        send(&mut self.reloads);
        for reply in self.observed.drain(..) {
            let _ = reply.send(());
        }
    }
}

fn send<T>(waiting: &mut Waiting<T>) {
    for (reply, answer) in waiting.drain(..) {
        let _ = reply.send(answer);
    }
}
