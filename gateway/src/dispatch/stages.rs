//! The stages of a ticket and the moves between them: the whole machine is this table.

use crate::nouns::{Move, Stage};

/// Where a move leads, if the stage allows it.
pub(super) fn after(stage: Stage, asked: &Move) -> Option<Stage> {
    match (stage, asked) {
        (Stage::Reported, Move::Accept) => Some(Stage::Accepted),
        // Assigning again is how a ticket changes hands.
        (Stage::Reported | Stage::Accepted | Stage::Dispatched, Move::Assign { .. }) => Some(Stage::Dispatched),
        (Stage::Accepted | Stage::Dispatched, Move::Resolve) => Some(Stage::Resolved),
        // A false alarm is closed where it stands, with a note.
        (Stage::Reported | Stage::Accepted | Stage::Resolved, Move::Close) => Some(Stage::Closed),
        _ => None,
    }
}

/// CloudEvents type under which receivers hear of a move.
pub(super) fn told_as(asked: &Move) -> &'static str {
    match asked {
        Move::Accept => "outpost.ticket.accepted",
        Move::Assign { .. } => "outpost.ticket.dispatched",
        Move::Resolve => "outpost.ticket.resolved",
        Move::Close => "outpost.ticket.closed",
    }
}
