//! What must hold of rules that look at pictures: their cameras have what they name, and what they look for can be.

use outpost_fences::picture::ground::PAIRS_MAX;

use super::look::Look;
use super::tree::Path;
use super::words::{did_you_mean, one_of};
use crate::config::{Camera, Detect, Span, Things};
use crate::pipeline::picture::ground;

/// Points of one line.
const POINTS_MAX: usize = 256;
/// Shortest and longest window in which is counted.
const PER_MIN: Span = Span::from_ms(60_000);
const PER_MAX: Span = Span::from_ms(86_400_000);
/// Things of a crowd: what moves beyond it is not told apart.
const COUNT_MAX: usize = outpost_detectors::blob::BLOBS_MAX;
/// Error of a camera's ground that is worth a word, metres.
const GROUND_ERROR_M_MAX: f64 = 2.0;

/// `cameras`: those of the rule.
pub(super) fn check(look: &mut Look<'_>, at: &Path, detect: &Detect, cameras: &[&Camera]) {
    if let Some(things) = detect.things() {
        check_things(look, &at.key("things"), things, cameras);
    }
    if let Some(zone) = detect.zone() {
        check_named(look, &at.key("zone"), ("zone", zone), cameras, |camera| {
            camera.zones.iter().map(|zone| zone.id.as_str()).collect()
        });
    }
    if let Some((key, line)) = detect.line() {
        check_named(look, &at.key(key), ("line", line), cameras, |camera| {
            camera.lines.iter().map(|line| line.id.as_str()).collect()
        });
    }
    match detect {
        Detect::Loitering { longer_than, .. } | Detect::ObjectLeft { longer_than, .. } => {
            look.check_positive(&at.key("for"), *longer_than);
            let soonest = cameras.iter().min_by_key(|camera| camera.absorb_after);
            if let Some(camera) = soonest.filter(|camera| camera.absorb_after <= *longer_than) {
                let cause = format!(
                    "camera {:?} no longer sees what stands still for {}s: the rule waits for longer than that",
                    camera.id,
                    camera.absorb_after.ms() / 1000
                );
                let hint = Some(format!("absorb_after of the camera must be longer than {}s", longer_than.ms() / 1000));
                look.error_hint(&at.key("for"), cause, hint);
            }
        }
        Detect::Crowd { count, share, .. } => {
            if count.is_none() && share.is_none() {
                look.error(at, "a crowd needs count or share");
            }
            if let Some(count) = count {
                look.check_within(&at.key("count"), *count, 1, COUNT_MAX);
            }
            if let Some(share) = share {
                look.check_within(&at.key("share"), *share, 0.01, 1.0);
            }
        }
        Detect::LineCrossing { band, .. } => look.check_within(&at.key("band"), *band, 0.0, 0.5),
        Detect::Counting { n, per, band, .. } => {
            look.check_within(&at.key("n"), *n, 1, u64::from(u32::MAX));
            look.check_within(&at.key("band"), *band, 0.0, 0.5);
            if !(PER_MIN..=PER_MAX).contains(per) || PER_MAX.ms() % per.ms().max(1) != 0 {
                look.error(&at.key("per"), "must be 60s to 24h, and the day a whole number of them");
            }
        }
        Detect::WrongWay { distance, .. } => look.check_within(&at.key("distance"), *distance, 0.01, 2.0),
        _ => {}
    }
}

/// Lines and ground of a camera.
pub(super) fn check_camera(look: &mut Look<'_>, at: &Path, camera: &Camera) {
    let lines = at.key("lines");
    look.check_ids(camera.lines.iter().enumerate().map(|(j, line)| (lines.index(j), line.id.as_str())));
    for (j, line) in camera.lines.iter().enumerate() {
        let at = lines.index(j).key("points");
        if line.points.len() > POINTS_MAX {
            look.error(&at, format!("a line has at most {POINTS_MAX} points, this one has {}", line.points.len()));
        } else if let Err(problem) = outpost_fences::PictureLine::new(&line.points) {
            look.error(&at, problem.to_string());
        }
    }
    let least = Span::from_ms(outpost_detectors::background::ABSORB_MS_MIN);
    let most = Span::from_ms(outpost_detectors::background::ABSORB_MS_MAX);
    if !(least..=most).contains(&camera.absorb_after) {
        look.error(&at.key("absorb_after"), format!("must be {}s to {}h", least.ms() / 1000, most.ms() / 3_600_000));
    }
    check_ground(look, &at.key("ground"), camera);
}

