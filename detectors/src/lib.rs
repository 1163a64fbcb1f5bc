//! What a fact is, and the detectors that judge facts. Pure: time comes in, nothing is read or written.
//! Knows nothing of fences, sockets, clocks or stores.
//!
//! - [`observation`]: one decoded fact from a source at a time
//! - [`latch`]: the one state machine of all detectors (hold, raise, clear-hold, clear)
//! - [`flapping`]: what comes and goes again and again becomes one alert
//! - [`threshold`], [`rate`], [`stuck`], [`occurrences`] (n of m, count), [`deviation`]: detector kinds over readings
//! - [`condition`]: several readings of one source together
//! - [`silent`], [`hotspot`]: detector kinds over other facts
//! - [`anomaly`]: how unusual a reading is for its sensor
//! - [`size_gate`]: whether something moves, by the sizes of encoded frames
//! - [`luma`], [`background`], [`blob`]: from luma pictures to moving blobs, with `light` (exposure) and `regions`
//!   (connected cells); [`tracker`] follows these
//! - [`health`]: what is wrong with a picture as a whole, against the `view` that is usual
//! - [`lookout`]: all that is looked for in one camera's pictures
//! - [`fire`]: flame and smoke in the pictures of a few seconds

pub mod flapping;
pub mod latch;
pub mod observation;

pub mod anomaly;
pub mod condition;
pub mod deviation;
pub mod hotspot;
pub mod occurrences;
pub mod rate;
pub mod silent;
pub mod stuck;
pub mod threshold;

pub mod background;
pub mod blob;
mod light;
pub mod luma;
mod mask;
mod packed;
mod regions;
pub mod size_gate;
pub mod tracker;

pub mod fire;
pub mod health;
pub mod lookout;
mod view;
