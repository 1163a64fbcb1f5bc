//! Evidence: the pictures that show what an alert is of, and how sure the gateway is of it.

use std::sync::Arc;

use outpost_detectors::fire::{Evidence, Sign, Unclear};

use super::{Judged, Object, ObjectKind, SnapshotAsk};

/// A picture beside an alert's snapshot, or the snapshot with its time.
#[derive(Debug, Clone, PartialEq)]
pub struct Exhibit {
    pub role: Role,
    pub source: Arc<str>,
    /// Device time of the picture.
    pub at_ms: i64,
    /// None: it is the alert's snapshot.
    pub ask: Option<SnapshotAsk>,
}

/// What a picture shows of the alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The last frames on which nothing was hot.
    Before,
    /// The moment.
    At,
    /// Pictures that followed: the next frames of heat, and one of a camera that shows clearly more.
    After,
    /// What the visible camera saw of it.
    Visible,
}

/// One more picture of an alert that is open.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    pub alert: Arc<str>,
    pub exhibit: Exhibit,
}

/// A visible camera is to be looked through for what an alert is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookAsk {
    pub alert: Arc<str>,
    /// `cam:` and its id.
    pub camera: Arc<str>,
}

/// What came of a look.
#[derive(Debug, Clone, PartialEq)]
pub struct Looked {
    pub alert: Arc<str>,
    pub camera: Arc<str>,
    pub saw: Saw,
    pub judged: Judged,
    /// Masked, as JPEG, each with the time at which it came.
    pub pictures: Vec<(i64, Arc<[u8]>)>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Saw {
    Pictures(Evidence),
    /// The camera gave none, for this reason.
    Nothing(&'static str),
}

/// How likely it is that an alert is of what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Confidence {
    /// 0..1.
    pub share: f64,
    pub why: Arc<str>,
}

/// What a look with this outcome makes of the odds: how much more often it has this outcome of a fire than of none. By
/// Bayes' rule with the counts of `benches/RESULTS.md`, K, one look added to each, and rounded towards 1, since the clips are
/// few.
const ODDS_FLAME: f64 = 12.0;
const ODDS_SMOKE: f64 = 3.0;
const ODDS_NEITHER: f64 = 0.4;

/// Boxes that are told in words; all are drawn.
const OBJECTS_TOLD_MAX: usize = 3;

/// Nothing is held for surer than this, nor for less sure than the rest.
const SHARE_MAX: f64 = 0.99;

impl Role {
    pub const ALL: [Role; 4] = [Role::Before, Role::At, Role::After, Role::Visible];

    pub fn as_str(self) -> &'static str {
        match self {
            Role::Before => "before",
            Role::At => "at",
            Role::After => "after",
            Role::Visible => "visible",
        }
    }
}

impl Confidence {
    /// Of a thermal camera's finding, before its visible one was asked: as likely as not.
    pub fn of_heat(camera: &str) -> Confidence {
        Confidence { share: 0.5, why: format!("heat alone; {camera} is asked").into() }
    }

    /// After a look.
    pub fn after(&self, looked: &Looked) -> Confidence {
        let odds = self.share / (1.0 - self.share) * looked.odds();
        let share = (odds / (1.0 + odds)).clamp(1.0 - SHARE_MAX, SHARE_MAX);
        Confidence { share, why: looked.words().into() }
    }
}

impl Looked {
    /// What the look makes of the odds. Colour and the object model look at the same pixels, so what both see counts once: either
    /// confirms, and of two the one that says more. Neither confirms where colour sees neither; a model that sees nothing does not
    /// speak for colours that cannot tell.
    fn odds(&self) -> f64 {
        let of_colour = match &self.saw {
            Saw::Pictures(Evidence::Flame(_)) => Some(ODDS_FLAME),
            Saw::Pictures(Evidence::Smoke(_)) => Some(ODDS_SMOKE),
            Saw::Pictures(Evidence::Neither | Evidence::Unclear(_)) | Saw::Nothing(_) => None,
        };
        let of_objects = self.objects().iter().filter_map(|object| match object.kind {
            ObjectKind::Fire => Some(ODDS_FLAME),
            ObjectKind::Smoke => Some(ODDS_SMOKE),
            ObjectKind::Other => None,
        });
        of_objects.chain(of_colour).reduce(f64::max).unwrap_or(match &self.saw {
            Saw::Pictures(Evidence::Neither) => ODDS_NEITHER,
            _ => 1.0,
        })
    }

