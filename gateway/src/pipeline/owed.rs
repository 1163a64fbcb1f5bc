//! Receipts of a batch, until it is on disk. Pure.

use std::sync::Arc;

use crate::ingest::Receipt;

/// Receipts in the order in which their messages came, in runs of one broker or listener.
#[derive(Debug, Default)]
pub(super) struct Owed {
    receipts: Vec<Receipt>,
    /// Whose run it is, and where it ends.
    runs: Vec<(Arc<str>, usize)>,
}

impl Owed {
    pub(super) fn push(&mut self, broker: &Arc<str>, receipt: Receipt) {
        self.receipts.push(receipt);
        let end = self.receipts.len();
        match self.runs.last_mut() {
            Some((last, last_end)) if Arc::ptr_eq(last, broker) || last == broker => *last_end = end,
            _ => self.runs.push((broker.clone(), end)),
        }
    }

    pub(super) fn runs(&self) -> impl Iterator<Item = (&Arc<str>, &[Receipt])> {
        let mut begin = 0;
        self.runs.iter().map(move |(broker, end)| (broker, &self.receipts[std::mem::replace(&mut begin, *end)..*end]))
    }

    pub(super) fn clear(&mut self) {
        self.receipts.clear();
        self.runs.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::Quality;

    #[test]
    fn each_broker_hears_of_its_own_in_the_order_of_coming() {
        let brokers: [Arc<str>; 2] = ["a".into(), "b".into()];
        let mut owed = Owed::default();
        for (packet, at) in [(1, 0), (2, 0), (1, 1), (3, 0), (4, 0)] {
            let quality = Quality::AtLeastOnce;
            owed.push(&brokers[at], Receipt { epoch: 1, packet, quality, redelivered: false, n_bytes: 0 });
        }
        let runs: Vec<(&str, Vec<u16>)> =
            owed.runs().map(|(broker, run)| (&**broker, run.iter().map(|receipt| receipt.packet).collect())).collect();
        assert_eq!(runs, [("a", vec![1, 2]), ("b", vec![1]), ("a", vec![3, 4])]);
        owed.clear();
        assert_eq!(owed.runs().count(), 0);
    }
}
