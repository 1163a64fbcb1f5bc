//! Stub.
pub mod camera;
