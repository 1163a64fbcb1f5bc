//! Which delivery goes first. Pure: time comes in.
//!
//! The order is kept within a ticket: while one of its deliveries fails, later ones of the same ticket wait for it
//! (they would close what was never opened). Between tickets nothing waits: a delivery that fails, whatever the reason,
//! holds up no other ticket. Tickets that did not fail so far go first, in the order of their commits, so that a few
//! letters that a receiver chokes on never starve the rest.

use std::collections::HashMap;

use crate::nouns::Delivery;

/// Failing tickets that are remembered. Beyond it a further ticket's later letters may overtake its failing one
/// (never lost, only out of order).
const HELD_MAX: usize = 4096;

/// Tickets whose earliest waiting delivery fails.
#[derive(Debug, Default)]
pub(super) struct Order {
    held: HashMap<String, Hold>,
}

#[derive(Debug, Clone, Copy)]
struct Hold {
    /// The delivery that fails.
    row: i64,
    /// When it is tried again, at the latest.
    until_ms: i64,
}

/// The ticket of a key such as `T-42/3`.
fn ticket(delivery: &Delivery) -> &str {
    delivery.key.rsplit_once('/').map_or(delivery.key.as_str(), |(ticket, _)| ticket)
}

impl Order {
    /// After a restart: of all that wait, oldest first, the first that failed per ticket holds its ticket. When it is due
    /// is not known here, but not later than `until_ms`.
    pub(super) fn restore(waiting: &[Delivery], until_ms: i64) -> Self {
        let mut order = Order::default();
        for delivery in waiting.iter().filter(|delivery| delivery.attempts > 0) {
            if !order.held.contains_key(ticket(delivery)) {
                order.hold(delivery, until_ms);
            }
        }
        order
    }

    /// Sorts what is due, given oldest first.
    pub(super) fn arrange(&self, due: &mut [Delivery]) {
        let mut failing: HashMap<String, bool> = HashMap::new();
        for delivery in due.iter() {
            let ticket = ticket(delivery);
            if !failing.contains_key(ticket) {
                failing.insert(ticket.to_owned(), delivery.attempts > 0 || self.held.contains_key(ticket));
            }
        }
        due.sort_by_key(|delivery| (failing.get(ticket(delivery)).copied().unwrap_or_default(), delivery.row));
    }

    /// Until when this delivery has to wait for an earlier one of its ticket.
    pub(super) fn held_until(&self, delivery: &Delivery, now_ms: i64) -> Option<i64> {
        // A hold that has run out is stale: its delivery was due before this one and would have renewed it. It may have
        // been removed from the outbox by other hands.
        self.held
            .get(ticket(delivery))
            .filter(|hold| hold.row < delivery.row && hold.until_ms > now_ms)
            .map(|hold| hold.until_ms)
    }

    pub(super) fn hold(&mut self, delivery: &Delivery, until_ms: i64) {
        let ticket = ticket(delivery);
        if self.held.len() < HELD_MAX || self.held.contains_key(ticket) {
            self.held.insert(ticket.to_owned(), Hold { row: delivery.row, until_ms });
        }
    }

    /// Delivered or given up.
    pub(super) fn release(&mut self, delivery: &Delivery) {
        self.held.remove(ticket(delivery));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(row: i64, key: &str, attempts: u32) -> Delivery {
        Delivery {
            row,
            receiver: "centre".into(),
            key: key.into(),
            kind: String::new(),
            data: String::new(),
            created_ms: 0,
            attempts,
        }
    }

    fn rows(deliveries: &[Delivery]) -> Vec<i64> {
        deliveries.iter().map(|delivery| delivery.row).collect()
    }

    #[test]
    fn what_never_failed_goes_first_in_commit_order_and_tickets_stay_in_order() {
        let mut due = [
            delivery(1, "T-1/1", 4),
            delivery(2, "T-2/1", 0),
            delivery(3, "T-1/2", 0),
            delivery(4, "T-3/1", 0),
            delivery(5, "T-2/2", 0),
        ];
        Order::default().arrange(&mut due);
        assert_eq!(rows(&due), [2, 4, 5, 1, 3]);
    }

    #[test]
    fn a_failing_delivery_holds_its_own_ticket_only() {
        let mut order = Order::default();
        order.hold(&delivery(1, "T-1/1", 0), 100);
        assert_eq!(order.held_until(&delivery(2, "T-1/2", 0), 50), Some(100));
        assert_eq!(order.held_until(&delivery(1, "T-1/1", 1), 50), None, "itself");
        assert_eq!(order.held_until(&delivery(3, "T-11/1", 0), 50), None, "another ticket");
        order.release(&delivery(1, "T-1/1", 1));
        assert_eq!(order.held_until(&delivery(2, "T-1/2", 0), 50), None);
    }

    #[test]
    fn a_hold_without_its_delivery_does_not_last() {
        let mut order = Order::default();
        order.hold(&delivery(1, "T-1/1", 0), 100);
        assert_eq!(order.held_until(&delivery(2, "T-1/2", 0), 100), None);
    }

    #[test]
    fn a_restart_finds_the_holds_again() {
        let waiting = [delivery(1, "T-1/1", 2), delivery(2, "T-2/1", 0), delivery(3, "T-1/2", 1)];
        let order = Order::restore(&waiting, 100);
        assert_eq!(order.held_until(&delivery(3, "T-1/2", 1), 0), Some(100));
        assert_eq!(order.held_until(&delivery(4, "T-2/2", 0), 0), None);
    }

    #[test]
    fn holds_are_bounded() {
        let mut order = Order::default();
        for ticket in 0..HELD_MAX as i64 + 10 {
            order.hold(&delivery(ticket, &format!("T-{ticket}/1"), 0), 100);
        }
        assert_eq!(order.held.len(), HELD_MAX);
    }
}
