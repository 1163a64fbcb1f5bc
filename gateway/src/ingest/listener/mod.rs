//! The built-in MQTT listener: devices publish to the gateway itself, MQTT 5 or 3.1.1, plain or TLS. PUBACK and PUBREC
//! mean that the message's effects are on our disk. Knows nothing of what payloads mean.
//!
//! One thread serves all connections of a listener: what it does with a message is little beside the rest, and nothing
//! needs a lock. It parses many packets per read, hands them to the pipeline's queue, and gets receipts back after the
//! commit; all acknowledgements of a connection leave in one write. Where the queue is full, or a connection's window, its
//! socket is not read.
//!
//! - [`accept`]: the thread, its sockets, start and stop
//! - [`connect`]: from an open socket to the CONNACK
//! - [`connection`]: a client at work: read, hand over, write, watch for silence
//! - [`incoming`]: what each packet does to its connection
//! - [`sessions`]: who is there, whose session outlives its connection, wills that wait
//! - [`hub`]: what all connections share
//! - [`guard`], [`permit`]: who may connect and publish what
//! - [`codec`], [`close`]: packets of both versions, and why connections end
//! - [`post`]: receipts from the pipeline's thread to this one

mod accept;
mod close;
mod codec;
mod connect;
mod connection;
mod guard;
mod hub;
mod incoming;
mod permit;
mod post;
mod sessions;
mod tls;

pub use accept::{ListenError, Listener};
pub use post::AckSender;
