//! Integration tests: real servers on free loopback ports, real sockets; only the far end's moods are scripted.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it claims")]

mod config_bad;
mod config_examples;
mod decode_fixtures;
mod decode_properties;
