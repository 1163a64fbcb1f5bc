//! Integration tests: real servers on free loopback ports, real sockets; only the far end's moods are scripted.

mod series_faults;
mod series_victoria;
mod support_out;
