//! Who is there, whose session outlives its connection, and the wills that wait. Pure: time comes in.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::connection::Connection;

/// What is published when a client goes without a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Will {
    pub(super) topic: Arc<str>,
    pub(super) payload: Bytes,
    /// How long it waits for the client to come back.
    pub(super) delay: Duration,
}

enum Session {
    Live(Rc<Connection>),
    Away { until: Instant, will: Option<(Instant, Will)> },
}

/// Sessions of a listener's clients. What a publisher's session is good for is to be told that it is still there: what it
/// may send again is known by its marks.
pub(super) struct Sessions {
    by_client: HashMap<Arc<str>, Session>,
    n_max: usize,
}

impl Sessions {
    /// `known`: clients of an earlier process, whose sessions are kept until then.
    pub(super) fn new(known: Vec<Arc<str>>, until: Instant, n_max: usize) -> Self {
        let away = |client| (client, Session::Away { until, will: None });
        Sessions { by_client: known.into_iter().map(away).collect(), n_max }
    }

    pub(super) fn live(&self, client: &str) -> Option<Rc<Connection>> {
        match self.by_client.get(client)? {
            Session::Live(connection) if !connection.gone.is_cancelled() => Some(connection.clone()),
            _ => None,
        }
    }

    /// Whether a client that does not ask for a clean start finds its session.
    pub(super) fn is_kept(&self, client: &str, now: Instant) -> bool {
        matches!(self.by_client.get(client), Some(Session::Away { until, .. }) if *until > now)
    }

    /// A client connects that is not live. Returns the will of a session that ends with it; one that goes on needs none.
    pub(super) fn begin(&mut self, connection: Rc<Connection>) -> Option<Will> {
        let (client, is_new) = (connection.client.id.clone(), connection.client.is_new);
        match self.by_client.insert(client, Session::Live(connection)) {
            Some(Session::Away { will: Some((_, will)), .. }) if is_new => Some(will),
            _ => None,
        }
    }

    /// A live client goes. Its will, where it has one, waits for it to come back; a session that ends publishes it, too.
    pub(super) fn end(&mut self, client: &str, now: Instant, expiry: Duration, will: Option<Will>) {
        if expiry.is_zero() {
            self.by_client.remove(client);
        } else if let Some(session) = self.by_client.get_mut(client) {
            let will = will.map(|will| (now + will.delay.min(expiry), will));
            *session = Session::Away { until: now + expiry, will };
        }
    }

    /// Wills that are due; sessions that are over, or too many, are forgotten.
    pub(super) fn sweep(&mut self, now: Instant) -> Vec<Will> {
        let mut due = Vec::new();
        self.by_client.retain(|_, session| {
            let Session::Away { until, will } = session else { return true };
            if let Some((_, will)) = will.take_if(|(at, _)| *at <= now) {
                due.push(will);
            }
            *until > now
        });
        let n_over = self.by_client.len().saturating_sub(self.n_max);
        if n_over > 0 {
            let mut away: Vec<(Instant, Arc<str>)> = Vec::new();
            for (client, session) in &self.by_client {
                if let Session::Away { until, .. } = session {
                    away.push((*until, client.clone()));
                }
            }
            away.sort();
            for (_, client) in away.into_iter().take(n_over) {
                if let Some(Session::Away { will: Some((_, will)), .. }) = self.by_client.remove(&client) {
                    due.push(will);
                }
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::super::codec::Version;
    use super::super::connection::Terms;
    use super::super::permit::Permit;
    use super::*;
    use crate::ingest::Client;

    const HOUR: Duration = Duration::from_secs(3600);

    fn connection(id: &str, is_new: bool) -> Rc<Connection> {
        let terms = Terms {
            version: Version::V5,
            permit: Permit::new(&[], id, ""),
            silence_max: HOUR,
            expiry: HOUR,
            will: None,
        };
        Connection::new(1, Client { id: id.into(), is_new }, terms).0
    }

    fn will(delay: Duration) -> Will {
        Will { topic: "online".into(), payload: Bytes::from_static(b"0"), delay }
    }

    #[test]
    fn a_session_is_kept_until_its_time_and_the_shortest_go_first_where_there_are_too_many() {
        let now = Instant::now();
        let mut sessions = Sessions::new(vec!["a".into(), "b".into()], now + HOUR, 2);
        sessions.begin(connection("c", true));
        sessions.end("c", now, 2 * HOUR, None);
        assert!(["a", "b", "c"].iter().all(|client| sessions.is_kept(client, now)));
        sessions.sweep(now);
        assert_eq!(["a", "b", "c"].map(|client| sessions.is_kept(client, now)), [false, true, true]);
        assert!(!sessions.is_kept("b", now + HOUR), "over, swept or not");
        sessions.sweep(now + HOUR);
        assert_eq!(sessions.by_client.len(), 1);
    }

    #[test]
    fn a_will_waits_for_its_delay_or_the_end_of_the_session() {
        let now = Instant::now();
        let mut sessions = Sessions::new(Vec::new(), now, 10);
        for (client, expiry, delay) in [("a", HOUR, HOUR / 2), ("b", HOUR / 4, HOUR)] {
            sessions.begin(connection(client, true));
            sessions.end(client, now, expiry, Some(will(delay)));
        }
        assert!(sessions.sweep(now).is_empty());
        assert_eq!(sessions.sweep(now + HOUR / 4).len(), 1, "the session of b is over");
        assert_eq!(sessions.sweep(now + HOUR / 2).len(), 1, "a has waited");
        assert!(sessions.sweep(now + 2 * HOUR).is_empty());
    }

    #[test]
    fn who_comes_back_needs_no_will_and_who_starts_clean_ends_the_old_session_with_it() {
        let now = Instant::now();
        let mut sessions = Sessions::new(Vec::new(), now, 10);
        for (is_new, published) in [(false, None), (true, Some(will(HOUR)))] {
            sessions.begin(connection("a", true));
            sessions.end("a", now, HOUR, Some(will(HOUR)));
            assert_eq!(sessions.begin(connection("a", is_new)), published);
            assert!(sessions.live("a").is_some() && !sessions.is_kept("a", now));
        }
    }
}
