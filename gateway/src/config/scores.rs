//! How work is scored: figures made of named counts, as data. The standard table is `configs/scores.toml`.

use std::fmt;

use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};

/// Names in one sum.
const NAMES_MAX: usize = 8;

/// A figure with its formula.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub english: String,
    pub figure: Figure,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Figure {
    /// Percent, 0 to 100: what is above is 100.
    Rate {
        numerator: Sum,
        denominator: Sum,
        /// What it is where the denominator is zero; no figure where absent.
        #[serde(default)]
        none: Option<f64>,
    },
    Count {
        of: Sum,
    },
    /// Hours on the average; no figure where there is none.
    Mean {
        of: Amount,
        over: Count,
    },
    /// Points of rates, added up; 100 at the most.
    Points {
        terms: Vec<Term>,
    },
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// Identity of a rate.
    pub rate: String,
    pub points: f64,
    /// The points are for what is lacking to 100 %.
    #[serde(default)]
    pub inverted: bool,
}

/// Names of counts, added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum(pub Vec<Count>);

/// What is summed over tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Amount {
    /// From opening to acceptance, of what was accepted.
    Accepting,
    /// From dispatch to feed-back, of what was handled within the period.
    Handling,
}

macro_rules! counts {
    ($($name:ident $text:literal $chinese:literal $says:literal,)*) => {
        /// A count of tickets in a period. `due_…` are those whose limit falls in the period, or that were done in it; of these
        /// the others count what was done by its end.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Count {
            $(#[doc = $says] $name,)*
        }

        impl Count {
            pub const ALL: &[Count] = &[$(Count::$name,)*];

            fn names(self) -> (&'static str, &'static str, &'static str) {
                match self {
                    $(Count::$name => ($text, $chinese, $says),)*
                }
            }
        }
    };
}

counts! {
    Reported "reported" "上报数" "Opened in the period.",
    ReportedRight "reported_right" "有效上报数" "Of these, those that were neither rejected, refused, not filed nor merged.",
    DueChecked "due_checked" "应核实数" "Findings that were to be confirmed or rejected.",
    CheckedInTime "checked_in_time" "按时核实数" "Of these, those that were so in time.",
    Accepted "accepted" "受理数" "Accepted in the period.",
    Filed "filed" "立案数" "Filed in the period.",
    FiledInTime "filed_in_time" "按时立案数" "Of these, those that were so in time.",
    FiledRight "filed_right" "准确立案数" "Of these, those that were not merged into others afterwards.",
    DueDispatched "due_dispatched" "应派遣数" "Filed ones that were to be dispatched.",
    DispatchedInTime "dispatched_in_time" "按时派遣数" "Of these, those that were so in time.",
    DispatchedRight "dispatched_right" "准确派遣数" "Of these, those that were dispatched and never returned, disputed or dispatched anew.",
    DueHandled "due_handled" "应处置数" "Dispatched ones that were to be fed back.",
    Handled "handled" "处置数" "Of these, those that were fed back.",
    HandledInTime "handled_in_time" "按期处置数" "Of these, those that were so in time.",
    Extended "extended" "延期数" "Of those that were to be fed back, those with more time.",
    Overdue "overdue" "超期未处置数" "At the end of the period dispatched, not fed back, and past its time, whenever that was.",
    DueVerified "due_verified" "应核查数" "Fed back ones that were to be looked at.",
    VerifiedInTime "verified_in_time" "按时核查数" "Of these, those that were so in time.",
    DueClosed "due_closed" "应结案数" "Those that were to be closed.",
    Closed "closed" "结案数" "Of these, those that were closed.",
    ClosedInTime "closed_in_time" "按期结案数" "Of these, those that were so in time.",
    ClosedLate "closed_late" "超期结案数" "Of these, those that were so past their time.",
    Reworked "reworked" "返工数" "Of those that were to be closed, those that had to be worked on again.",
    Returned "returned" "回退数" "Returned by whom they were dispatched to, in the period.",
    Voided "voided" "作废数" "Rejected, refused or not filed in the period.",
    Solved "solved" "自行处置数" "Solved on the spot in the period.",
    Rated "rated" "评价数" "Rated in the period.",
    Satisfied "satisfied" "满意数" "Of these, those with 4 or 5 of 5.",
    Suspended "suspended" "挂起数" "Out of reach at the end of the period: suspended, though not by force majeure. In no count of what was due.",
    Parked "parked" "挂账数" "Out of reach at the end of the period: parked, though not by force majeure. In no count of what was due.",
    ForceMajeure "force_majeure" "不可抗力数" "Out of reach at the end of the period: suspended or parked by force majeure. In no count of what was due.",
}

