//! What must hold of the file that the console writes, of the room for what drafts are tried on, and of the map.

use std::path::Path as FilePath;

use super::Outside;
use super::look::Look;
use super::tree::Path;
use crate::config::{BaseMap, Config, Console, CoordinateSystem};

const RECENT_BYTES_MIN: u64 = 1 << 20;
const RECENT_BYTES_MAX: u64 = 1 << 40;
/// Tiles of a metre.
const ZOOM_MAX: u8 = 24;

pub(super) fn check(look: &mut Look<'_>, console: &Console) {
    let at = Path::default().key("console");
    if let Some(room) = console.recent {
        look.check_bytes(&at.key("recent"), room, RECENT_BYTES_MIN, RECENT_BYTES_MAX);
    }
    if let Some(map) = &console.map {
        check_map(look, &at.key("map"), map);
    }
    let Some(annex) = &console.annex else { return };
    let at = at.key("annex");
    if annex.extension().is_none_or(|extension| extension != "toml") {
        return look.error(&at, "the console writes TOML: its name ends in .toml");
    }
    let folder = look.file.parent().unwrap_or(FilePath::new(""));
    if folder.join(annex) == look.file {
        look.error(&at, "this is the file itself, which only people write");
    }
}

fn check_map(look: &mut Look<'_>, at: &Path, map: &BaseMap) {
    look.check_within(&at.key("zoom_max"), map.zoom_max, 0, ZOOM_MAX);
    if map.coordinates == CoordinateSystem::Bd09 {
        look.error(
            &at.key("coordinates"),
            "Baidu's tiles have a grid of their own, which is not drawn: wgs84 or gcj02",
        );
    }
    let folder = look.file.parent().unwrap_or(FilePath::new("")).to_owned();
    let is_looked_at = look.outside == Outside::Looked && map.is_one_file();
    let fault = if is_looked_at { map.fault_of_file(&folder) } else { map.fault_of_path() };
    if let Some(fault) = fault {
        look.error(&at.key("tiles"), fault);
    }
}

/// Where the map is, for who serves it.
pub(super) fn keep(config: &mut Config, file: &FilePath) {
    if let Some(map) = &mut config.console.map {
        map.tiles = file.parent().unwrap_or(FilePath::new("")).join(&map.tiles);
    }
}
