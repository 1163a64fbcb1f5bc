//! The access units since a camera's last key frame, so that decoding can begin in the middle of them. Bounded.

use crate::ingest::rtsp::AccessUnit;

/// Units of one group, whatever their size: key frames further apart are not waited for, all frames are decoded there.
const UNITS_MAX: usize = 512;

#[derive(Debug)]
pub(super) struct Group {
    /// Each with its number.
    units: Vec<(u64, AccessUnit)>,
    bytes: usize,
    bytes_max: usize,
    /// Whether it begins with a key frame and nothing of it is missing.
    is_whole: bool,
}

impl Group {
    pub(super) fn new(bytes_max: usize) -> Self {
        Group { units: Vec::new(), bytes: 0, bytes_max, is_whole: false }
    }

    pub(super) fn push(&mut self, number: u64, unit: &AccessUnit) {
        if unit.key {
            self.forget();
            self.is_whole = true;
        } else if unit.loss > 0 || self.units.last().is_some_and(|(last, _)| last + 1 != number) {
            self.forget();
        }
        if !self.is_whole {
            return;
        }
        self.bytes += unit.data.len();
        if self.bytes > self.bytes_max || self.units.len() >= UNITS_MAX {
            return self.forget();
        }
        self.units.push((number, unit.clone()));
    }

    /// Nothing until the next key frame.
    pub(super) fn forget(&mut self) {
        self.units = Vec::new();
        (self.bytes, self.is_whole) = (0, false);
    }

    /// The units so far, from the key frame on; none where it is not whole.
    pub(super) fn take(&mut self) -> Vec<(u64, AccessUnit)> {
        let units = std::mem::take(&mut self.units);
        self.forget();
        units
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::video::decoder::Codec;

    fn unit(key: bool, loss: u16) -> AccessUnit {
        let data = Bytes::from_static(&[0; 100]);
        AccessUnit { codec: Codec::H264, data, key, size: None, loss, received_ms: 0, media_ms: None }
    }

    fn numbers(group: &mut Group) -> Vec<u64> {
        group.take().into_iter().map(|(number, _)| number).collect()
    }

    #[test]
    fn a_group_begins_with_its_key_frame() {
        let mut group = Group::new(1_000);
        (1..4).for_each(|number| group.push(number, &unit(false, 0)));
        assert!(numbers(&mut group).is_empty());
        (4..8).for_each(|number| group.push(number, &unit(number % 3 == 0, 0)));
        assert_eq!(numbers(&mut group), [6, 7]);
        group.push(8, &unit(false, 0));
        assert!(numbers(&mut group).is_empty(), "the rest of one that was taken is nothing by itself");
    }

    #[test]
    fn what_is_damaged_or_too_large_is_no_group() {
        for (loss, number) in [(1, 2), (0, 3)] {
            let mut group = Group::new(1_000);
            group.push(1, &unit(true, 0));
            group.push(number, &unit(false, loss));
            assert!(numbers(&mut group).is_empty());
        }
        let mut group = Group::new(1_000);
        (0..20).for_each(|number| group.push(number, &unit(number == 0, 0)));
        assert_eq!((group.bytes(), numbers(&mut group).len()), (0, 0));
    }
}
