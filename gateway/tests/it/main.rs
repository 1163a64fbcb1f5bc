//! Integration tests: real servers on free loopback ports, real sockets; only the far end's moods are scripted.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it claims")]

mod backtest;
mod camera;
mod camera_hostile;
mod conditions;
mod config_bad;
mod config_examples;
mod crash;
mod decode_command;
mod decode_fixtures;
mod decode_properties;
mod end_to_end;
mod end_to_end_faults;
mod end_to_end_process;
mod home_assistant;
mod listener_clients;
mod listener_crash;
mod listener_protocol;
mod mqtt_demo_broker;
mod mqtt_garbage;
mod mqtt_mosquitto;
mod mqtt_stall;
mod mqtt_traps;
mod notify_mqtt;
mod notify_webhook;
mod page;
mod page_chromium;
mod quiet_path;
mod readme;
mod real_payloads;
mod reload;
mod replay;
mod series_faults;
mod series_outage;
mod series_refused;
mod series_victoria;
mod sparkplug;
mod support;
mod support_influx;
mod support_out;
mod support_rtsp;
mod thermal;
mod thermal_fuzz;
mod tidy;
