//! What `outpost demo` brings along so that it needs nothing of the user's.

pub mod broker;
