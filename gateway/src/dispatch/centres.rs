//! The tree of centres and the people in them: whose a ticket is, and who may make a move.

use std::collections::HashMap;
use std::sync::Arc;

use super::ground::Ground;
use super::table::{Reach, Row};
use crate::config::pattern::SourcePattern;
use crate::config::{Config, Level, Role};
use crate::nouns::{Refusal, Ticket};

/// Without `[[centres]]` there is one: the district itself.
#[derive(Debug, Clone)]
pub struct Centres {
    list: Vec<Centre>,
    by_id: HashMap<Arc<str>, usize>,
    top: usize,
    people: HashMap<Arc<str>, Person>,
    pub(super) ground: Ground,
}

#[derive(Debug, Clone)]
struct Centre {
    id: Arc<str>,
    name: Arc<str>,
    level: Level,
    parent: Option<usize>,
    duties: Vec<SourcePattern>,
    sources: Vec<SourcePattern>,
}

#[derive(Debug, Clone)]
struct Person {
    centre: usize,
    roles: Vec<Role>,
}

impl Centre {
    fn has_duty(&self, category: &str) -> bool {
        self.duties.iter().any(|duty| duty.as_str() == "#" || duty.matches(category))
    }
}

impl Centres {
    /// Of a checked configuration.
    pub fn new(config: &Config) -> Centres {
        let patterns = |texts: &[String]| texts.iter().filter_map(|text| SourcePattern::parse(text).ok()).collect();
        let mut list: Vec<Centre> = config
            .centres
            .iter()
            .map(|centre| Centre {
                id: centre.id.as_str().into(),
                name: centre.name.as_str().into(),
                level: centre.level,
                parent: None,
                duties: patterns(&centre.duties),
                sources: patterns(&centre.sources),
            })
            .collect();
        if list.is_empty() {
            let (id, name) = (config.district.id.as_str().into(), config.district.name.as_str().into());
            list.push(Centre {
                id,
                name,
                level: Level::District,
                parent: None,
                duties: Vec::new(),
                sources: Vec::new(),
            });
        }
        let by_id: HashMap<Arc<str>, usize> =
            list.iter().enumerate().map(|(i, centre)| (centre.id.clone(), i)).collect();
        for (centre, configured) in list.iter_mut().zip(&config.centres) {
            centre.parent = configured.parent.as_deref().and_then(|parent| by_id.get(parent).copied());
        }
        let top = list.iter().position(|centre| centre.parent.is_none()).unwrap_or(0);
        let person = |person: &crate::config::Person| {
            let centre = by_id.get(person.centre.as_str()).copied()?;
            Some((person.id.as_str().into(), Person { centre, roles: person.roles.clone() }))
        };
        let people = config.people.iter().filter_map(person).collect();
        Centres { list, by_id, top, people, ground: Ground::new(&config.places) }
    }

    /// In the order of the configuration: id, name, level.
    pub fn all(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>, Level)> {
        self.list.iter().map(|centre| (&centre.id, &centre.name, centre.level))
    }

    /// The centre, or the one on top where there is none of that id any more.
    pub fn known(&self, id: &str) -> &Arc<str> {
        &self.list[self.at(id)].id
    }

    /// The centre and those above it, upwards.
    pub fn upwards(&self, id: &str) -> impl Iterator<Item = (&Arc<str>, Level)> {
        let chain = std::iter::successors(Some(self.at(id)), |at| self.list[*at].parent);
        chain.map(|at| (&self.list[at].id, self.list[at].level))
    }

    pub fn level(&self, id: &str) -> Option<Level> {
        self.by_id.get(id).map(|at| self.list[*at].level)
    }

    /// Whether one of the two is above the other, or they are one.
    pub(super) fn is_related(&self, one: &str, other: &str) -> bool {
        let is_above = |above: &str, beneath: &str| self.upwards(beneath).any(|(id, _)| **id == *above);
        is_above(one, other) || is_above(other, one)
    }

    /// Whether people of one centre are sent for another one: within a town all are, and those above it.
    pub(super) fn is_in_reach(&self, of: &str, whose: &str) -> bool {
        let town = self.upwards(whose).find(|(_, level)| *level >= Level::Town);
        town.is_some_and(|(town, _)| self.is_related(of, town))
    }

