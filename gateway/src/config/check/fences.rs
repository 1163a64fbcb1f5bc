//! What must hold of the fence files: they exist, their shapes are sound, and their ids are told to those that name them.

use std::path::Path as FilePath;

use outpost_fences::geojson;

use super::Outside;
use super::look::Look;
use crate::config::Config;

/// Largest fence file that a check reads.
const FENCE_FILE_BYTES_MAX: u64 = 256 << 20;

/// The ids of all fences; none where they are not known.
pub(super) fn check(look: &mut Look<'_>, config: &Config) -> Option<Vec<String>> {
    if look.outside == Outside::Skipped {
        return None;
    }
    let folder = look.file.parent().unwrap_or(FilePath::new("")).to_owned();
    let (mut known, mut is_complete) =
        (Vec::new(), !look.shape.has_fault_beneath(&super::tree::Path::default().key("fences")));
    for (i, entry) in config.fences.iter().enumerate() {
        let at = look.shape.origin("fences", i).key("file");
        let path = folder.join(&entry.file);
        let parsed = match read(&path) {
            Ok(text) => geojson::parse(&text),
            Err(error) => {
                is_complete = false;
                let hint =
                    entry.file.is_relative().then(|| "a path is relative to the configuration's folder".to_owned());
                look.error_hint(&at, error, hint);
                continue;
            }
        };
        for problem in &parsed.problems {
            let message = format!("{}: {problem}", entry.file.display());
            if problem.is_fatal() {
                is_complete = false;
                look.error(&at, message);
            } else {
                look.warn(&at, message, None);
            }
        }
        if parsed.fences.is_empty() && parsed.problems.is_empty() {
            look.warn(&at, format!("there is no fence in {}", entry.file.display()), None);
        }
        for fence in parsed.fences {
            let id = fence.id.to_string();
            if known.contains(&id) {
                look.error(&at, format!("fence {id:?} is already in an earlier file"));
            }
            known.push(id);
        }
    }
    is_complete.then_some(known)
}

fn read(path: &FilePath) -> Result<String, String> {
    let told = |cause: &dyn std::fmt::Display| format!("cannot read {}: {cause}", path.display());
    let n_bytes = std::fs::metadata(path).map_err(|cause| told(&cause))?.len();
    if n_bytes > FENCE_FILE_BYTES_MAX {
        return Err(told(&format!("{n_bytes} bytes, at most {FENCE_FILE_BYTES_MAX} are read")));
    }
    std::fs::read_to_string(path).map_err(|cause| told(&cause))
}
