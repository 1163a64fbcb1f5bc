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
        let Err(error) = Calendar::new(&calendar.zone, &calendar.holidays, &calendar.workdays) else { continue };
        let has = |dates: &[String], text: &str| dates.iter().position(|date| date == text);
        let place = match &error {
            CalendarError::Zone(_) => at.key("zone"),
            CalendarError::Dates(text) => match (has(&calendar.holidays, text), has(&calendar.workdays, text)) {
                (Some(i), _) => at.key("holidays").index(i),
                (_, Some(i)) => at.key("workdays").index(i),
                _ => at.clone(),
            },
            _ => at.clone(),
        };
        let hint = matches!(error, CalendarError::Zone(_))
            .then(|| "zones that change their clocks in summer are not known: give the offset that holds".to_owned());
        look.error_hint(&place, error.to_string(), hint);
    }
}

pub(super) fn check_active(look: &mut Look<'_>, at: &Path, active: &Active) {
    look.check_reference(&at.key("calendar"), "calendar", &active.calendar, "calendars");
    let Ok(calendar) = Calendar::new("UTC", &[], &[]) else { return };
    let calendar = Arc::new(calendar);
    let windows = at.key("windows");
    for (i, window) in active.windows.iter().enumerate() {
        if let Err(error) = Schedule::new(calendar.clone(), std::slice::from_ref(window)) {
            look.error(&windows.index(i), error.to_string());
        }
    }
    if Schedule::new(calendar, &active.windows).is_err_and(|error| error == CalendarError::Windows) {
        look.error(&windows, CalendarError::Windows.to_string());
    }
}
