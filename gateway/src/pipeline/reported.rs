//! Reports from outside, each taken once: what came before under the same name is found in the store, or in what this batch
//! commits.

use tracing::error;

use super::run::Reported;
use crate::dispatch::{Desk, Effect};
use crate::nouns::{Refusal, Report, Taken};
use crate::store::{Commit, ReportRow, Store};
use crate::telemetry::now_ms;

pub(crate) fn take(
    reports: &[Report],
    desk: &mut Desk,
    store: &Store,
    commit: &mut Commit,
    effects: &mut Vec<Effect>,
) -> Reported {
    // All are looked up before any is taken: where the store fails, nothing is half done.
    let known = reports.iter().map(|report| store.reported(&report.sender, &report.key)).collect::<Result<Vec<_>, _>>();
    let known = known.map_err(|cause| {
        error!(%cause, "reports cannot be looked up");
        Refusal::StoreSilent
    })?;
    let now_ms = now_ms();
    let taken = reports.iter().zip(known).map(|(report, known)| {
        let is_same = |row: &&ReportRow| row.sender == report.sender && row.key == report.key;
        let known = known.or_else(|| commit.reports.iter().find(is_same).map(|row| row.ticket));
        if let Some(ticket) = known {
            return Taken { ticket, is_new: false };
        }
        let ticket = desk.report(report, now_ms, effects);
        let Report { sender, key, .. } = report;
        commit.reports.push(ReportRow { sender: sender.clone(), key: key.clone(), ticket, told_ms: now_ms });
        Taken { ticket, is_new: true }
    });
    Ok(taken.collect())
}
