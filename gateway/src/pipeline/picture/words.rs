//! The words and figures for what a rule found in pictures. Pure.

use outpost_detectors::observation::SightFault;
use outpost_fences::shape::Direction;

use super::{Figured, PictureRule, What};
use crate::nouns::{Figure, Why};
use crate::pipeline::reading::figure;
use crate::pipeline::slot::seconds;

impl PictureRule {
    /// Why the alert opens; `area` is that of the greatest thing and `size_m` its width and height.
    pub(in crate::pipeline) fn why(
        &self,
        figured: Figured,
        area: Option<f32>,
        size_m: Option<[f64; 2]>,
        held: &str,
    ) -> Why {
        let (zone, line) = (self.zone.as_deref().unwrap_or("the picture"), self.line.as_deref().unwrap_or_default());
        let mut figures: Vec<Figure> = Vec::new();
        let text = match (&self.what, figured) {
            (What::Intrusion, _) => format!("something moves in {zone}{held}"),
            (What::Loitering { .. }, Figured::Stayed(ms)) => {
                figures.push(figure("stayed", ms as f64 / 1000.0, Some("s")));
                format!("stays in {zone} for {}", seconds(ms))
            }
            (What::Crowd { .. }, Figured::Count(n)) => {
                figures.push(figure("count", n as f64, None));
                format!("{n} in {zone}{held}")
            }
            (What::Crowd { .. }, Figured::Covered(share)) => {
                figures.push(figure("covered", f64::from(share), None));
                format!("{:.0} % of {zone} is covered{held}", 100.0 * share)
            }
            (What::LineCrossing { .. }, Figured::Crossed(Direction::LeftToRight)) => {
                format!("crossed {line} from left to right")
            }
            (What::LineCrossing { .. }, Figured::Crossed(Direction::RightToLeft)) => {
                format!("crossed {line} from right to left")
            }
            (What::Counting { per_ms, .. }, Figured::Count(n)) => {
                figures.push(figure("count", n as f64, None));
                format!("{n} crossed {line} within {}", seconds(*per_ms))
            }
            (What::WrongWay { .. }, _) => format!("moves against {line}"),
            (What::ObjectLeft { .. }, Figured::Stayed(ms)) => {
                figures.push(figure("stood", ms as f64 / 1000.0, Some("s")));
                format!("something was left in {zone}, {} ago", seconds(ms))
            }
            (What::ObjectRemoved, _) => format!("something is gone from {zone}"),
            (What::Sight { fault }, _) => format!("{}{held}", sees(*fault)),
            // Restored in the middle of a hold: what the last picture showed is not kept.
            _ => format!("condition holds{held}"),
        };
        figures.extend(area.map(|area| figure("area", f64::from(area), None)));
        let metres = |[width, height]: [f64; 2]| [("width", width), ("height", height)];
        figures.extend(size_m.map(metres).into_iter().flatten().map(|(name, m)| figure(name, m, Some("m"))));
        Why { text, figures }
    }

    /// Why the alert clears.
    pub(in crate::pipeline) fn why_cleared(&self) -> String {
        let (zone, line) = (self.zone.as_deref().unwrap_or("the picture"), self.line.as_deref().unwrap_or_default());
        match &self.what {
            What::Intrusion => format!("nothing moves in {zone}"),
            What::Loitering { .. } => format!("nobody stays in {zone}"),
            What::Crowd { .. } => format!("no longer crowded in {zone}"),
            What::LineCrossing { .. } => format!("{line} was not crossed again"),
            What::Counting { .. } => "counted anew".into(),
            What::WrongWay { .. } => format!("nothing moves against {line}"),
            What::ObjectLeft { .. } => format!("nothing stands in {zone}"),
            What::ObjectRemoved => format!("nothing more is gone from {zone}"),
            What::Sight { .. } => "sees again".into(),
        }
    }
}

fn sees(fault: SightFault) -> &'static str {
    match fault {
        SightFault::TooDark => "the picture is too dark",
        SightFault::TooBright => "the picture is too bright",
        SightFault::Frozen => "the picture is frozen",
        SightFault::TooBlurry => "the picture is too blurry",
        SightFault::Covered => "the camera is covered",
        SightFault::Moved => "the camera looks elsewhere",
        SightFault::SceneChange => "the picture as a whole is another",
    }
}