impl Count {
    pub fn as_str(self) -> &'static str {
        self.names().0
    }

    /// As district centres call it.
    pub fn chinese(self) -> &'static str {
        self.names().1
    }

    /// What is counted.
    pub fn says(self) -> &'static str {
        self.names().2
    }

    pub fn parse(text: &str) -> Option<Count> {
        Count::ALL.iter().copied().find(|count| count.as_str() == text)
    }
}

impl Amount {
    /// The tickets over which it is summed.
    pub fn tickets(self) -> Count {
        match self {
            Amount::Accepting => Count::Accepted,
            Amount::Handling => Count::Handled,
        }
    }
}

impl Sum {
    /// "closed_in_time + closed_late"
    fn parse(text: &str) -> Result<Sum, String> {
        let name = |name: &str| {
            let known = || Count::ALL.iter().map(|count| count.as_str()).collect::<Vec<_>>().join(", ");
            Count::parse(name.trim()).ok_or_else(|| format!("{:?} is no count; there are {}", name.trim(), known()))
        };
        let names: Vec<Count> = text.split('+').map(name).collect::<Result<_, _>>()?;
        if names.len() > NAMES_MAX {
            return Err(format!("a sum has at most {NAMES_MAX} names"));
        }
        Ok(Sum(names))
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|count| count.as_str()).collect();
        f.write_str(&names.join(" + "))
    }
}

impl<'de> Deserialize<'de> for Sum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Sum::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl Serialize for Sum {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Sum(names) = Sum::deserialize(deserializer)?;
        match names[..] {
            [count] => Ok(count),
            _ => Err(de::Error::custom("one count is wanted here")),
        }
    }
}

impl Serialize for Count {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[derive(Deserialize)]
struct File {
    scores: Vec<Score>,
}

/// The standard table.
pub fn standard() -> Vec<Score> {
    let file: Result<File, _> = toml::from_str(include_str!("../../../configs/scores.toml"));
    // A test reads it: it is part of the program.
    file.map(|file| file.scores).unwrap_or_default()
}

/// The standard table with these in place of those of the same identity, and the others after it.
pub fn with_standard(own: &[Score]) -> Vec<Score> {
    let mut out = standard();
    for score in own {
        match out.iter_mut().find(|known| known.id == score.id) {
            Some(known) => *known = score.clone(),
            None => out.push(score.clone()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_table_is_read_and_every_count_has_one_name() {
        assert!(standard().len() >= 20, "{}", standard().len());
        for count in Count::ALL {
            assert_eq!(Count::parse(count.as_str()), Some(*count));
        }
        let used = |count: &Count| {
            standard().iter().any(|score| match &score.figure {
                Figure::Rate { numerator, denominator, .. } => {
                    numerator.0.contains(count) || denominator.0.contains(count)
                }
                Figure::Count { of } => of.0.contains(count),
                Figure::Mean { over, .. } => over == count,
                Figure::Points { .. } => false,
            })
        };
        let unused: Vec<_> = Count::ALL.iter().filter(|count| !used(count)).collect();
        assert_eq!(unused, Vec::<&Count>::new(), "each count is in a figure of the standard table");
    }

    #[test]
    fn a_sum_is_of_known_names() {
        assert_eq!(Sum::parse(" closed + overdue").map(|sum| sum.to_string()), Ok("closed + overdue".into()));
        for (text, hint) in
            [("", "\"\" is no count"), ("closed + shut", "\"shut\" is no count"), ("closed - overdue", "no count")]
        {
            let error = Sum::parse(text).unwrap_err();
            assert!(error.contains(hint), "{text}: {error}");
        }
        assert!(Sum::parse(&["filed"; 9].join("+")).unwrap_err().contains("at most 8"));
    }
}
