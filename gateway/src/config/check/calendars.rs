//! What must hold of calendars and of the hours of rules: that they are dates and hours.

use std::sync::Arc;

use outpost_fences::track::calendar::{Calendar, CalendarError, Schedule};

use super::look::Look;
use super::tree::Path;
use crate::config::{Active, Config};

pub(super) fn check(look: &mut Look<'_>, config: &Config) {
    let paths: Vec<_> = (0..config.calendars.len()).map(|i| look.shape.origin("calendars", i)).collect();
    look.check_ids(paths.iter().cloned().zip(config.calendars.iter().map(|calendar| calendar.id.as_str())));
    for (at, calendar) in paths.iter().zip(&config.calendars) {
        let mut is_sound = |place: &Path, made: Result<Calendar, CalendarError>, hint: Option<&str>| {
            made.map_err(|error| look.error_hint(place, error.to_string(), hint.map(str::to_owned))).is_ok()
        };
        let hint = "names are those of the tz database: continent, slash, city";
        let mut are_sound = is_sound(&at.key("zone"), Calendar::new(&calendar.zone, &[], &[]), Some(hint));
        for (key, dates) in [("holidays", &calendar.holidays), ("workdays", &calendar.workdays)] {
            for (i, date) in dates.iter().enumerate() {
                are_sound &=
                    is_sound(&at.key(key).index(i), Calendar::new("UTC", std::slice::from_ref(date), &[]), None);
            }
        }
        if are_sound {
            is_sound(at, Calendar::new(&calendar.zone, &calendar.holidays, &calendar.workdays), None);
        }
    }
}

pub(super) fn check_active(look: &mut Look<'_>, at: &Path, active: &Active) {
    look.check_reference(&at.key("calendar"), "calendar", &active.calendar, "calendars");
    check_windows(look, &at.key("windows"), &active.windows);
}

pub(super) fn check_windows(look: &mut Look<'_>, at: &Path, windows: &[String]) {
    let Ok(calendar) = Calendar::new("UTC", &[], &[]) else { return };
    let calendar = Arc::new(calendar);
    for (i, window) in windows.iter().enumerate() {
        if let Err(error) = Schedule::new(calendar.clone(), std::slice::from_ref(window)) {
            look.error(&at.index(i), error.to_string());
        }
    }
    if Schedule::new(calendar, windows).is_err_and(|error| error == CalendarError::Windows) {
        look.error(at, CalendarError::Windows.to_string());
    }
}
