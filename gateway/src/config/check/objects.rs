//! What must hold of the object model, which is read and tried here.

use std::path::Path as FilePath;
use std::sync::Arc;

use super::Outside;
use super::look::Look;
use super::tree::Path;
use super::words::did_you_mean;
use crate::config::{Config, Objects, Span};

/// A lower one makes boxes of noise.
const SCORE_MIN: f64 = 0.01;

/// How long a look waits for the model.
const TIMEOUT_MIN: Span = Span::from_ms(100);
const TIMEOUT_MAX: Span = Span::from_ms(60_000);

pub(super) fn check(look: &mut Look<'_>, config: &Config) {
    let Some(objects) = &config.objects else { return };
    let at = Path::default().key("objects");
    look.check_within(&at.key("score_min"), objects.score_min, SCORE_MIN, 1.0);
    look.check_within(&at.key("overlap_max"), objects.overlap_max, 0.0, 1.0);
    if !(TIMEOUT_MIN..=TIMEOUT_MAX).contains(&objects.timeout) {
        look.error(&at.key("timeout"), "must be 100ms to 60s");
    }
    if let Some(both) = objects.fire.iter().find(|class| objects.smoke.contains(class)) {
        look.error(&at.key("smoke"), format!("{both:?} is fire already"));
    }
    if look.outside == Outside::Skipped {
        return;
    }
    let folder = folder(look.file).to_owned();
    if let Ok(names) = objects.names(&folder) {
        check_classes(look, &at, objects, &names);
    }
    if let Err((key, message)) = objects.load(&folder) {
        look.error(&at.key(key), message);
    }
}

fn check_classes(look: &mut Look<'_>, at: &Path, objects: &Objects, names: &[String]) {
    for (key, classes) in [("fire", &objects.fire), ("smoke", &objects.smoke)] {
        for (i, class) in classes.iter().enumerate().filter(|(_, class)| !names.contains(class)) {
            let hint = did_you_mean(class, names);
            look.error_hint(&at.key(key).index(i), format!("the model has no class {class:?}"), hint);
        }
    }
    if objects.fire.is_empty() && objects.smoke.is_empty() {
        look.warn(at, "no class is fire or smoke: no look asks the model", None);
    }
}

/// The model as its users need it at hand.
pub(super) fn keep(config: &mut Config, file: &FilePath) {
    if let Some(objects) = &mut config.objects {
        objects.loaded = objects.load(folder(file)).ok().map(Arc::new);
    }
}

fn folder(file: &FilePath) -> &FilePath {
    file.parent().unwrap_or(FilePath::new(""))
}
