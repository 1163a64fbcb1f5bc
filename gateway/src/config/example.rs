//! Examples of a rule, as text: what is heard at a time, and what then happens. Knows nothing of rules.

use outpost_detectors::observation::SightFault;
use serde::{Deserialize, Deserializer, de};

use super::Span;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Source that speaks; one that the rule's first pattern matches where left out.
    pub source: Option<String>,
    /// In the order of time, which begins on a Monday at midnight UTC.
    pub given: Vec<Given>,
    /// All that happens, no less and no more, until the last time that is named.
    pub expect: Vec<Expected>,
}

/// "10s 1.4" and the like.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    pub at: Span,
    /// "10s tunnel/7: 1.4": who says it, where several sources speak.
    pub source: Option<String>,
    pub said: Said,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// "10s": it was heard, whatever it said.
    Anything,
    /// "10s 1.4": a reading of the rule's metric, in the rule's unit.
    Value(f64),
    /// "10s ch4 = 1.4, o2 = 19.1": readings of one message, for a rule that judges several.
    Values(Vec<(String, f64)>),
    /// "10s 106.05,29.84": longitude and latitude of a position; for a camera, where in the picture something moves, 0..1.
    /// "10s 0.2,0.8; 0.5,0.9": several things before a camera, always in the same order.
    Points(Vec<[f64; 2]>),
    /// "10s 80 over 20": a thermal frame with a hot region, in degrees Celsius, just as large as the rule asks.
    Heat { hot: f64, background: f64 },
    /// "10s live", "10s offline": the state of a camera's link.
    Link { is_live: bool },
    /// "10s nothing": a picture in which nothing moves.
    Nothing,
    /// "10s too-dark": a picture with a fault.
    Fault(SightFault),
    /// "10s gone 0.5,0.8": a picture in which something of the background is gone from there.
    Gone(f64, f64),
}

/// "16s open", "30s clear".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    pub at: Span,
    pub opens: bool,
}

impl Given {
    fn parse(text: &str) -> Option<Given> {
        let (at, said) = timed(text)?;
        let (source, said) = match said.split_once(": ") {
            Some((source, said)) => (Some(source.trim().to_owned()), said.trim()),
            None => (None, said),
        };
        let fault = SightFault::ALL.into_iter().find(|fault| fault.as_str() == said);
        let said = match said {
            _ if fault.is_some() => Said::Fault(fault?),
            "" => Said::Anything,
            "nothing" => Said::Nothing,
            "live" | "offline" => Said::Link { is_live: said == "live" },
            said if said.contains('=') => {
                let value = |text: &str| {
                    let (metric, value) = text.rsplit_once('=')?;
                    Some((metric.trim().to_owned(), number(value)?)).filter(|(metric, _)| !metric.is_empty())
                };
                Said::Values(said.split(',').map(value).collect::<Option<_>>()?)
            }
            said => match (said.strip_prefix("gone "), said.split_once(" over ")) {
                (Some(place), _) => {
                    let [x, y] = point(place)?;
                    Said::Gone(x, y)
                }
                (None, Some((hot, background))) => Said::Heat { hot: number(hot)?, background: number(background)? },
                (None, None) if said.contains(',') => Said::Points(said.split(';').map(point).collect::<Option<_>>()?),
                (None, None) => Said::Value(number(said)?),
            },
        };
        Some(Given { at, source, said })
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

fn point(text: &str) -> Option<[f64; 2]> {
    let (x, y) = text.split_once(',')?;
    Some([number(x)?, number(y)?])
}

impl Expected {
    fn parse(text: &str) -> Option<Expected> {
        let (at, what) = timed(text)?;
        let opens = match what {
            "open" => true,
            "clear" => false,
            _ => return None,
        };
        Some(Expected { at, opens })
    }
}

fn timed(text: &str) -> Option<(Span, &str)> {
    let (at, what) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    Some((Span::parse(at)?, what.trim()))
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Given::parse(&text).ok_or_else(|| {
            de::Error::custom(format!(
                "{text:?} is nothing that can be heard, such as \"10s 1.4\", \"10s ch4 = 1.4, o2 = 19.1\", \"10s 106.05,29.84\", \"10s 80 over 20\", \"10s live\", \"10s nothing\", \"10s gone 0.5,0.8\", \"10s too-dark\" or \"10s\""
            ))
        })
    }
}

impl<'de> Deserialize<'de> for Expected {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Expected::parse(&text).ok_or_else(|| {
            de::Error::custom(format!("{text:?} is nothing to expect, such as \"16s open\" or \"30s clear\""))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_heard_is_a_time_and_a_word() {
        let said = |text| Given::parse(text).map(|given| (given.at.ms(), given.said));
        assert_eq!(said("10s 1.4"), Some((10_000, Said::Value(1.4))));
        assert_eq!(said(" 1m  -3e2 "), Some((60_000, Said::Value(-300.0))));
        assert_eq!(said("0s 106.05, 29.84"), Some((0, Said::Points(vec![[106.05, 29.84]]))));
        assert_eq!(said("5s 80 over 20.5"), Some((5_000, Said::Heat { hot: 80.0, background: 20.5 })));
        assert_eq!(said("5s 0.1,0.2; 0.3,0.4"), Some((5_000, Said::Points(vec![[0.1, 0.2], [0.3, 0.4]]))));
        assert_eq!(said("5s gone 0.3,0.4"), Some((5_000, Said::Gone(0.3, 0.4))));
        assert_eq!(said("5s too-dark"), Some((5_000, Said::Fault(SightFault::TooDark))));
        assert_eq!(said("5s offline"), Some((5_000, Said::Link { is_live: false })));
        let values = vec![("ch4".to_owned(), 1.4), ("switch:0.power".to_owned(), -3.0)];
        assert_eq!(said("10s ch4 = 1.4, switch:0.power=-3"), Some((10_000, Said::Values(values))));
        let named = Given::parse("5s tunnel/7: 1.4").unwrap();
        assert_eq!((named.source.as_deref(), named.said), (Some("tunnel/7"), Said::Value(1.4)));
        assert_eq!(said("5s"), Some((5_000, Said::Anything)));
        for text in [
            "",
            "5",
            "soon 1.4",
            "5s one",
            "5s 1,",
            "5s 80 over",
            "-5s 1",
            "5s a =",
            "5s = 1",
            "5s a = 1,",
            "5s 1,2;",
            "5s gone",
        ] {
            assert_eq!(said(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_happens_is_a_time_and_one_of_two_words() {
        assert_eq!(Expected::parse("16s open"), Some(Expected { at: Span::from_ms(16_000), opens: true }));
        assert_eq!(Expected::parse("2m clear"), Some(Expected { at: Span::from_ms(120_000), opens: false }));
        assert_eq!(Expected::parse("16s"), None);
        assert_eq!(Expected::parse("16s closes"), None);
    }
}
