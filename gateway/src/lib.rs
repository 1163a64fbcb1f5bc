//! The Outpost gateway: cameras and messages in, dispatch tickets out. Modules in the order in which a fact flows:
//!
//! - [`config`]: file → checked configuration
//! - [`nouns`]: alert, ticket, delivery: the words that modules exchange
//! - [`ingest`]: sessions with brokers and cameras
//! - [`decode`]: payload bytes → observations and rejects
//! - [`video`]: access units → pictures → picture facts; evidence
//! - [`objects`]: picture → classes and boxes, by an object model
//! - [`pipeline`]: Watch (rules over observations), and the shell that commits before it acknowledges
//! - [`dispatch`]: Desk, which turns alerts into tickets
//! - [`roads`]: the road graph, and how long ways take
//! - [`store`]: states, alerts, tickets and queues in SQLite
//! - [`notify`], [`series`]: what goes out
//! - [`lights`]: physical lights that show lamps
//! - [`api`]: HTTP, server-sent events, the page
//! - [`telemetry`]: logs, metrics, the clock
//! - [`demo`]: the embedded broker, camera and publishers of `outpost demo`
//! - [`app`]: start and stop order
//! - [`probe`]: `outpost probe`; [`thermal`]: `outpost thermal`, and heat drawn as pictures; [`report`]: `outpost report`

pub mod api;
pub mod app;
pub mod config;
pub mod decode;
pub mod demo;
pub mod dispatch;
pub mod ingest;
pub mod lights;
pub mod notify;
pub mod nouns;
pub mod objects;
pub mod pipeline;
pub mod probe;
pub mod report;
pub mod roads;
pub mod series;
pub mod store;
pub mod telemetry;
pub mod thermal;
pub mod video;
