//! Whether one subject is inside one fence, settled: it takes a fix inside to come in, one beyond the exit buffer to go
//! out, and as much confirmation as was asked for. Knows no geometry.

use serde::{Deserialize, Serialize};

/// What a change of side takes beside its first fix; both must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirm {
    /// The new side lasted so long.
    pub for_ms: i64,
    /// So many fixes showed it. Where none of them was clear of the border by its own radius, it takes two at least.
    pub n_fixes: u16,
}

/// What one fix says of one fence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Reading {
    Inside {
        is_sure: bool,
    },
    /// Outside, but not beyond the exit buffer: leaves all as it is.
    Border,
    Beyond {
        is_sure: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Presence {
    /// Settled inside since then.
    #[serde(rename = "in", default, skip_serializing_if = "Option::is_none")]
    pub(super) inside_since_ms: Option<i64>,
    /// While inside: the first fix outside since the last one inside. What becomes of it, the buffer tells.
    #[serde(rename = "astray", default, skip_serializing_if = "Option::is_none")]
    strayed_ms: Option<i64>,
    #[serde(rename = "turn", default, skip_serializing_if = "Option::is_none")]
    pending: Option<Pending>,
}

/// A change of side that is not confirmed yet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(into = "(i64, u16, bool)", from = "(i64, u16, bool)")]
struct Pending {
    from_ms: i64,
    n_fixes: u16,
    is_sure: bool,
}

/// A settled change of side, at the time when it first showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    CameIn { at_ms: i64 },
    WentOut { at_ms: i64 },
}

impl Confirm {
    /// One fix and 0 ms: the first fix settles a change, if it is clear of the border by its own radius.
    pub const AT_ONCE: Confirm = Confirm { for_ms: 0, n_fixes: 1 };
}

impl Presence {
    pub(super) fn observe(&mut self, reading: Reading, at_ms: i64, confirm: &Confirm) -> Option<Change> {
        match (self.inside_since_ms, reading) {
            (Some(_), Reading::Inside { .. }) => {
                self.strayed_ms = None;
                self.pending = None;
            }
            (Some(_), Reading::Border) => {
                self.strayed_ms.get_or_insert(at_ms);
            }
            (Some(_), Reading::Beyond { is_sure }) => {
                self.strayed_ms.get_or_insert(at_ms);
                self.shows(at_ms, is_sure);
            }
            (None, Reading::Inside { is_sure }) => self.shows(at_ms, is_sure),
            (None, Reading::Border) => {}
            (None, Reading::Beyond { .. }) => self.pending = None,
        }
        self.elapse(at_ms, confirm)
    }

    /// Nothing was heard until then.
    pub(super) fn elapse(&mut self, at_ms: i64, confirm: &Confirm) -> Option<Change> {
        let pending = self.pending?;
        if self.due_ms(confirm).is_none_or(|due_ms| at_ms < due_ms) {
            return None;
        }
        self.pending = None;
        Some(match self.inside_since_ms.take() {
            None => {
                self.inside_since_ms = Some(pending.from_ms);
                Change::CameIn { at_ms: pending.from_ms }
            }
            Some(_) => Change::WentOut { at_ms: self.strayed_ms.take().unwrap_or(pending.from_ms) },
        })
    }

    /// When the pending change is confirmed if no fix says otherwise.
    pub(super) fn due_ms(&self, confirm: &Confirm) -> Option<i64> {
        let pending = self.pending.as_ref()?;
        let n_fixes_min = if pending.is_sure { confirm.n_fixes } else { confirm.n_fixes.max(2) };
        (pending.n_fixes >= n_fixes_min).then(|| pending.from_ms.saturating_add(confirm.for_ms.max(0)))
    }

    /// Outside and nothing pending: as if it had never been near.
    pub(super) fn is_away(&self) -> bool {
        *self == Presence::default()
    }

    /// On one side by more than the buffer, and nothing pending.
    pub(super) fn is_settled(&self) -> bool {
        self.strayed_ms.is_none() && self.pending.is_none()
    }

