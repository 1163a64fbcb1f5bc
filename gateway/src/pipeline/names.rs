//! The names of sources, numbered as they come. Pure.
//!
//! A decoder gives each source one shared name, so that nearly every name that is asked for is at an address that was
//! asked for before: it is found without reading the text, which at a hundred thousand sources is in no cache.

use std::sync::Arc;

use foldhash::fast::RandomState;
use indexmap::IndexSet;

/// Places for addresses that each name has, at least.
const PLACES_PER_NAME: usize = 2;
const PLACES_MIN: usize = 64;

pub(super) struct Names {
    names: IndexSet<Arc<str>, RandomState>,
    /// Numbers of the names last found, by their address; a power of two of them.
    recent: Vec<u32>,
    names_max: usize,
}

impl Names {
    pub(super) fn new(names_max: usize) -> Names {
        let names_max = names_max.min(u32::MAX as usize);
        Names { names: IndexSet::default(), recent: vec![0; PLACES_MIN], names_max }
    }

    pub(super) fn is_full(&self) -> bool {
        self.names.len() >= self.names_max
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// In the order of their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<str>> {
        self.names.iter()
    }

    pub(super) fn find(&mut self, name: &Arc<str>) -> Option<usize> {
        let place = self.place(name);
        let recent = self.recent[place] as usize;
        if self.names.get_index(recent).is_some_and(|known| Arc::ptr_eq(known, name)) {
            return Some(recent);
        }
        let number = self.names.get_index_of(&**name)?;
        self.recent[place] = number as u32;
        Some(number)
    }

    /// Numbers a name that was not found; none when there is no room.
    pub(super) fn add(&mut self, name: &Arc<str>) -> Option<usize> {
        if self.is_full() {
            return None;
        }
        let (number, _) = self.names.insert_full(name.clone());
        if self.names.len() * PLACES_PER_NAME > self.recent.len() {
            let n_places = 2 * self.recent.len();
            self.recent.clear();
            self.recent.resize(n_places, 0);
        }
        let place = self.place(name);
        self.recent[place] = number as u32;
        Some(number)
    }

    fn place(&self, name: &Arc<str>) -> usize {
        // Names are some sixteen bytes apart at least: the bits below say nothing.
        let address = Arc::as_ptr(name).cast::<u8>() as usize >> 4;
        (address ^ address >> 12) & (self.recent.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_number_at_whatever_address() {
        let mut names = Names::new(1_000);
        let shared: Vec<Arc<str>> = (0..1_000).map(|n| format!("dev/{n}").into()).collect();
        for (number, name) in shared.iter().enumerate() {
            assert_eq!((names.find(name), names.add(name)), (None, Some(number)));
        }
        assert!(names.is_full());
        assert_eq!(names.add(&"one too many".into()), None);
        for (number, name) in shared.iter().enumerate().chain(shared.iter().enumerate().rev()) {
            let elsewhere: Arc<str> = (**name).into();
            assert_eq!([name, &elsewhere, name].map(|name| names.find(name)), [Some(number); 3]);
        }
        assert!(names.iter().eq(&shared));
    }
}
