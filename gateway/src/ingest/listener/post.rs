//! Receipts from the pipeline's thread to the listener's. Knows nothing of connections.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::ingest::{Acknowledge, Receipt};

/// Bounded by what was handed over: there is one receipt for each message.
#[derive(Debug, Default)]
pub(super) struct Post {
    receipts: Mutex<Vec<Receipt>>,
    raised: Notify,
}

impl Post {
    /// Waits for receipts and swaps them for `taken`, which is empty.
    pub(super) async fn collect(&self, taken: &mut Vec<Receipt>) {
        self.raised.notified().await;
        std::mem::swap(&mut *self.receipts.lock().unwrap_or_else(PoisonError::into_inner), taken);
    }
}

/// Acknowledges messages of one listener. Never waits, from any thread.
#[derive(Debug, Clone)]
pub struct AckSender(pub(super) Arc<Post>);

impl Acknowledge for AckSender {
    fn acknowledge(&self, receipts: &[Receipt]) {
        self.0.receipts.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(receipts);
        self.0.raised.notify_one();
    }
}
