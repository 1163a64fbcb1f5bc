//! The loop: which move leads from which stages where, who may make it, and what it needs. The desk goes by this table, the
//! API offers what it allows, and `LOOP.md` beside it is drawn from it.

use crate::config::Role;
use crate::nouns::{Move, Need, Refusal, Stage, Ticket};

/// One row: a move from any of its stages.
pub struct Row {
    pub from: &'static [Stage],
    pub asked: Move,
    pub to: To,
    /// Who has none of these roles may not.
    pub roles: &'static [Role],
    pub reach: Reach,
    pub needs: &'static [Need],
    /// What may be said, too.
    pub takes: &'static [Need],
    /// Not for who had a hand in the work.
    pub is_check: bool,
    /// Emergencies only.
    pub is_urgent: bool,
    /// Private matters only.
    pub is_private: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    Stage(Stage),
    /// Where it is.
    Same,
    /// Where it was before it was suspended.
    Held,
}

/// Whose people may make a move. Those of centres above always may, and in emergencies all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The centre whose ticket it is now.
    Own,
    /// That centre, and whoever has it at hand.
    Hand,
    /// The centre that received it first and leads.
    Lead,
    /// Whoever has the role: units and officers belong to departments, not to centres.
    Any,
}

use Need::{Centre, ForceMajeure, Into, Limit, Photos, Reason, Score, Unit};
use Role::{Chief, Clerk, Dispatcher, Handler, Officer};
use Stage::{
    Accepted, Archived, Closed, Dispatched, FedBack, Filed, Handling, Merged, NotFiled, Parked, Rated, Refused,
    Rejected, Reported, Signed, Suspected, Suspended, Verified,
};

const PLAIN: Row = Row {
    from: &[],
    asked: Move::Supervise,
    to: To::Same,
    roles: &[],
    reach: Reach::Own,
    needs: &[],
    takes: &[],
    is_check: false,
    is_urgent: false,
    is_private: false,
};

const AT_WORK: &[Stage] = &[Dispatched, Signed, Handling];
const BEFORE_FEED_BACK: &[Stage] = &[Suspected, Reported, Accepted, Filed, Dispatched, Signed, Handling];
const TIMED: &[Stage] = &[Suspected, Reported, Accepted, Filed, Dispatched, Signed, Handling, FedBack, Verified];

