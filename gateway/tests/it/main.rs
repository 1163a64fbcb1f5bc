//! Integration tests: the gateway against real servers and scripted peers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod mqtt_demo_broker;
mod mqtt_mosquitto;
mod mqtt_traps;
mod support;
