//! A class case (类案): tickets of one category that come again and again at one place, looked into as one problem.

use std::sync::Arc;

#[derive(Debug, Clone, PartialEq)]
pub struct ClassCase {
    /// Shown as `C-<no>`.
    pub no: u64,
    pub category: Arc<str>,
    /// The grid that owns the place of the ticket with which it was found.
    pub grid: Option<Arc<str>>,
    /// Name of that place.
    pub place: Option<Arc<str>>,
    /// Longitude and latitude of that place, WGS-84 degrees.
    pub point: Option<(f64, f64)>,
    pub stage: ClassStage,
    pub opened_ms: i64,
    /// When it was closed or withdrawn.
    pub ended_ms: Option<i64>,
    /// Its tickets.
    pub n_tickets: u64,
    /// Entries in its journal; the next one gets this number plus one.
    pub n_journal: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassStage {
    /// By the rule; nobody has looked yet.
    Found,
    /// Somebody says that it is one problem.
    Confirmed,
    Closed,
    /// Too many of its tickets turned out to be none before anybody looked.
    Withdrawn,
}

/// What somebody does with a class case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassMove {
    Confirm,
    Close,
}

/// What somebody asks of a class case.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassAsk {
    pub no: u64,
    pub who: Arc<str>,
    pub asked: ClassMove,
    /// What was found, and what was done.
    pub note: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassEntry {
    pub class: u64,
    /// From 1, without gaps within a case.
    pub no: u64,
    pub at_ms: i64,
    /// `outpost` where the gateway did it by itself.
    pub who: Arc<str>,
    /// `found`, `joined`, `left`, `withdrawn`, or the name of a move.
    pub what: &'static str,
    pub note: String,
}

/// What must be committed of class cases, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum ClassChange {
    /// A new case, or a case as it is now.
    Case(ClassCase),
    Journal(ClassEntry),
    Member {
        ticket: u64,
        class: u64,
    },
    /// The ticket is of no case any more.
    Leaves {
        ticket: u64,
    },
}

/// A ticket that counts for class cases, as a restart finds it.
#[derive(Debug, Clone, PartialEq)]
pub struct CountedTicket {
    pub no: u64,
    pub category: Arc<str>,
    pub source: Arc<str>,
    pub point: Option<(f64, f64)>,
    pub opened_ms: i64,
    pub class: Option<u64>,
}

impl ClassStage {
    pub const ALL: [ClassStage; 4] =
        [ClassStage::Found, ClassStage::Confirmed, ClassStage::Closed, ClassStage::Withdrawn];

    pub fn as_str(self) -> &'static str {
        match self {
            ClassStage::Found => "found",
            ClassStage::Confirmed => "confirmed",
            ClassStage::Closed => "closed",
            ClassStage::Withdrawn => "withdrawn",
        }
    }

    pub fn chinese(self) -> &'static str {
        match self {
            ClassStage::Found => "已发现",
            ClassStage::Confirmed => "已确认",
            ClassStage::Closed => "已结案",
            ClassStage::Withdrawn => "已撤销",
        }
    }

    pub fn parse(text: &str) -> Option<ClassStage> {
        ClassStage::ALL.into_iter().find(|stage| stage.as_str() == text)
    }

    /// Whether there is something to do about it, and tickets join it.
    pub fn is_open(self) -> bool {
        matches!(self, ClassStage::Found | ClassStage::Confirmed)
    }
}

impl ClassMove {
    pub fn name(self) -> &'static str {
        match self {
            ClassMove::Confirm => "confirm",
            ClassMove::Close => "close",
        }
    }

    pub fn parse(text: &str) -> Option<ClassMove> {
        [ClassMove::Confirm, ClassMove::Close].into_iter().find(|asked| asked.name() == text)
    }

    /// Where it leads; none where it is not open.
    pub fn leads(self, from: ClassStage) -> Option<ClassStage> {
        match (self, from) {
            (ClassMove::Confirm, ClassStage::Found) => Some(ClassStage::Confirmed),
            (ClassMove::Close, ClassStage::Found | ClassStage::Confirmed) => Some(ClassStage::Closed),
            _ => None,
        }
    }
}
