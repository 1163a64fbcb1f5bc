//! What the desk goes by: limits, policies, centres and people.

use serde::Deserialize;

use super::{Limit, Severity, Span, defaults};

/// Clocks and policies of tickets.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Desk {
    /// From opening to closing, by severity, where no entry of `limits` says otherwise.
    pub clock: Clock,
    /// The lamp turns yellow when this share of the time is left, 0..1.
    pub yellow_share: f64,
    /// Calendar of working hours and days; limits of those units need one.
    pub calendar: Option<String>,
    /// Working hours, as windows of a rule's `active`.
    pub hours: Vec<String>,
    /// By category; the first that fits counts.
    pub limits: Vec<CategoryLimits>,
    /// A ticket whose lamp turned red goes one level up after this time, and again after as long.
    pub raise_after: Limit,
    /// Closed tickets are archived after this time.
    pub archive_after: Span,
    /// Tickets of this severity or more jump levels, and all receivers are told.
    pub emergency_from: Severity,
    /// Alerts that enter the loop dispatched already; the first that fits counts.
    pub dispatch: Vec<AutoDispatch>,
    /// What is less likely than this has to be confirmed, 0..1.
    pub confirm_below: f64,
    /// Alerts that follow from another one make no ticket while that is on.
    pub inhibits: Vec<Inhibit>,
    pub storm: Storm,
    pub officers: Officers,
    pub group: Group,
    pub classes: Classes,
    /// Who is called about a ticket until somebody acknowledges it; of a centre the first that fits counts.
    pub escalations: Vec<Escalation>,
    /// Patterns of categories that are private matters: nobody is told of them who does not name them.
    pub private: Vec<String>,
}

/// Time from opening to closing, by severity, round the clock.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Clock {
    pub minor: Span,
    pub moderate: Span,
    pub severe: Span,
    pub extreme: Span,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryLimits {
    /// Pattern of categories, as of sources.
    pub category: String,
    /// From opening to closing; by severity where absent.
    pub whole: Option<Limit>,
    #[serde(default)]
    pub stages: StageLimits,
}

/// How long a ticket may stay in a stage; as long as it likes where absent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct StageLimits {
    pub suspected: Option<Limit>,
    pub reported: Option<Limit>,
    pub accepted: Option<Limit>,
    pub filed: Option<Limit>,
    pub dispatched: Option<Limit>,
    pub signed: Option<Limit>,
    pub handling: Option<Limit>,
    pub fed_back: Option<Limit>,
    pub verified: Option<Limit>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoDispatch {
    /// Pattern of categories.
    pub category: String,
    #[serde(default = "defaults::least_severity")]
    pub from_severity: Severity,
    pub unit: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inhibit {
    /// Pattern of rules whose alerts mute others.
    pub when: String,
    /// Patterns of the sources that are muted; the alert's own source where there are none.
    #[serde(default)]
    pub mutes: Vec<String>,
}

/// More than `n` tickets of one source within this span become one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storm {
    pub n: usize,
    pub within: Span,
}

/// Who is sent, and how that is chosen.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Officers {
    /// Tickets that one officer may have at a time.
    pub tickets_max: usize,
    /// A ticket whose officer has not signed it in this time goes back to who dispatches.
    pub lease: Span,
    /// Who was heard of longer ago is suggested after all others.
    pub position_age_max: Span,
    /// One position of each officer is kept in so much time.
    pub position_every: Span,
    pub positions_keep: Span,
    /// Who says of themselves that they are on duty outside their hours is, for so long.
    pub overtime: Span,
    /// What was done under an Idempotency-Key is remembered for so long.
    pub repeats_keep: Span,
    /// On roads that do not say, and where there are none.
    pub speed_kmh: f64,
    /// How much longer ways are than straight lines, where there are no roads.
    pub detour: f64,
    /// What each ticket at hand weighs against time on the way.
    pub load: Span,
    /// What being of the centre whose ticket it is weighs.
    pub owner_bonus: Span,
}

/// Alerts of one category and place that come within this span after the first one are one ticket's.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Group {
    /// "0s" where each alert has a ticket of its own.
    pub within: Span,
    /// One place is what is so near, in metres…
    pub radius_m: f64,
    /// …or in one grid of a fence file with `grids`.
    pub same_grid: bool,
}

/// Which tickets are one problem, and over which scales patterns are looked for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Classes {
    /// So many tickets of one category at one place…
    pub n: usize,
    /// …within this span make a class case.
    pub within: Span,
    /// One place is what is so near, in metres…
    pub radius_m: f64,
    /// …or in one grid of a fence file with `grids`.
    pub same_grid: bool,
    /// Upper ends of the bands in which pairs of tickets are counted, rising: metres and spans.
    pub distances_m: Vec<f64>,
    pub spans: Vec<Span>,
}