    fn objects(&self) -> &[Object] {
        match &self.judged {
            Judged::Named(objects) => objects,
            Judged::Unasked | Judged::Silent(_) => &[],
        }
    }

    /// What was seen, in a line.
    pub fn words(&self) -> String {
        let by_colour = self.words_of_colour();
        match &self.judged {
            Judged::Unasked => by_colour,
            Judged::Silent(why) => format!("{by_colour}; {why}"),
            Judged::Named(objects) if objects.is_empty() => {
                format!("{by_colour}; the object model names neither fire nor smoke")
            }
            Judged::Named(objects) => {
                let told: Vec<String> = objects.iter().take(OBJECTS_TOLD_MAX).map(Object::words).collect();
                let more = match objects.len() - told.len() {
                    0 => String::new(),
                    n => format!(", and {n} more"),
                };
                format!("{by_colour}; the object model names {}{more}", told.join(", "))
            }
        }
    }

    fn words_of_colour(&self) -> String {
        let camera = &self.camera;
        let sign = |what: &str, Sign { share, flicker_hz, growth, .. }: &Sign| {
            let percent = share * 100.0;
            format!(
                "{camera} sees {what} on {percent:.1} % of its picture, {growth:.1} times as much at the end of its look, \
                 flickering at {flicker_hz:.1} Hz"
            )
        };
        match &self.saw {
            Saw::Pictures(Evidence::Flame(seen)) => sign("flames", seen),
            Saw::Pictures(Evidence::Smoke(seen)) => sign("smoke", seen),
            Saw::Pictures(Evidence::Neither) => format!("{camera} sees neither flame nor smoke"),
            Saw::Pictures(Evidence::Unclear(why)) => format!("{camera} cannot tell: {}", unclear(*why)),
            Saw::Nothing(why) => format!("{camera} was not looked through: {why}"),
        }
    }
}

fn unclear(why: Unclear) -> &'static str {
    match why {
        Unclear::TooFewPictures => "too few pictures came",
        Unclear::Colourless => "its pictures have no colour",
        Unclear::Dark => "it is dark",
    }
}

#[cfg(test)]
mod tests {
    use outpost_detectors::observation::Blob;

    use super::*;

    fn looked(saw: Saw) -> Looked {
        let judged = Judged::Unasked;
        Looked { alert: "A-1".into(), camera: "cam:west".into(), saw, judged, pictures: Vec::new() }
    }

    fn named(saw: Saw, objects: &[(&str, ObjectKind, f32)]) -> Looked {
        let place = Blob { left: 0.25, top: 0.5, right: 0.375, bottom: 1.0, area: 0.0625 };
        let object = |(class, kind, score): &(&str, ObjectKind, f32)| Object {
            class: (*class).into(),
            kind: *kind,
            score: *score,
            place,
        };
        Looked { judged: Judged::Named(objects.iter().map(object).collect()), ..looked(saw) }
    }

    fn sign() -> Sign {
        Sign { share: 0.012, boxes: Vec::new(), flicker_hz: 3.2, growth: 1.5 }
    }

    #[test]
    fn what_is_confirmed_is_surer_and_what_is_not_less_sure() {
        let heat = Confidence::of_heat("cam:west");
        let after = |evidence| heat.after(&looked(Saw::Pictures(evidence)));
        let (flame, smoke) = (after(Evidence::Flame(sign())), after(Evidence::Smoke(sign())));
        assert!(flame.share > smoke.share && smoke.share > heat.share, "{flame:?} {smoke:?}");
        assert!(after(Evidence::Neither).share < heat.share);
        assert_eq!(after(Evidence::Unclear(Unclear::Dark)).share, heat.share);
        assert_eq!(heat.after(&looked(Saw::Nothing("it gave no picture"))).share, heat.share);
    }

