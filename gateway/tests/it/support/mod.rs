//! What the integration tests stand on: a real Mosquitto, a scripted fake broker, a gateway's session on either, and the
//! program itself with a recorded day to live through.

pub(crate) mod archive;
pub(crate) mod day;
pub(crate) mod fake_broker;
pub(crate) mod ledger;
pub(crate) mod listener;
pub(crate) mod mosquitto;
pub(crate) mod program;
pub(crate) mod redeliverer;
pub(crate) mod relay;
pub(crate) mod session;
pub(crate) mod site;

use std::future::Future;
use std::time::Duration;

/// A test that waits longer than this for something has failed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited too long for {what}"),
    }
}