/// Who is called about tickets of a centre until somebody acknowledges them. After the last step comes the escalation of the
/// nearest centre above that has one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    pub id: String,
    /// The one on top where absent.
    pub centre: Option<String>,
    #[serde(default = "defaults::least_severity")]
    pub from_severity: Severity,
    /// Pattern of categories; all where absent.
    pub category: Option<String>,
    pub steps: Vec<EscalationStep>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EscalationStep {
    pub receivers: Vec<String>,
    /// They are called again after each such time; once where absent.
    pub repeat: Option<Span>,
    /// The next step comes after this time.
    pub after: Span,
}

/// A command centre.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Centre {
    pub id: String,
    #[serde(default)]
    pub name: String,
    pub level: Level,
    /// The centre above it; none for the one on top.
    pub parent: Option<String>,
    /// Patterns of categories that the centre above may hand down to it.
    #[serde(default)]
    pub duties: Vec<String>,
    /// Patterns of sources whose tickets enter here; the lowest centre that fits counts, and the one on top for the rest.
    #[serde(default)]
    pub sources: Vec<String>,
    /// Line of `places.centres` that it is from, where it is from there.
    #[serde(skip)]
    pub line: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Grid,
    Village,
    Town,
    District,
}

/// Who may do what. Where nobody is named, everybody may do all that the loop allows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// What commands say as `who`.
    pub id: String,
    #[serde(default)]
    pub name: String,
    pub centre: String,
    pub roles: Vec<Role>,
    /// Who is a handler can be sent, as one of this unit; alone where absent.
    pub unit: Option<String>,
    /// Patterns of categories that they are sent for; all where there are none.
    #[serde(default)]
    pub skills: Vec<String>,
    /// The source whose positions are theirs.
    pub terminal: Option<String>,
    /// When they are on duty, as windows of a rule's `active`, on the desk's calendar; always where there are none.
    #[serde(default)]
    pub duty: Vec<String>,
    /// Line of `places.people` that they are from, where they are from there.
    #[serde(skip)]
    pub line: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// 监督员: reports, checks.
    Officer,
    /// 受理员
    Clerk,
    /// 值班长: files, approves, closes.
    Chief,
    /// 派遣员
    Dispatcher,
    /// 处置人员
    Handler,
}

impl Desk {
    /// All that is counted round the clock runs so many times as fast: for demonstrations. What is counted in working hours
    /// and days stays, as the days do.
    pub fn hurry(&mut self, times: u32) {
        let span = |span: &mut Span| *span = Span::from_ms((span.ms() / i64::from(times.max(1))).max(1));
        let limit = |limit: &mut Limit| {
            if let Limit::Urgent(long) = limit {
                span(long);
            }
        };
        let Clock { minor, moderate, severe, extreme } = &mut self.clock;
        [minor, moderate, severe, extreme].into_iter().for_each(span);
        limit(&mut self.raise_after);
        for step in self.escalations.iter_mut().flat_map(|escalation| &mut escalation.steps) {
            step.repeat.iter_mut().for_each(span);
            span(&mut step.after);
        }
        for entry in &mut self.limits {
            entry.whole.iter_mut().for_each(limit);
            let StageLimits { suspected, reported, accepted, filed, dispatched, signed, handling, fed_back, verified } =
                &mut entry.stages;
            let stages = [suspected, reported, accepted, filed, dispatched, signed, handling, fed_back, verified];
            stages.into_iter().flatten().for_each(limit);
        }
    }
}

impl Clock {
    pub(crate) fn span(&self, severity: Severity) -> Span {
        match severity {
            Severity::Minor => self.minor,
            Severity::Moderate => self.moderate,
            Severity::Severe => self.severe,
            Severity::Extreme => self.extreme,
        }
    }
}

impl Level {
    pub const ALL: [Level; 4] = [Level::Grid, Level::Village, Level::Town, Level::District];

    pub fn as_str(self) -> &'static str {
        match self {
            Level::Grid => "grid",
            Level::Village => "village",
            Level::Town => "town",
            Level::District => "district",
        }
    }

    pub fn parse(text: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|level| level.as_str() == text)
    }
}

impl Role {
    pub const ALL: [Role; 5] = [Role::Officer, Role::Clerk, Role::Chief, Role::Dispatcher, Role::Handler];

    pub fn parse(text: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.as_str() == text)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Role::Officer => "officer",
            Role::Clerk => "clerk",
            Role::Chief => "chief",
            Role::Dispatcher => "dispatcher",
            Role::Handler => "handler",
        }
    }
}
