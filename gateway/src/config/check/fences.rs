//! What must hold of the fence files: they exist, their shapes are sound, and their ids are told to those that name them.

use std::path::Path as FilePath;

use outpost_fences::outline::{self, Repair};
use outpost_fences::{Fence, Shape, agreement};

use super::Outside;
use super::look::Look;
use super::tree::{Path, Step};
use super::words::{did_you_mean, one_of};
use crate::config::Config;

/// Fences outside the district that are told one by one.
const BEYOND_TOLD_MAX: usize = 20;

/// What rules can name.
pub(super) struct Known {
    pub(super) id: String,
    pub(super) is_line: bool,
}

/// All fences; none where they are not known.
pub(super) fn check(look: &mut Look<'_>, config: &Config) -> Option<Vec<Known>> {
    if look.outside == Outside::Skipped {
        return None;
    }
    let folder = look.file.parent().unwrap_or(FilePath::new("")).to_owned();
    let (mut known, mut is_complete) =
        (Vec::<Known>::new(), !look.shape.has_fault_beneath(&Path::default().key("fences")));
    let mut files: Vec<(Path, Vec<Fence>)> = Vec::new();
    for (i, entry) in config.fences.iter().enumerate() {
        let at = look.shape.origin("fences", i);
        if entry.file.is_some() == entry.geojson.is_some() {
            is_complete = false;
            look.error(&at, "fences are in a file or drawn here: either file or geojson");
            continue;
        }
        let at = at.key(if entry.file.is_some() { "file" } else { "geojson" });
        let parsed = match entry.text(&folder) {
            Ok(text) => entry.parse(&text),
            Err(error) => {
                is_complete = false;
                let is_relative = entry.file.as_ref().is_some_and(|file| file.is_relative());
                let hint = is_relative.then(|| "a path is relative to the configuration's folder".to_owned());
                look.error_hint(&at, error, hint);
                continue;
            }
        };
        for problem in &parsed.problems {
            let message = match &entry.file {
                Some(file) => format!("{}: {problem}", file.display()),
                None => problem.to_string(),
            };
            if problem.is_fatal() {
                is_complete = false;
                look.error(&at, message);
            } else {
                look.warn(&at, message, None);
            }
        }
        if parsed.fences.is_empty() && parsed.problems.is_empty() {
            look.warn(&at, format!("there is no fence in {}", entry.name()), None);
        }
        for fence in &parsed.fences {
            let id = fence.id.to_string();
            if known.iter().any(|known| known.id == id) {
                look.error(&at, format!("fence {id:?} is already in an earlier file"));
            }
            known.push(Known { id, is_line: matches!(fence.shape, Shape::Line(_)) });
        }
        files.push((at, parsed.fences));
    }
    check_agreement(look, &files);
    if is_complete {
        check_outline(look, config, &files);
    }
    is_complete.then_some(known)
}

/// Files that are drawn in another system than they say lie some hundred metres beside their neighbours; what was drawn
/// elsewhere, or with longitude and latitude swapped, far from all others.
fn check_agreement(look: &mut Look<'_>, files: &[(Path, Vec<Fence>)]) {
    for (i, (at, ours)) in files.iter().enumerate().filter(|(_, (at, _))| !is_drawn(at)) {
        let theirs = files.iter().enumerate().filter(|(j, _)| *j != i).flat_map(|(_, (_, fences))| fences);
        if let Some(shift) = agreement::shift(ours.iter(), theirs) {
            let name = shift.seems.name();
            let message = format!(
                "its borders are {:.0} m off those of the other files, and {:.0} m if it is read as {name}",
                shift.apart_m, shift.converted_m
            );
            look.warn(at, message, Some(format!("if its map was {name}, write coordinates = {name:?}")));
        }
    }
    let all: Vec<&Fence> = files.iter().flat_map(|(_, fences)| fences).collect();
    let astray = agreement::astray(&all);
    for (at, fences) in files {
        for fence in fences.iter().filter(|fence| astray.iter().any(|far| std::ptr::eq(*far, *fence))) {
            let bounds = fence.bounds();
            let message = format!(
                "fence {:?} ({:?}) is hundreds of kilometres from the others, at {:.4},{:.4}",
                fence.id, fence.name, bounds.west, bounds.south
            );
            look.warn(at, message, Some("see that its longitude comes before its latitude".to_owned()));
        }
    }
}

/// Drawn in the configuration itself, on this console's own map.
fn is_drawn(at: &Path) -> bool {
    matches!(at.0.last(), Some(Step::Key(key)) if key == "geojson")
}

/// Each fence must lie in the district's outline, if there is one.
fn check_outline(look: &mut Look<'_>, config: &Config, files: &[(Path, Vec<Fence>)]) {
    let Some(id) = &config.district.outline else { return };
    let all = || files.iter().flat_map(|(at, fences)| fences.iter().map(move |fence| (at, fence)));
    let at = Path::default().key("district").key("outline");
    let Some((_, outline)) = all().find(|(_, fence)| *fence.id == **id) else {
        let ids: Vec<&str> = all().map(|(_, fence)| &*fence.id).collect();
        let hint = did_you_mean(id, &ids).or_else(|| one_of("there are", &ids));
        return look.error_hint(&at, format!("there is no fence {id:?}"), hint);
    };
    if outline.shape.polygons().is_empty() {
        return look.error(&at, format!("fence {id:?} is no polygon"));
    }
    let astray = all().filter_map(|(at, fence)| Some((at, fence, outline::beyond(fence, outline)?)));
    let astray: Vec<_> = astray.collect();
    for (at, fence, beyond) in astray.iter().take(BEYOND_TOLD_MAX) {
        let outline::Beyond { n_beyond, n_corners, farthest, beyond_m, repair } = beyond;
        let name = if *fence.name == *fence.id { String::new() } else { format!(" ({:?})", fence.name) };
        let message = format!(
            "fence {:?}{name} is outside the district {id:?}: {n_beyond} of {n_corners} corners, the farthest by {beyond_m:.0} m \
             at {:.6},{:.6}",
            fence.id, farthest.lon, farthest.lat
        );
        let hint = match repair {
            Repair::ReadAs(system) => {
                let name = system.name();
                format!("read as {name} it is inside: write coordinates = {name:?} for its file")
            }
            Repair::Swap => "with latitude and longitude swapped it is inside: write longitude first".to_owned(),
            Repair::MoveTo(place) => {
                format!("clip it at the outline, which is nearest at {:.6},{:.6}", place.lon, place.lat)
            }
        };
        look.error_hint(at, message, Some(hint));
    }
    if astray.len() > BEYOND_TOLD_MAX {
        look.error(&at, format!("{} further fences are outside the district", astray.len() - BEYOND_TOLD_MAX));
    }
}
