//! What officers in the field ask for. A phone that lost the answer asks again under the same key, and nothing happens twice.

use std::sync::Arc;

use super::{Command, Fix, NewFile};

#[derive(Debug, Clone, PartialEq)]
pub struct Errand {
    pub who: Arc<str>,
    /// None where the sender does not name it: then it is done as often as it comes.
    pub once: Option<Once>,
    pub task: Task,
}

/// The sender's own name of what is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    pub key: Arc<str>,
    /// SHA-256 of what is asked, in hex: another request under a key that was used is a mistake of the sender.
    pub digest: Arc<str>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    Move(Command),
    Attach(NewFile),
    /// Where the officer was, by the phone's clock.
    Locate {
        officer: Arc<str>,
        fixes: Vec<Fix>,
    },
    Duty {
        officer: Arc<str>,
        is_on: bool,
    },
}

/// What an errand did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Moved {
        ticket: u64,
    },
    Attached {
        ticket: u64,
        file: u64,
    },
    Located {
        n_taken: u64,
        n_off_duty: u64,
        /// Of a time at which they cannot have been, or too old to matter.
        n_untimely: u64,
    },
    Duty {
        is_on: bool,
        at_ms: i64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    pub outcome: Outcome,
    /// It was done before, and this is what it did then.
    pub is_repeat: bool,
}

/// An errand that was done, remembered for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    pub who: Arc<str>,
    pub once: Once,
    pub outcome: Outcome,
    pub at_ms: i64,
}

impl Outcome {
    /// As it is kept: its name and its numbers.
    pub fn to_text(self) -> String {
        match self {
            Outcome::Moved { ticket } => format!("moved {ticket}"),
            Outcome::Attached { ticket, file } => format!("attached {ticket} {file}"),
            Outcome::Located { n_taken, n_off_duty, n_untimely } => {
                format!("located {n_taken} {n_off_duty} {n_untimely}")
            }
            Outcome::Duty { is_on, at_ms } => format!("duty {} {at_ms}", u8::from(is_on)),
        }
    }

    pub fn parse(text: &str) -> Option<Outcome> {
        let mut words = text.split(' ');
        let name = words.next()?;
        let numbers: Vec<u64> = words.map(|word| word.parse().ok()).collect::<Option<_>>()?;
        match (name, &numbers[..]) {
            ("moved", &[ticket]) => Some(Outcome::Moved { ticket }),
            ("attached", &[ticket, file]) => Some(Outcome::Attached { ticket, file }),
            ("located", &[n_taken, n_off_duty, n_untimely]) => {
                Some(Outcome::Located { n_taken, n_off_duty, n_untimely })
            }
            ("duty", &[is_on, at_ms]) => Some(Outcome::Duty { is_on: is_on == 1, at_ms: i64::try_from(at_ms).ok()? }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_read_as_it_was_written() {
        for outcome in [
            Outcome::Moved { ticket: 7 },
            Outcome::Attached { ticket: 7, file: 3 },
            Outcome::Located { n_taken: 5, n_off_duty: 1, n_untimely: 0 },
            Outcome::Duty { is_on: false, at_ms: 1_767_225_600_000 },
        ] {
            assert_eq!(Outcome::parse(&outcome.to_text()), Some(outcome));
        }
        for text in ["", "moved", "moved 1 2", "attached 7 x", "danced 1", "duty 1 18446744073709551615"] {
            assert_eq!(Outcome::parse(text), None, "{text}");
        }
    }
}
