//! Reads GeoJSON files as the gateway does and prints what it found: `cargo run -p outpost-fences --example
//! read_fences -- FILE…`, `-` for standard input.

use std::io::Read;

use outpost_fences::geojson;

fn main() -> std::io::Result<()> {
    for path in std::env::args().skip(1) {
        let mut text = String::new();
        if path == "-" {
            std::io::stdin().read_to_string(&mut text)?;
        } else {
            text = std::fs::read_to_string(&path)?;
        }
        let parsed = geojson::parse(&text);
        let n_vertices: usize = parsed
            .fences
            .iter()
            .flat_map(|fence| fence.shape.polygons())
            .flat_map(|polygon| polygon.rings().map(|ring| ring.len()))
            .sum();
        println!("{path}: {} fences, {n_vertices} vertices, {} problems", parsed.fences.len(), parsed.problems.len());
        for problem in &parsed.problems {
            println!("  {:?}: {problem}", problem.severity());
        }
    }
    Ok(())
}
