//! What must hold of the file that the console writes, and of the room for what drafts are tried on.

use std::path::Path as FilePath;

use super::look::Look;
use super::tree::Path;
use crate::config::Console;

const RECENT_BYTES_MIN: u64 = 1 << 20;
const RECENT_BYTES_MAX: u64 = 1 << 40;

pub(super) fn check(look: &mut Look<'_>, console: &Console) {
    let at = Path::default().key("console");
    if let Some(room) = console.recent {
        look.check_bytes(&at.key("recent"), room, RECENT_BYTES_MIN, RECENT_BYTES_MAX);
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
