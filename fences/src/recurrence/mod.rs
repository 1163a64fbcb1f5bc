//! Whether what happens again and again belongs together: clusters in space and time, the Knox test, near repeats, and what
//! changed afterwards. Exact counts; chance is drawn from a seed, so that the same occurrences give the same answer. Modules in
//! reading order:
//!
//! - [`occurrence`]: something that happened at a place and time, on a plane in metres
//! - `near`: pairs that lie near each other
//! - [`mod@cluster`]: clusters by ST-DBSCAN
//! - [`knox`]: whether pairs are near in both space and time more often than by chance, over several scales at once
//! - [`comparison`]: before and after
//! - `draw`: seeded permutations

pub mod cluster;
pub mod comparison;
mod draw;
pub mod knox;
mod near;
pub mod occurrence;

pub use cluster::{Clusters, Reach, clusters};
pub use comparison::Comparison;
pub use knox::{Count, Patrol, Scales, Table};
pub use occurrence::{Occurrence, on_plane};

/// Pairs that are looked at; beyond, an answer would take too long.
pub const PAIRS_MAX: usize = 1_000_000;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// Within so many metres.
    #[error("more than {PAIRS_MAX} pairs lie within {0} m of each other: ask for a shorter time or smaller distances")]
    TooManyPairs(u64),
    /// The ends of bands that were asked for.
    #[error("{0} are to be positive and to rise")]
    NotRising(&'static str),
}