    fn shows(&mut self, at_ms: i64, is_sure: bool) {
        let pending = self.pending.get_or_insert(Pending { from_ms: at_ms, n_fixes: 0, is_sure: false });
        pending.n_fixes = pending.n_fixes.saturating_add(1);
        pending.is_sure |= is_sure;
    }
}

impl From<Pending> for (i64, u16, bool) {
    fn from(pending: Pending) -> Self {
        (pending.from_ms, pending.n_fixes, pending.is_sure)
    }
}

impl From<(i64, u16, bool)> for Pending {
    fn from((from_ms, n_fixes, is_sure): (i64, u16, bool)) -> Self {
        Pending { from_ms, n_fixes, is_sure }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IN: Reading = Reading::Inside { is_sure: true };
    const MAYBE_IN: Reading = Reading::Inside { is_sure: false };
    const OUT: Reading = Reading::Beyond { is_sure: true };

    /// What each reading changes, one a second from 0 on.
    fn changes(readings: &[Reading], confirm: Confirm) -> Vec<(usize, Change)> {
        let mut presence = Presence::default();
        let changes = readings.iter().enumerate();
        changes.filter_map(|(i, reading)| Some((i, presence.observe(*reading, i as i64, &confirm)?))).collect()
    }

    #[test]
    fn at_once_each_side_is_taken_with_its_first_fix() {
        let all = changes(&[OUT, IN, IN, Reading::Border, OUT], Confirm::AT_ONCE);
        assert_eq!(all, [(1, Change::CameIn { at_ms: 1 }), (4, Change::WentOut { at_ms: 3 })]);
    }

    #[test]
    fn a_change_must_last_and_keeps_its_first_time() {
        let confirm = Confirm { for_ms: 3, n_fixes: 1 };
        let all = changes(&[IN, OUT, IN, Reading::Border, IN, IN, OUT, OUT, IN, OUT, OUT, OUT, OUT], confirm);
        assert_eq!(all, [(5, Change::CameIn { at_ms: 2 }), (12, Change::WentOut { at_ms: 9 })]);
    }

    #[test]
    fn a_long_time_near_the_border_confirms_no_single_fix_beyond_it() {
        let confirm = Confirm { for_ms: 2, n_fixes: 1 };
        let border = Reading::Border;
        let all = changes(&[IN, IN, IN, border, border, border, OUT, IN, border, OUT, OUT, OUT], confirm);
        assert_eq!(all, [(2, Change::CameIn { at_ms: 0 }), (11, Change::WentOut { at_ms: 8 })]);
    }

    #[test]
    fn fixes_are_counted_and_doubtful_ones_want_a_witness() {
        let three = Confirm { for_ms: 0, n_fixes: 3 };
        assert_eq!(changes(&[IN, IN, Reading::Border, IN], three), [(3, Change::CameIn { at_ms: 0 })]);
        assert_eq!(changes(&[MAYBE_IN, OUT, MAYBE_IN, OUT], Confirm::AT_ONCE), []);
        assert_eq!(changes(&[MAYBE_IN, MAYBE_IN], Confirm::AT_ONCE), [(1, Change::CameIn { at_ms: 0 })]);
        assert_eq!(changes(&[MAYBE_IN, IN], Confirm::AT_ONCE), [(1, Change::CameIn { at_ms: 0 })]);
    }

    #[test]
    fn time_alone_confirms_what_enough_fixes_showed() {
        let confirm = Confirm { for_ms: 10, n_fixes: 1 };
        let mut presence = Presence::default();
        assert_eq!(presence.observe(IN, 5, &confirm), None);
        assert_eq!(presence.due_ms(&confirm), Some(15));
        assert_eq!(presence.elapse(14, &confirm), None);
        assert_eq!(presence.elapse(15, &confirm), Some(Change::CameIn { at_ms: 5 }));
        let mut presence = Presence::default();
        presence.observe(MAYBE_IN, 5, &confirm);
        assert_eq!((presence.due_ms(&confirm), presence.elapse(i64::MAX, &confirm)), (None, None));
    }
}