pub const TABLE: [Row; 36] = [
    // Is it true?
    Row { from: &[Suspected], asked: Move::Confirm, to: To::Stage(Reported), roles: &[Officer, Clerk, Chief], ..PLAIN },
    Row {
        from: &[Suspected],
        asked: Move::Reject,
        to: To::Stage(Rejected),
        roles: &[Officer, Clerk, Chief],
        needs: &[Reason],
        ..PLAIN
    },
    // Is it ours?
    Row { from: &[Reported], asked: Move::Accept, to: To::Stage(Accepted), roles: &[Clerk, Chief], ..PLAIN },
    Row {
        from: &[Reported],
        asked: Move::Refuse,
        to: To::Stage(Refused),
        roles: &[Clerk, Chief],
        needs: &[Reason],
        ..PLAIN
    },
    Row { from: &[Accepted], asked: Move::File, to: To::Stage(Filed), roles: &[Chief], ..PLAIN },
    Row {
        from: &[Accepted],
        asked: Move::Decline,
        to: To::Stage(NotFiled),
        roles: &[Chief],
        needs: &[Reason],
        ..PLAIN
    },
    // Who does it?
    Row {
        from: &[Filed],
        asked: Move::Dispatch,
        to: To::Stage(Dispatched),
        roles: &[Dispatcher, Chief],
        needs: &[Unit],
        takes: &[Need::Officer],
        ..PLAIN
    },
    Row {
        from: &[Reported, Accepted],
        asked: Move::Dispatch,
        to: To::Stage(Dispatched),
        roles: &[Dispatcher, Chief],
        needs: &[Unit],
        takes: &[Need::Officer],
        is_urgent: true,
        ..PLAIN
    },
    Row {
        from: AT_WORK,
        asked: Move::Reassign,
        to: To::Stage(Dispatched),
        roles: &[Dispatcher, Chief],
        needs: &[Unit],
        takes: &[Need::Officer],
        ..PLAIN
    },
    Row {
        from: &[Dispatched],
        asked: Move::Recall,
        to: To::Stage(Filed),
        roles: &[Dispatcher, Chief],
        needs: &[Reason],
        ..PLAIN
    },
    Row {
        from: &[Dispatched],
        asked: Move::Sign,
        to: To::Stage(Signed),
        roles: &[Handler],
        reach: Reach::Any,
        ..PLAIN
    },
    Row {
        from: &[Dispatched, Signed],
        asked: Move::Return,
        to: To::Stage(Filed),
        roles: &[Handler],
        reach: Reach::Any,
        needs: &[Reason],
        ..PLAIN
    },
    Row {
        from: &[Dispatched, Signed],
        asked: Move::Dispute,
        roles: &[Handler],
        reach: Reach::Any,
        needs: &[Reason],
        ..PLAIN
    },
    // The work.
    Row { from: &[Signed], asked: Move::Start, to: To::Stage(Handling), roles: &[Handler], reach: Reach::Any, ..PLAIN },
    Row {
        from: &[Handling],
        asked: Move::FeedBack,
        to: To::Stage(FedBack),
        roles: &[Handler],
        reach: Reach::Any,
        needs: &[Reason],
        takes: &[Photos],
        ..PLAIN
    },
    Row {
        from: &[Suspected, Reported, Accepted, Filed, Dispatched, Signed],
        asked: Move::Solve,
        to: To::Stage(FedBack),
        roles: &[Officer, Handler],
        reach: Reach::Any,
        needs: &[Photos],
        ..PLAIN
    },
    // Is it done?
    Row {
        from: &[FedBack],
        asked: Move::Verify,
        to: To::Stage(Verified),
        roles: &[Officer, Chief],
        is_check: true,
        ..PLAIN
    },
    Row {
        from: &[FedBack, Verified],
        asked: Move::Rework,
        to: To::Stage(Handling),
        roles: &[Officer, Chief],
        needs: &[Reason],
        is_check: true,
        ..PLAIN
    },
    Row {
        from: &[Verified],
        asked: Move::Close,
        to: To::Stage(Closed),
        roles: &[Chief],
        reach: Reach::Lead,
        is_check: true,
        ..PLAIN
    },
    // A private matter is closed by who answered it: nobody else looks at it.
    Row {
        from: &[Accepted, Filed, Handling, FedBack],
        asked: Move::Close,
        to: To::Stage(Closed),
        roles: &[Clerk, Chief],
        needs: &[Reason],
        is_private: true,
        ..PLAIN
    },
    Row {
        from: &[Closed],
        asked: Move::Rate,
        to: To::Stage(Rated),
        roles: &[Officer, Clerk, Chief],
        needs: &[Score],
        is_check: true,
        ..PLAIN
    },
    Row { from: &[Closed, Rated], asked: Move::Archive, to: To::Stage(Archived), roles: &[Clerk, Chief], ..PLAIN },
    // Time.
    Row {
        from: AT_WORK,
        asked: Move::Extend,
        roles: &[Handler, Dispatcher],
        reach: Reach::Any,
        needs: &[Limit, Reason],
        ..PLAIN
    },
    Row { from: AT_WORK, asked: Move::Approve, roles: &[Chief], ..PLAIN },
    Row { from: AT_WORK, asked: Move::Deny, roles: &[Chief], needs: &[Reason], ..PLAIN },
    Row {
        from: &[Filed, Dispatched, Signed, Handling],
        asked: Move::Suspend,
        to: To::Stage(Suspended),
        roles: &[Dispatcher, Chief],
        needs: &[Reason],
        takes: &[ForceMajeure],
        ..PLAIN
    },
    Row { from: &[Suspended], asked: Move::Resume, to: To::Held, roles: &[Dispatcher, Chief], ..PLAIN },
    Row {
        from: &[Filed, Dispatched, Signed, Handling, FedBack],
        asked: Move::Park,
        to: To::Stage(Parked),
        roles: &[Chief],
        reach: Reach::Lead,
        needs: &[Reason],
        takes: &[ForceMajeure],
        ..PLAIN
    },
    Row {
        from: &[Parked],
        asked: Move::TakeUp,
        to: To::Stage(Filed),
        roles: &[Dispatcher, Chief],
        reach: Reach::Lead,
        ..PLAIN
    },
    // Between tickets and levels.
    Row {
        from: BEFORE_FEED_BACK,
        asked: Move::Merge,
        to: To::Stage(Merged),
        roles: &[Clerk, Dispatcher, Chief],
        reach: Reach::Lead,
        needs: &[Into],
        ..PLAIN
    },
    Row { from: TIMED, asked: Move::Supervise, roles: &[Officer, Chief], needs: &[Reason], ..PLAIN },
    Row {
        from: &[Suspected, Reported, Accepted, Filed, FedBack, Verified],
        asked: Move::Escalate,
        roles: &[Officer, Clerk, Dispatcher, Chief],
        needs: &[Reason],
        ..PLAIN
    },
    // Who has it in hand sees first that it is beyond them.
    Row {
        from: &[Dispatched, Signed, Handling],
        asked: Move::Escalate,
        roles: &[Handler, Officer, Clerk, Dispatcher, Chief],
        reach: Reach::Hand,
        needs: &[Reason],
        ..PLAIN
    },
    Row {
        from: &[Reported, Accepted, Filed],
        asked: Move::HandDown,
        roles: &[Dispatcher, Chief],
        needs: &[Centre],
        ..PLAIN
    },
    Row {
        from: &[Suspected, Reported, Accepted, Filed],
        asked: Move::HandOver,
        roles: &[Clerk, Dispatcher, Chief],
        takes: &[Centre],
        ..PLAIN
    },
    // While somebody is called.
    Row { from: TIMED, asked: Move::Acknowledge, roles: &[Officer, Clerk, Chief, Dispatcher, Handler], ..PLAIN },
];

