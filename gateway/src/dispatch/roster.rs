//! Who can be sent: people with the role handler, what for, and when they are on duty. As it is configured; nothing of it
//! changes while the gateway runs.

use std::collections::HashMap;
use std::sync::Arc;

use outpost_fences::track::calendar::{Calendar, Schedule};

use crate::config::pattern::SourcePattern;
use crate::config::{Config, Officers, Role};
use crate::nouns::SaidDuty;

#[derive(Debug)]
pub struct Roster {
    officers: HashMap<Arc<str>, Officer>,
    by_terminal: HashMap<Arc<str>, Arc<str>>,
    pub limits: Officers,
}

#[derive(Debug)]
pub struct Officer {
    pub id: Arc<str>,
    pub name: Arc<str>,
    pub centre: Arc<str>,
    /// Their own id where they are of no unit.
    pub unit: Arc<str>,
    pub roles: Vec<Role>,
    /// The source whose positions are theirs.
    pub terminal: Option<Arc<str>>,
    skills: Vec<SourcePattern>,
    /// Always where there is none.
    duty: Option<Schedule>,
    overtime_ms: i64,
}

impl Roster {
    /// Of a checked configuration.
    pub fn new(config: &Config) -> Roster {
        let calendar = config.calendars.iter().find(|calendar| Some(&calendar.id) == config.desk.calendar.as_ref());
        let calendar = calendar.and_then(|c| Calendar::new(&c.zone, &c.holidays, &c.workdays).ok()).map(Arc::new);
        let mut roster =
            Roster { officers: HashMap::new(), by_terminal: HashMap::new(), limits: config.desk.officers.clone() };
        for person in config.people.iter().filter(|person| person.roles.contains(&Role::Handler)) {
            let id: Arc<str> = person.id.as_str().into();
            let duty = calendar.as_ref().filter(|_| !person.duty.is_empty());
            let officer = Officer {
                id: id.clone(),
                name: person.name.as_str().into(),
                centre: person.centre.as_str().into(),
                unit: person.unit.as_deref().unwrap_or(&person.id).into(),
                roles: person.roles.clone(),
                terminal: person.terminal.as_deref().map(Into::into),
                skills: person.skills.iter().filter_map(|skill| SourcePattern::parse(skill).ok()).collect(),
                duty: duty.and_then(|calendar| Schedule::new(calendar.clone(), &person.duty).ok()),
                overtime_ms: roster.limits.overtime.ms(),
            };
            if let Some(terminal) = &officer.terminal {
                roster.by_terminal.insert(terminal.clone(), id.clone());
            }
            roster.officers.insert(id, officer);
        }
        roster
    }

    /// In the order of their ids.
    pub fn all(&self) -> Vec<&Officer> {
        let mut all: Vec<&Officer> = self.officers.values().collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all
    }

    pub fn get(&self, id: &str) -> Option<&Officer> {
        self.officers.get(id)
    }

    /// Whose positions a source sends.
    pub fn of_terminal(&self, source: &str) -> Option<&Officer> {
        self.officers.get(self.by_terminal.get(source)?)
    }
}

impl Officer {
    /// By their hours, and by what they last `said`: their own "off" holds until they say otherwise, their own "on" beyond
    /// their hours for a time.
    pub fn is_on_duty(&self, said: Option<&SaidDuty>, at_ms: i64) -> bool {
        let is_by_hours = self.duty.as_ref().is_none_or(|duty| duty.is_on(at_ms));
        match said {
            None => is_by_hours,
            Some(SaidDuty { is_on: false, .. }) => false,
            Some(SaidDuty { is_on: true, at_ms: said_ms }) => {
                is_by_hours || at_ms < said_ms.saturating_add(self.overtime_ms)
            }
        }
    }

    pub fn has_skill(&self, category: &str) -> bool {
        self.skills.is_empty() || self.skills.iter().any(|skill| skill.as_str() == "#" || skill.matches(category))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn their_own_word_goes_beyond_their_hours_and_off_is_off() {
        let config = r#"
            [desk]
            calendar = "c"
            [desk.officers]
            overtime = "2h"
            [[calendars]]
            id = "c"
            [[centres]]
            id = "town"
            level = "district"
            [[people]]
            id = "li"
            centre = "town"
            roles = ["handler"]
            duty = ["daily 08:00-18:00"]
        "#;
        let roster = Roster::new(&toml::from_str(config).unwrap());
        let li = roster.get("li").unwrap();
        const HOUR_MS: i64 = 3_600_000;
        // Whatever the zone is: an hour with another one of duty before it, and none after.
        let end_ms = (0..48)
            .map(|hour| hour * HOUR_MS)
            .find(|at_ms| li.is_on_duty(None, at_ms - HOUR_MS) && !li.is_on_duty(None, *at_ms));
        let end_ms = end_ms.expect("a day of duty has an end");
        let said = |is_on: bool, at_ms: i64| Some(SaidDuty { is_on, at_ms });
        let is_on = |said: &Option<SaidDuty>, at_ms: i64| li.is_on_duty(said.as_ref(), at_ms);
        let on = said(true, end_ms);
        assert_eq!([0, 1, 2, 3].map(|hours| is_on(&on, end_ms + hours * HOUR_MS)), [true, true, false, false]);
        // On the next day their hours are theirs again, and who said "off" says when that is over.
        assert!(is_on(&on, end_ms + 23 * HOUR_MS));
        let off = said(false, end_ms - HOUR_MS);
        assert_eq!([-1, 23, 24 * 7].map(|hours| is_on(&off, end_ms + hours * HOUR_MS)), [false; 3]);
    }
}
