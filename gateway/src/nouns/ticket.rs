//! A ticket: the work that alerts ask for, with stage, clocks and journal.

use std::sync::Arc;

use super::{Call, ClassMove, ClassStage, Clock, Confidence, Lamp, Move, Need, Place, Stage};
use crate::config::{Limit, Severity};

#[derive(Debug, Clone, PartialEq)]
pub struct Ticket {
    /// Shown as `T-<no>`.
    pub no: u64,
    /// The first of its alerts.
    pub alert: Arc<str>,
    pub rule: Arc<str>,
    pub source: Arc<str>,
    pub fence: Option<Arc<str>>,
    pub title: Arc<str>,
    pub why: Arc<str>,
    pub severity: Severity,
    pub category: Arc<str>,
    pub place: Place,
    /// How likely it is that there is something, where it was asked.
    pub confidence: Option<Confidence>,
    pub stage: Stage,
    /// Where it goes on when it is resumed.
    pub held: Option<Stage>,
    /// Jumps levels, and all are told.
    pub is_emergency: bool,
    /// Between a person and the district: nobody else is told, and who answered them closes it.
    pub is_private: bool,
    /// Suspended or parked for what nobody could help: scores show it apart.
    pub is_force_majeure: bool,
    /// Whose it is now.
    pub centre: Arc<str>,
    /// Centres on whose ground it may be as well, the nearest first: it is near a border.
    pub beside: Vec<Arc<str>>,
    /// Who received it first, and leads until it is settled (首接负责): a centre.
    pub lead: Option<Arc<str>>,
    /// Who it was last dispatched to.
    pub unit: Option<Arc<str>>,
    /// Whom of the unit.
    pub officer: Option<Arc<str>>,
    /// Until when they have to sign it.
    pub lease_ms: Option<i64>,
    /// Who had a hand in it: they do not verify it.
    pub handlers: Vec<Arc<str>>,
    pub opened_ms: i64,
    pub closed_ms: Option<i64>,
    /// Until it is closed.
    pub whole: Clock,
    /// For the stage that it is in, where that has a limit.
    pub step: Option<Clock>,
    /// An extension that waits for approval.
    pub extension: Option<Extension>,
    pub into: Option<u64>,
    /// Alerts that are its own, and those of them that are on.
    pub n_alerts: u64,
    pub n_alerts_on: u64,
    /// Where it stands for a source that tells too much.
    pub storm: Option<Storm>,
    pub counts: Counts,
    /// 1 to 5.
    pub score: Option<u8>,
    /// Somebody is called until it is acknowledged.
    pub call: Option<Call>,
    /// Entries in its journal; the next one gets this number plus one.
    pub n_journal: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storm {
    /// Each further alert of the source is this ticket's.
    On,
    Over,
}

/// More time, asked for and not decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Extension {
    pub who: Arc<str>,
    pub limit: Limit,
}

/// How often which move was made; scores are computed from these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub returned: u32,
    pub reassigned: u32,
    pub disputed: u32,
    pub extended: u32,
    pub suspended: u32,
    pub reworked: u32,
    pub supervised: u32,
    pub escalated: u32,
    /// Across a border.
    pub handed_over: u32,
    /// Not signed within the lease.
    pub unanswered: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    pub ticket: u64,
    /// From 1, without gaps within a ticket.
    pub no: u64,
    pub at_ms: i64,
    /// `outpost` where the gateway did it by itself.
    pub who: Arc<str>,
    /// `opened`, `alert-cleared`, or the name of a move.
    pub what: &'static str,
    pub note: String,
}

/// What an operator asks of a ticket.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    pub ticket: u64,
    pub who: Arc<str>,
    pub asked: Move,
    pub said: Said,
}

/// What a command says beside its move; empty where there is nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Said {
    pub note: String,
    pub unit: Option<Arc<str>>,
    pub officer: Option<Arc<str>>,
    /// References of a picture from before and one from after.
    pub photos: Option<[Arc<str>; 2]>,
    pub into: Option<u64>,
    pub centre: Option<Arc<str>>,
    pub limit: Option<Limit>,
    pub score: Option<u8>,
    pub is_force_majeure: bool,
}