    #[test]
    fn either_kind_of_evidence_confirms_and_both_count_once() {
        let heat = Confidence::of_heat("cam:west");
        let (fire, smoke) = (("fire", ObjectKind::Fire, 0.8), ("smoke", ObjectKind::Smoke, 0.9));
        let share = |looked: &Looked| heat.after(looked).share;
        let by_colour = |evidence| share(&looked(Saw::Pictures(evidence)));
        let both = |evidence, objects: &[_]| share(&named(Saw::Pictures(evidence), objects));
        let (flame, of_smoke) = (by_colour(Evidence::Flame(sign())), by_colour(Evidence::Smoke(sign())));
        for evidence in [Evidence::Neither, Evidence::Unclear(Unclear::Dark), Evidence::Smoke(sign())] {
            assert_eq!(both(evidence.clone(), &[smoke, fire]), flame, "{evidence:?}");
            assert_eq!(both(evidence.clone(), &[smoke]), of_smoke, "{evidence:?}");
        }
        assert_eq!(both(Evidence::Flame(sign()), &[smoke]), flame);
        for evidence in [
            Evidence::Flame(sign()),
            Evidence::Smoke(sign()),
            Evidence::Neither,
            Evidence::Unclear(Unclear::Colourless),
        ] {
            let alone = by_colour(evidence.clone());
            assert_eq!(both(evidence.clone(), &[]), alone, "a model that names nothing changes nothing: {evidence:?}");
            assert_eq!(both(evidence.clone(), &[("person", ObjectKind::Other, 0.9)]), alone);
            let silent = Looked { judged: Judged::Silent("it is late"), ..looked(Saw::Pictures(evidence)) };
            assert_eq!(share(&silent), alone);
        }
    }

    #[test]
    fn nothing_is_ever_certain() {
        let mut seen = Confidence::of_heat("cam:west");
        let mut unseen = seen.clone();
        for _ in 0..50 {
            seen = seen.after(&looked(Saw::Pictures(Evidence::Flame(sign()))));
            unseen = unseen.after(&looked(Saw::Pictures(Evidence::Neither)));
        }
        assert!((seen.share - 0.99).abs() < 1e-9 && (unseen.share - 0.01).abs() < 1e-9);
        let flame = seen.after(&looked(Saw::Pictures(Evidence::Flame(sign()))));
        assert!((flame.share - 0.99).abs() < 1e-9, "no division by nothing");
    }

    #[test]
    fn a_look_says_what_it_saw() {
        let words = |saw| looked(saw).words();
        assert_eq!(
            words(Saw::Pictures(Evidence::Flame(sign()))),
            "cam:west sees flames on 1.2 % of its picture, 1.5 times as much at the end of its look, flickering at 3.2 Hz"
        );
        let neither = || Saw::Pictures(Evidence::Neither);
        assert_eq!(
            named(neither(), &[("fire", ObjectKind::Fire, 0.834)]).words(),
            "cam:west sees neither flame nor smoke; the object model names fire (0.83) at 25 to 38 % across and 50 to 100 % down"
        );
        let many = named(neither(), &[("fire", ObjectKind::Fire, 0.5); 6]).words();
        assert!(many.ends_with(", and 3 more") && many.matches("fire (0.50)").count() == 3, "{many}");
        assert!(named(neither(), &[]).words().ends_with("the object model names neither fire nor smoke"));
        assert_eq!(words(Saw::Pictures(Evidence::Unclear(Unclear::Dark))), "cam:west cannot tell: it is dark");
        assert_eq!(words(Saw::Nothing("it is down")), "cam:west was not looked through: it is down");
    }
}
