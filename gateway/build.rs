//! Has the crate built anew when the console was: what `api/page.rs` embeds is not known to cargo.

use std::path::Path;

/// What `make console` writes.
const BUILT: &str = "console/dist";

fn main() {
    // A path that is not there would count as changed at each build; the folder that it will be in does not.
    let watched = if Path::new(BUILT).exists() { BUILT } else { "console" };
    println!("cargo::rerun-if-changed={watched}");
}
