//! What must hold of those outside who may report: keys of their own, services and kinds with a category, pointers that are some.

use std::collections::HashSet;

use super::look::Look;
use super::tree::Path;
use crate::config::{Config, Intake, Open311};
use crate::decode::check_pointer;

const ENTRIES_MAX: usize = 1_000;
const PER_MINUTE_MAX: u32 = 100_000;

pub(super) fn check(look: &mut Look<'_>, config: &Config) {
    if let Some(open311) = &config.open311 {
        check_open311(look, &Path::default().key("open311"), open311);
    }
    let intake = &config.intake;
    let paths: Vec<_> = (0..intake.len()).map(|i| look.shape.origin("intake", i)).collect();
    look.check_within(&Path::default().key("intake"), intake.len(), 0, ENTRIES_MAX);
    look.check_ids(paths.iter().cloned().zip(intake.iter().map(|intake| intake.id.as_str())));
    for (at, intake) in paths.iter().zip(intake) {
        check_intake(look, at, intake);
    }
    for (i, pattern) in config.desk.private.iter().enumerate() {
        super::desk::check_pattern(look, &Path::default().key("desk").key("private").index(i), pattern);
    }
}

fn check_open311(look: &mut Look<'_>, at: &Path, open311: &Open311) {
    look.check_within(&at.key("per_minute"), open311.per_minute, 1, PER_MINUTE_MAX);
    look.check_within(&at.key("keys"), open311.keys.len(), 0, ENTRIES_MAX);
    look.check_within(&at.key("services"), open311.services.len(), 1, ENTRIES_MAX);
    let keys = open311.keys.iter().enumerate().map(|(i, key)| (at.key("keys").index(i), key.id.as_str()));
    look.check_ids(keys);
    for (i, key) in open311.keys.iter().enumerate() {
        look.check_secret(&at.key("keys").index(i).key("token"), Some(&key.token));
    }
    let mut codes = HashSet::new();
    for (i, service) in open311.services.iter().enumerate() {
        let at = at.key("services").index(i);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if service.code.is_empty() || !service.code.chars().all(is_plain) {
            look.error(&at.key("code"), "is made of letters, digits, \"-\" and \"_\": it stands in addresses");
        }
        if !codes.insert(service.code.as_str()) {
            look.error(&at.key("code"), format!("{:?} is used twice", service.code));
        }
        check_filled(look, &at.key("name"), &service.name);
        check_filled(look, &at.key("category"), &service.category);
    }
}

fn check_intake(look: &mut Look<'_>, at: &Path, intake: &Intake) {
    look.check_secret(&at.key("token"), intake.token.as_ref());
    let pointers = [
        ("items", Some(&intake.items)),
        ("key", Some(&intake.key)),
        ("title", Some(&intake.title)),
        ("text", intake.text.as_ref()),
        ("address", intake.address.as_ref()),
        ("lon", intake.lon.as_ref()),
        ("lat", intake.lat.as_ref()),
        ("kind", intake.kind.as_ref()),
    ];
    for (key, pointer) in pointers {
        if let Some(Err(problem)) = pointer.map(|pointer| check_pointer(pointer)) {
            look.error(&at.key(key), problem);
        }
    }
    if intake.lon.is_some() != intake.lat.is_some() {
        look.error(at, "lon and lat come together");
    }
    look.check_within(&at.key("kinds"), intake.kinds.len(), 1, ENTRIES_MAX);
    let mut names = HashSet::new();
    for (i, kind) in intake.kinds.iter().enumerate() {
        let at = at.key("kinds").index(i);
        check_filled(look, &at.key("category"), &kind.category);
        if !names.insert(kind.is.as_str()) {
            look.error(&at.key("is"), format!("{:?} is used twice", kind.is));
        }
    }
}

fn check_filled(look: &mut Look<'_>, at: &Path, text: &str) {
    if text.trim().is_empty() {
        look.error(at, "must not be empty");
    }
}
