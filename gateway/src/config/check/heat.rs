//! What must hold of rules about heat: that something can be hot, and that areas are areas.

use outpost_detectors::hotspot::trace::FRAMES_MAX;

use super::calendars;
use super::look::Look;
use super::tree::Path;
use crate::config::{Detect, HotArea, SurfaceOf};
use crate::decode::SIDE_MAX;

/// Frames before and after the moment: one of 640 by 512 takes 1.3 MB of memory while it waits, and some 60 kB of disk.
const SHOWS_MAX: usize = 8;
/// Areas of a rule, and shields; each is looked at with every frame.
const AREAS_MAX: usize = 64;
const CORNERS_MAX: usize = 64;

/// `has_levels`: a camera of the rule tells warmer from colder, and no degrees.
pub(super) fn check(look: &mut Look<'_>, at: &Path, detect: &Detect, has_levels: bool) {
    let Detect::Hotspot {
        above,
        over_background,
        pixels_min,
        areas,
        shields,
        unlike,
        frames,
        of,
        grows,
        travels_max,
        flickers,
        shows,
        ..
    } = detect
    else {
        return;
    };
    limits(look, at, *above, *over_background);
    let degrees = above.is_some().then(|| at.key("above"));
    let of_areas = areas.iter().enumerate().flat_map(|(i, area)| {
        let at = at.key("areas").index(i);
        let keys = [("above", area.above.is_some()), ("surface", area.surface.is_some())];
        keys.into_iter().filter(|(_, is_given)| *is_given).map(move |(key, _)| at.key(key))
    });
    for at in degrees.into_iter().chain(of_areas).filter(|_| has_levels) {
        let hint = "over_background counts levels of 255 there".to_owned();
        look.error_hint(&at, "a camera of this rule is white-hot: it tells no degrees", Some(hint));
    }
    look.check_within(&at.key("pixels_min"), *pixels_min, 1, SIDE_MAX * SIDE_MAX);
    let has_own = |area: &HotArea| area.above.or(area.over_background).is_some();
    let has_limit = above.or(*over_background).is_some();
    if !has_limit && (areas.is_empty() || !areas.iter().all(has_own)) {
        look.error(at, "a hotspot needs above or over_background, or areas that each have one");
    }
    if unlike.is_some_and(|kelvin| !(kelvin.is_finite() && kelvin > 0.0)) {
        look.error(&at.key("unlike"), "must be more than 0 kelvin");
    }
    if unlike.is_some() && areas.len() < 2 {
        look.error(&at.key("unlike"), "compares areas with each other: give at least two");
    }
    for (key, n) in [("areas", areas.len()), ("shields", shields.len())] {
        if n > AREAS_MAX {
            look.error(&at.key(key), format!("{n} of them, at most {AREAS_MAX} are looked at"));
        }
    }
    for (i, area) in areas.iter().enumerate() {
        let at = at.key("areas").index(i);
        limits(look, &at, area.above, area.over_background);
        polygon(look, &at.key("polygon"), &area.polygon);
        if let Some(pixels_min) = area.pixels_min {
            look.check_within(&at.key("pixels_min"), pixels_min, 1, SIDE_MAX * SIDE_MAX);
        }
        surface(look, &at.key("surface"), area.surface);
        if areas[..i].iter().any(|earlier| earlier.name == area.name) {
            look.error(&at.key("name"), format!("there is another area {:?}", area.name));
        }
    }
    for (i, shield) in shields.iter().enumerate() {
        let at = at.key("shields").index(i);
        polygon(look, &at.key("polygon"), &shield.polygon);
        if let Some(active) = &shield.active {
            calendars::check_active(look, &at.key("active"), active);
        }
    }
    for (key, n) in [("before", shows.before), ("after", shows.after)] {
        look.check_within(&at.key("shows").key(key), n, 0, SHOWS_MAX);
    }
    look.check_within(&at.key("frames"), *frames, 1, FRAMES_MAX);
    look.check_within(&at.key("of"), of.unwrap_or(*frames), *frames, FRAMES_MAX);
    if let Some(grows) = grows {
        if !(grows.factor.is_finite() && grows.factor > 1.0) {
            look.error(&at.key("grows").key("factor"), "must be more than 1");
        }
        look.check_positive(&at.key("grows").key("within"), grows.within);
    }
    for (key, share) in [("travels_max", travels_max), ("flickers", flickers)] {
        if share.is_some_and(|share| !(share > 0.0 && share <= 1.0)) {
            look.error(&at.key(key), "is a share over 0 and at most 1");
        }
    }
}

pub(super) fn surface(look: &mut Look<'_>, at: &Path, surface: Option<SurfaceOf>) {
    if let Some((key, what)) = surface.and_then(|surface| surface.fault()) {
        look.error(&at.key(key), what);
    }
}

fn limits(look: &mut Look<'_>, at: &Path, above: Option<f64>, over_background: Option<f64>) {
    if above.is_some_and(|above| !above.is_finite()) {
        look.error(&at.key("above"), "must be a finite number");
    }
    if over_background.is_some_and(|kelvin| !(kelvin.is_finite() && kelvin > 0.0)) {
        look.error(&at.key("over_background"), "must be more than 0 kelvin");
    }
}

fn polygon(look: &mut Look<'_>, at: &Path, polygon: &[[f32; 2]]) {
    if !(3..=CORNERS_MAX).contains(&polygon.len()) {
        look.error(at, format!("a polygon has 3 to {CORNERS_MAX} corners"));
    }
    if polygon.iter().flatten().any(|share| !(0.0..=1.0).contains(share)) {
        look.error(at, "corners are shares of the picture: 0..1");
    }
}