fn check_ground(look: &mut Look<'_>, at: &Path, camera: &Camera) {
    for (j, pair) in camera.ground.iter().enumerate() {
        look.check_place(&at.index(j).key("place"), Some(pair.place));
    }
    let is_on_globe = |[lon, lat]: [f64; 2]| outpost_fences::Point::new(lon, lat).is_some();
    if camera.ground.is_empty() || !camera.ground.iter().all(|pair| is_on_globe(pair.place)) {
        return;
    }
    match ground(&camera.ground) {
        Err(problem) => {
            let hint = (4..=PAIRS_MAX).contains(&camera.ground.len()).then(|| {
                "each pair is a place in the picture and the longitude and latitude of that place on the map".to_owned()
            });
            look.error_hint(at, problem, hint);
        }
        Ok(ground) if ground.error_m() > GROUND_ERROR_M_MAX => {
            let (worst, metres) = ground.worst();
            let cause = format!("the pairs miss their places on the map by {:.1} m", ground.error_m());
            let hint = Some(format!("most of all pair {worst}, counted from 0, by {metres:.1} m"));
            look.warn(at, cause, hint);
        }
        Ok(_) => {}
    }
}

fn check_things(look: &mut Look<'_>, at: &Path, things: &Things, cameras: &[&Camera]) {
    look.check_within(&at.key("min_area"), things.min_area, 0.0, 1.0);
    look.check_within(&at.key("max_area"), things.max_area, things.min_area.min(1.0), 1.0);
    if let Some(overlap) = things.overlap {
        look.check_within(&at.key("overlap"), overlap, 0.01, 1.0);
    }
    let as_f64 = |size: Option<[u32; 2]>| size.map(|size| size.map(f64::from));
    let sizes = [("max_px", as_f64(things.min_px), as_f64(things.max_px)), ("max_m", things.min_m, things.max_m)];
    for (key, least, most) in sizes {
        let ([least_width, least_height], Some([width, height])) = (least.unwrap_or_default(), most) else { continue };
        // NaN compares false.
        if !(width >= least_width && height >= least_height && width > 0.0 && height > 0.0) {
            look.error(&at.key(key), "width and height must be more than 0 and not less than the least ones");
        }
    }
    if things.min_m.is_some_and(|size| !size.iter().all(|metres| *metres >= 0.0)) {
        look.error(&at.key("min_m"), "width and height must not be negative");
    }
    if things.min_m.is_none() && things.max_m.is_none() {
        return;
    }
    if let Some(camera) = cameras.iter().find(|camera| camera.ground.is_empty()) {
        let key = if things.min_m.is_some() { "min_m" } else { "max_m" };
        let cause = format!("camera {:?} does not know its ground, and nothing has a size in metres", camera.id);
        look.error_hint(&at.key(key), cause, Some("give it four or more pairs in ground, or use min_px".to_owned()));
    }
}

fn check_named<'c>(
    look: &mut Look<'_>,
    at: &Path,
    (what, id): (&str, &str),
    cameras: &[&'c Camera],
    names: impl Fn(&'c Camera) -> Vec<&'c str>,
) {
    let known: Vec<&str> = cameras.iter().flat_map(|camera| names(camera)).collect();
    if !cameras.is_empty() && !known.contains(&id) {
        let hint = did_you_mean(id, &known).or_else(|| one_of("there are", &known));
        look.error_hint(at, format!("no camera of this rule has a {what} {id:?}"), hint);
    }
}
