//! RTP packets of an ONVIF metadata stream → documents, with a limit on their size. Knows nothing of what is in them.
//!
//! A packet with its marker set ends a document (ONVIF Streaming Specification, section 5.1.2.1.1).

use bytes::Bytes;

use super::AlarmFault;

/// Largest document that is kept: all that a camera tells of its state at once is some 50 KiB.
pub(super) const DOCUMENT_BYTES_MAX: usize = 256 << 10;

#[derive(Default)]
pub(super) struct Documents {
    text: Vec<u8>,
    /// The one that comes is too large: the rest of it is passed over.
    is_over: bool,
}

impl Documents {
    /// Takes a packet. `loss`: how many before it are missing.
    pub(super) fn push(&mut self, payload: &[u8], loss: u16, mark: bool) -> Option<Result<Bytes, AlarmFault>> {
        if loss > 0 {
            // What follows may be the rest of a document or a new one: who reads it will know.
            self.forget();
        }
        if !self.is_over && self.text.len() + payload.len() > DOCUMENT_BYTES_MAX {
            self.forget();
            self.is_over = true;
        }
        if !self.is_over {
            self.text.extend_from_slice(payload);
        }
        if !mark {
            return None;
        }
        if std::mem::take(&mut self.is_over) {
            return Some(Err(AlarmFault::TooLarge { limit: DOCUMENT_BYTES_MAX }));
        }
        Some(Ok(Bytes::from(std::mem::take(&mut self.text))))
    }

    fn forget(&mut self) {
        (self.text, self.is_over) = (Vec::new(), false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_up_to_the_marked_one_are_a_document() {
        let mut documents = Documents::default();
        assert!(documents.push(b"<a>", 0, false).is_none());
        assert_eq!(documents.push(b"</a>", 0, true).unwrap().unwrap(), "<a></a>");
        assert_eq!(documents.push(b"<b/>", 0, true).unwrap().unwrap(), "<b/>");
    }

    #[test]
    fn a_document_with_a_hole_is_not_glued_together() {
        let mut documents = Documents::default();
        documents.push(b"<a>", 0, false);
        assert_eq!(documents.push(b"<b/>", 2, true).unwrap().unwrap(), "<b/>");
    }

    #[test]
    fn one_that_is_too_large_is_passed_over_and_the_next_one_is_not() {
        let mut documents = Documents::default();
        let half = vec![b'a'; DOCUMENT_BYTES_MAX / 2 + 1];
        for _ in 0..100 {
            assert!(documents.push(&half, 0, false).is_none());
            assert!(documents.text.capacity() <= 2 * DOCUMENT_BYTES_MAX);
        }
        assert!(matches!(documents.push(&half, 0, true), Some(Err(AlarmFault::TooLarge { .. }))));
        assert_eq!(documents.push(b"<b/>", 0, true).unwrap().unwrap(), "<b/>");
    }
}