    pub(super) fn above(&self, id: &str) -> Option<&Arc<str>> {
        self.upwards(id).nth(1).map(|(id, _)| id)
    }

    /// Where tickets of a source enter.
    pub(super) fn entrance(&self, source: &str) -> &Arc<str> {
        let fits = |centre: &&Centre| centre.sources.iter().any(|pattern| pattern.matches(source));
        let lowest = self.list.iter().filter(fits).min_by_key(|centre| centre.level);
        &lowest.unwrap_or(&self.list[self.top]).id
    }

    /// Who takes what happens on the ground of a centre: itself, or the next one above that has the category on its duty list.
    pub(super) fn on_duty(&self, id: &str, category: &str) -> Option<&Arc<str>> {
        let own = *self.by_id.get(id)?;
        let chain = std::iter::successors(Some(own), |at| self.list[*at].parent);
        let takes = |at: &usize| self.list[*at].parent.is_none() || self.list[*at].has_duty(category);
        chain.into_iter().find(takes).map(|at| &self.list[at].id)
    }

    /// The centre to which a ticket of another one is handed down.
    pub(super) fn beneath(
        &self,
        whose: &Arc<str>,
        centre: &Arc<str>,
        category: &Arc<str>,
    ) -> Result<Arc<str>, Refusal> {
        let not_beneath = || Refusal::NotBeneath { centre: centre.clone(), whose: whose.clone() };
        let below = &self.list[*self.by_id.get(centre).ok_or_else(not_beneath)?];
        if below.parent != Some(self.at(whose)) {
            return Err(not_beneath());
        }
        let is_duty = below.has_duty(category);
        let refusal = || Refusal::NotOnDutyList { centre: centre.clone(), category: category.clone() };
        is_duty.then(|| below.id.clone()).ok_or_else(refusal)
    }

    /// Whether somebody may make the move, and for which centre.
    pub(super) fn may(&self, row: &Row, ticket: &Ticket, who: &Arc<str>) -> Result<Arc<str>, Refusal> {
        if row.is_check && ticket.handlers.contains(who) {
            return Err(Refusal::OwnWork { who: who.clone(), asked: row.asked });
        }
        if self.people.is_empty() {
            return Ok(ticket.centre.clone());
        }
        let person = self.people.get(who).ok_or_else(|| Refusal::Unknown(who.clone()))?;
        if !person.roles.iter().any(|role| row.roles.contains(role)) {
            let roles: Vec<_> = row.roles.iter().map(|role| role.as_str()).collect();
            return Err(Refusal::Role { who: who.clone(), asked: row.asked, roles: roles.join(", ") });
        }
        let centre = &self.list[person.centre].id;
        let whose = match row.reach {
            Reach::Lead => ticket.lead.as_ref().unwrap_or(&ticket.centre),
            Reach::Hand if ticket.booked().or(ticket.handlers.last()) == Some(who) => centre,
            Reach::Own | Reach::Hand => &ticket.centre,
            Reach::Any => centre,
        };
        if ticket.is_emergency || self.upwards(whose).any(|(id, _)| id == centre) {
            return Ok(centre.clone());
        }
        Err(Refusal::Reach { who: who.clone(), centre: centre.clone(), whose: whose.clone() })
    }

    /// Whether the configuration names somebody, where it names anybody.
    pub fn knows(&self, who: &str) -> bool {
        self.people.is_empty() || self.people.contains_key(who)
    }

    /// Whether somebody may confirm and close class cases.
    pub(super) fn may_judge_classes(&self, who: &Arc<str>) -> Result<(), Refusal> {
        if self.people.is_empty() {
            return Ok(());
        }
        let person = self.people.get(who).ok_or_else(|| Refusal::Unknown(who.clone()))?;
        person.roles.contains(&Role::Chief).then_some(()).ok_or_else(|| Refusal::NoChief(who.clone()))
    }

    fn at(&self, id: &str) -> usize {
        self.by_id.get(id).copied().unwrap_or(self.top)
    }
}