/// The row of a move that is open to the ticket, whoever asks.
pub fn row(ticket: &Ticket, asked: Move) -> Option<&'static Row> {
    open(ticket).find(|row| row.asked == asked)
}

/// All rows that are open to the ticket, whoever asks.
pub fn open(ticket: &Ticket) -> impl Iterator<Item = &'static Row> + use<'_> {
    let (stage, is_urgent, is_extended) = (ticket.stage, ticket.is_emergency, ticket.extension.is_some());
    TABLE.iter().filter(move |row| {
        let fits = match row.asked {
            Move::Extend => !is_extended,
            Move::Approve | Move::Deny => is_extended,
            Move::HandOver => !ticket.beside.is_empty(),
            Move::Acknowledge => ticket.call.is_some(),
            _ => true,
        };
        let is_open = (is_urgent || !row.is_urgent) && (ticket.is_private || !row.is_private);
        fits && is_open && row.from.contains(&stage)
    })
}

/// Why there is no row.
pub fn refusal(ticket: &Ticket, asked: Move) -> Refusal {
    let at_work = |row: &&Row| row.asked == asked && row.from.contains(&ticket.stage);
    match asked {
        Move::Approve | Move::Deny if TABLE.iter().any(|row| at_work(&row)) => Refusal::NoExtension,
        Move::HandOver if TABLE.iter().any(|row| at_work(&row)) => Refusal::NothingBeside(ticket.no),
        Move::Acknowledge => Refusal::NotCalled,
        Move::Extend if ticket.extension.is_some() => Refusal::ExtensionWaits,
        _ => Refusal::WrongStage { stage: ticket.stage, asked },
    }
}

impl Reach {
    pub fn as_str(self) -> &'static str {
        match self {
            Reach::Own => "its centre",
            Reach::Hand => "its centre, who has it at hand",
            Reach::Lead => "the leading centre",
            Reach::Any => "any centre",
        }
    }
}

impl To {
    /// Where it leads from a stage; where it was before, as the ticket remembers.
    pub fn stage(self, from: Stage, held: Option<Stage>) -> Stage {
        match self {
            To::Stage(stage) => stage,
            To::Same => from,
            To::Held => held.unwrap_or(Filed),
        }
    }
}