/// Why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is no open ticket T-{0}")]
    NoSuchTicket(u64),
    #[error("a ticket that is {stage} cannot take the move {asked}", stage = stage.as_str(), asked = asked.name())]
    WrongStage { stage: Stage, asked: Move },
    #[error("the move {asked} needs a {key}", asked = asked.name(), key = need.key())]
    Missing { asked: Move, need: Need },
    #[error("the move {asked} takes no {key}", asked = asked.name(), key = need.key())]
    Needless { asked: Move, need: Need },
    #[error("{0:?} is nobody that the configuration names")]
    Unknown(Arc<str>),
    #[error("{who} has none of the roles that may {asked}: {roles}", asked = asked.name())]
    Role { who: Arc<str>, asked: Move, roles: String },
    #[error("{who} is of {centre}: {whose} decides")]
    Reach { who: Arc<str>, centre: Arc<str>, whose: Arc<str> },
    #[error("{who} had a hand in the ticket: somebody else has to {asked} it", asked = asked.name())]
    OwnWork { who: Arc<str>, asked: Move },
    #[error("{who} asked for the extension: somebody else decides on it")]
    OwnExtension { who: Arc<str> },
    #[error("{0:?} is nobody who can be sent: people with the role handler are")]
    NoOfficer(Arc<str>),
    #[error("{officer} is not of {unit}")]
    OtherUnit { officer: Arc<str>, unit: Arc<str> },
    #[error("{0} is off duty")]
    OffDuty(Arc<str>),
    #[error("{officer} has {tickets} at hand already")]
    Booked { officer: Arc<str>, tickets: String },
    #[error("{officer} has it at hand: {who} cannot {asked} it", asked = asked.name())]
    NotTheirs { who: Arc<str>, asked: Move, officer: Arc<str> },
    #[error("no extension was asked for")]
    NoExtension,
    #[error("an extension was asked for already and waits for an answer")]
    ExtensionWaits,
    #[error("nobody is called about the ticket: there is nothing to acknowledge")]
    NotCalled,
    #[error("no centre is above {0}")]
    NothingAbove(Arc<str>),
    #[error("{centre} is not directly beneath {whose}")]
    NotBeneath { centre: Arc<str>, whose: Arc<str> },
    #[error("category {category:?} is not on the duty list of {centre}")]
    NotOnDutyList { centre: Arc<str>, category: Arc<str> },
    #[error("T-{0} is not near a border: no other centre may have it as well")]
    NothingBeside(u64),
    #[error("{centre} is none of the centres that may have it as well: {beside}")]
    NotBeside { centre: Arc<str>, beside: String },
    #[error("T-{0} is no other open ticket that it could become part of")]
    NoSuchMaster(u64),
    #[error("there is no silence {0} that is on")]
    NoSuchSilence(u64),
    #[error("{0} silences are on already")]
    TooManySilences(usize),
    #[error("there is no work order {0:?} that is not over")]
    NoSuchWorkOrder(Arc<str>),
    #[error("more than {0} work orders would be on")]
    TooManyWorkOrders(usize),
    #[error("there is no open class case C-{0}")]
    NoSuchClass(u64),
    #[error("a class case that is {stage} cannot take the move {asked}", stage = stage.as_str(), asked = asked.name())]
    WrongClassStage { stage: ClassStage, asked: ClassMove },
    #[error("{0} is no chief: only chiefs judge class cases")]
    NoChief(Arc<str>),
    #[error("the store does not say whether it was reported before")]
    StoreSilent,
    #[error("the gateway is stopping")]
    Stopping,
}

impl Ticket {
    /// The worse one of its clocks'.
    pub fn lamp(&self, now_ms: i64) -> Lamp {
        self.clocks().map(|clock| clock.lamp(now_ms)).max().unwrap_or(Lamp::Off)
    }

    /// Who has it at hand: from when they are sent until they have fed back. Also while it is suspended, since it then goes on
    /// where it was.
    pub fn booked(&self) -> Option<&Arc<str>> {
        let stage = self.held.unwrap_or(self.stage);
        self.officer.as_ref().filter(|_| matches!(stage, Stage::Dispatched | Stage::Signed | Stage::Handling))
    }

    /// Those that run.
    pub fn clocks(&self) -> impl Iterator<Item = &Clock> {
        let clocks = std::iter::once(&self.whole).chain(&self.step);
        clocks.filter(|clock| self.stage.is_timed() && clock.left_ms.is_none())
    }

    /// Whether no alert of it is on.
    pub fn alert_cleared(&self) -> bool {
        self.n_alerts_on == 0
    }
}

impl Storm {
    pub fn as_str(self) -> &'static str {
        match self {
            Storm::On => "on",
            Storm::Over => "over",
        }
    }

    pub fn parse(text: &str) -> Option<Storm> {
        [Storm::On, Storm::Over].into_iter().find(|storm| storm.as_str() == text)
    }
}

impl Counts {
    /// With the names under which they are kept and told.
    pub fn named(&self) -> [(&'static str, u32); 10] {
        [
            ("returned", self.returned),
            ("reassigned", self.reassigned),
            ("disputed", self.disputed),
            ("extended", self.extended),
            ("suspended", self.suspended),
            ("reworked", self.reworked),
            ("supervised", self.supervised),
            ("escalated", self.escalated),
            ("handed-over", self.handed_over),
            ("unanswered", self.unanswered),
        ]
    }
}
