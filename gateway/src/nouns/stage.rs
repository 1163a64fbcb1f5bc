//! Where a ticket stands, what may be asked of it there, and what that takes: the words of the loop. Which move leads where
//! is the table in `dispatch/table.rs`.

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// A finding too unsure to be a report: somebody has to look.
    Suspected,
    Reported,
    Accepted,
    Filed,
    Dispatched,
    Signed,
    Handling,
    FedBack,
    Verified,
    Closed,
    Rated,
    Archived,
    /// The clock stands until it goes on where it was.
    Suspended,
    /// Cannot be solved for now: kept apart.
    Parked,
    Rejected,
    Refused,
    NotFiled,
    /// Another ticket has its alerts.
    Merged,
}

/// How much of a ticket's life is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// No move is left.
    Ended = 0,
    /// The work is done; it may be rated and is archived.
    Settled = 1,
    /// There is work to do, or to wait for.
    Open = 2,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Move {
    Confirm,
    Reject,
    Accept,
    Refuse,
    File,
    Decline,
    Dispatch,
    Sign,
    Return,
    Reassign,
    Recall,
    Dispute,
    Start,
    FeedBack,
    Solve,
    Verify,
    Rework,
    Close,
    Rate,
    Archive,
    Extend,
    Approve,
    Deny,
    Suspend,
    Resume,
    Park,
    TakeUp,
    Merge,
    Supervise,
    Escalate,
    HandDown,
    HandOver,
    /// Somebody has heard of it: nobody is called about it any more.
    Acknowledge,
}

/// What a command has to say beside the move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Why, as the note.
    Reason,
    Unit,
    /// One of the unit's people.
    Officer,
    /// References of pictures from before and after.
    Photos,
    /// The ticket that it becomes part of.
    Into,
    Centre,
    /// How much longer.
    Limit,
    /// 1 to 5.
    Score,
    /// That nobody could help it.
    ForceMajeure,
}

impl Stage {
    pub const ALL: [Stage; 18] = [
        Stage::Suspected,
        Stage::Reported,
        Stage::Accepted,
        Stage::Filed,
        Stage::Dispatched,
        Stage::Signed,
        Stage::Handling,
        Stage::FedBack,
        Stage::Verified,
        Stage::Closed,
        Stage::Rated,
        Stage::Archived,
        Stage::Suspended,
        Stage::Parked,
        Stage::Rejected,
        Stage::Refused,
        Stage::NotFiled,
        Stage::Merged,
    ];

    pub fn as_str(self) -> &'static str {
        self.names().0
    }

    /// As district centres call it.
    pub fn chinese(self) -> &'static str {
        self.names().1
    }

    fn names(self) -> (&'static str, &'static str) {
        match self {
            Stage::Suspected => ("suspected", "待核实"),
            Stage::Reported => ("reported", "已上报"),
            Stage::Accepted => ("accepted", "已受理"),
            Stage::Filed => ("filed", "已立案"),
            Stage::Dispatched => ("dispatched", "已派遣"),
            Stage::Signed => ("signed", "已签收"),
            Stage::Handling => ("handling", "处置中"),
            Stage::FedBack => ("fed-back", "已反馈"),
            Stage::Verified => ("verified", "已核查"),
            Stage::Closed => ("closed", "已结案"),
            Stage::Rated => ("rated", "已评价"),
            Stage::Archived => ("archived", "已归档"),
            Stage::Suspended => ("suspended", "已挂起"),
            Stage::Parked => ("parked", "已挂账"),
            Stage::Rejected => ("rejected", "不属实"),
            Stage::Refused => ("refused", "不予受理"),
            Stage::NotFiled => ("not-filed", "不予立案"),
            Stage::Merged => ("merged", "已并单"),
        }
    }

    pub fn parse(text: &str) -> Option<Stage> {
        Stage::ALL.into_iter().find(|stage| stage.as_str() == text)
    }

    pub fn standing(self) -> Standing {
        match self {
            Stage::Archived | Stage::Rejected | Stage::Refused | Stage::NotFiled | Stage::Merged => Standing::Ended,
            Stage::Closed | Stage::Rated => Standing::Settled,
            _ => Standing::Open,
        }
    }

    /// Whether clocks run in it.
    pub fn is_timed(self) -> bool {
        self.standing() == Standing::Open && !matches!(self, Stage::Suspended | Stage::Parked)
    }
}

