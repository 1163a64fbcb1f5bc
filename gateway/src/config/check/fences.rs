//! What must hold of the fence files: they exist, and the ids in them are read, so that rules can name them.

use std::path::Path as FilePath;

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
        match fence_ids(&path) {
            Ok(ids) => {
                if ids.is_empty() {
                    look.warn(&at, format!("there is no fence in {}", entry.file.display()), None);
                }
                for id in ids {
                    if known.contains(&id) {
                        look.error(&at, format!("fence {id:?} is already in an earlier file"));
                    }
                    known.push(id);
                }
            }
            Err(error) => {
                is_complete = false;
                let hint =
                    entry.file.is_relative().then(|| "a path is relative to the configuration's folder".to_owned());
                look.error_hint(&at, error, hint);
            }
        }
    }
    is_complete.then_some(known)
}

/// The ids of the fences in a GeoJSON file, in its order. Looks no further than at what names a fence: shapes are
/// checked where fences are made.
pub fn fence_ids(path: &FilePath) -> Result<Vec<String>, String> {
    let told = |cause: &dyn std::fmt::Display| format!("cannot read {}: {cause}", path.display());
    let n_bytes = std::fs::metadata(path).map_err(|cause| told(&cause))?.len();
    if n_bytes > FENCE_FILE_BYTES_MAX {
        return Err(told(&format!("{n_bytes} bytes, at most {FENCE_FILE_BYTES_MAX} are read")));
    }
    let text = std::fs::read_to_string(path).map_err(|cause| told(&cause))?;
    let document: serde_json::Value =
        serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(&text)).map_err(|cause| told(&cause))?;
    let features = match document.get("features").and_then(serde_json::Value::as_array) {
        Some(features) => features.as_slice(),
        None => std::slice::from_ref(&document),
    };
    Ok(features.iter().filter_map(feature_id).collect())
}

fn feature_id(feature: &serde_json::Value) -> Option<String> {
    let id = feature.get("id").or_else(|| feature.get("properties")?.get("id"))?;
    match id {
        serde_json::Value::String(id) => Some(id.clone()),
        serde_json::Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}