impl Move {
    pub const ALL: [Move; 33] = [
        Move::Confirm,
        Move::Reject,
        Move::Accept,
        Move::Refuse,
        Move::File,
        Move::Decline,
        Move::Dispatch,
        Move::Sign,
        Move::Return,
        Move::Reassign,
        Move::Recall,
        Move::Dispute,
        Move::Start,
        Move::FeedBack,
        Move::Solve,
        Move::Verify,
        Move::Rework,
        Move::Close,
        Move::Rate,
        Move::Archive,
        Move::Extend,
        Move::Approve,
        Move::Deny,
        Move::Suspend,
        Move::Resume,
        Move::Park,
        Move::TakeUp,
        Move::Merge,
        Move::Supervise,
        Move::Escalate,
        Move::HandDown,
        Move::HandOver,
        Move::Acknowledge,
    ];

    pub fn name(self) -> &'static str {
        self.names().0
    }

    /// As district centres call it.
    pub fn chinese(self) -> &'static str {
        self.names().1
    }

    /// CloudEvents type under which receivers hear of it.
    pub fn told_as(self) -> &'static str {
        self.names().2
    }

    pub fn parse(text: &str) -> Option<Move> {
        Move::ALL.into_iter().find(|asked| asked.name() == text)
    }

    fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Move::Confirm => ("confirm", "属实", "outpost.ticket.confirmed"),
            Move::Reject => ("reject", "不属实", "outpost.ticket.rejected"),
            Move::Accept => ("accept", "受理", "outpost.ticket.accepted"),
            Move::Refuse => ("refuse", "不予受理", "outpost.ticket.refused"),
            Move::File => ("file", "立案", "outpost.ticket.filed"),
            Move::Decline => ("decline", "不予立案", "outpost.ticket.not-filed"),
            Move::Dispatch => ("dispatch", "派遣", "outpost.ticket.dispatched"),
            Move::Sign => ("sign", "签收", "outpost.ticket.signed"),
            Move::Return => ("return", "回退", "outpost.ticket.returned"),
            Move::Reassign => ("reassign", "改派", "outpost.ticket.reassigned"),
            Move::Recall => ("recall", "撤回派遣", "outpost.ticket.recalled"),
            Move::Dispute => ("dispute", "派单异议", "outpost.ticket.disputed"),
            Move::Start => ("start", "开始处置", "outpost.ticket.handling"),
            Move::FeedBack => ("feed-back", "反馈", "outpost.ticket.fed-back"),
            Move::Solve => ("solve", "自行处置", "outpost.ticket.solved"),
            Move::Verify => ("verify", "核查通过", "outpost.ticket.verified"),
            Move::Rework => ("rework", "返工", "outpost.ticket.rework"),
            Move::Close => ("close", "结案", "outpost.ticket.closed"),
            Move::Rate => ("rate", "评价", "outpost.ticket.rated"),
            Move::Archive => ("archive", "归档", "outpost.ticket.archived"),
            Move::Extend => ("extend", "申请延期", "outpost.ticket.extension-asked"),
            Move::Approve => ("approve", "同意延期", "outpost.ticket.extended"),
            Move::Deny => ("deny", "不同意延期", "outpost.ticket.extension-denied"),
            Move::Suspend => ("suspend", "挂起", "outpost.ticket.suspended"),
            Move::Resume => ("resume", "恢复", "outpost.ticket.resumed"),
            Move::Park => ("park", "挂账", "outpost.ticket.parked"),
            Move::TakeUp => ("take-up", "重新立案", "outpost.ticket.taken-up"),
            Move::Merge => ("merge", "并单", "outpost.ticket.merged"),
            Move::Supervise => ("supervise", "督办", "outpost.ticket.supervised"),
            Move::Escalate => ("escalate", "上报上级", "outpost.ticket.escalated"),
            Move::HandDown => ("hand-down", "下派", "outpost.ticket.handed-down"),
            Move::HandOver => ("hand-over", "移交邻区", "outpost.ticket.handed-over"),
            Move::Acknowledge => ("acknowledge", "知悉", "outpost.ticket.acknowledged"),
        }
    }
}

impl Need {
    /// The key of a command's body that says it.
    pub fn key(self) -> &'static str {
        match self {
            Need::Reason => "note",
            Need::Unit => "unit",
            Need::Officer => "officer",
            Need::Photos => "photos",
            Need::Into => "into",
            Need::Centre => "centre",
            Need::Limit => "limit",
            Need::Score => "score",
            Need::ForceMajeure => "force_majeure",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_and_move_is_known_by_its_name() {
        for stage in Stage::ALL {
            assert_eq!(Stage::parse(stage.as_str()), Some(stage));
        }
        for asked in Move::ALL {
            assert_eq!(Move::parse(asked.name()), Some(asked));
        }
        assert_eq!((Stage::parse("resolved"), Move::parse("assign")), (None, None));
    }
}
