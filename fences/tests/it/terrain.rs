//! Terrain in files that GDAL wrote (fixtures/terrain): the same heights whatever the coding, and refusals by name.

use std::path::{Path, PathBuf};

use outpost_fences::Point;
use outpost_fences::sight::Terrain;
use proptest::prelude::*;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/terrain")
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).expect("the fixture is there")
}

/// Places between the cells' middles, and on them.
fn places() -> impl Iterator<Item = Point> {
    (0..40).flat_map(|i| {
        (0..30).map(move |j| Point { lon: 106.0402 + f64::from(i) * 0.0003, lat: 29.8303 + f64::from(j) * 0.0003 })
    })
}

#[test]
fn every_coding_has_the_heights_of_the_grid_that_it_was_made_of() {
    let grid = Terrain::from_ascii(&String::from_utf8(bytes("hill.asc")).unwrap()).unwrap();
    assert!(places().filter(|at| grid.height_m(*at).is_some()).count() > 800);
    for (name, tolerance_m) in [
        ("float-tiled-deflate.tif", 1e-3),
        ("int16-lzw.tif", 0.51),
        ("double-big-endian.tif", 1e-3),
        ("bigtiff.tif", 1e-3),
        ("cgcs2000-point-packbits.tif", 1e-3),
    ] {
        let bytes = bytes(name);
        assert!(Terrain::is_geotiff(&bytes), "{name}");
        let terrain = Terrain::from_geotiff(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        for at in places() {
            match (terrain.height_m(at), grid.height_m(at)) {
                (Some(found), Some(expected)) => {
                    assert!((found - expected).abs() < tolerance_m, "{name} at {at:?}: {found}, not {expected}");
                }
                (found, expected) => assert_eq!(found, expected, "{name} at {at:?}"),
            }
        }
    }
    assert!(!Terrain::is_geotiff(&self::bytes("hill.asc")));
}

#[test]
fn what_is_not_in_degrees_is_refused_by_its_name() {
    for (name, expected) in [
        (
            "utm.tif",
            "heights in metres of UTM zone 48N (EPSG:32648) are not read, but in degrees of WGS-84 (EPSG:4326)",
        ),
        ("cgcs2000-projected.tif", "heights in metres of CGCS2000 by central meridian (EPSG:4548) are not read"),
        ("no-system.tif", "header: GeoKeyDirectory is missing: is it a GeoTIFF with its north up?"),
        ("three-bands.tif", "header: one band of heights is read, this is RGB(32)"),
    ] {
        let told = Terrain::from_geotiff(&bytes(name)).unwrap_err().to_string();
        assert!(told.starts_with(expected), "{name}: {told}");
    }
    assert!(Terrain::from_geotiff(b"II*\0").is_err() && Terrain::from_geotiff(b"").is_err());
}

proptest! {
    /// Bytes that are lost or other than they were make an error or other heights, and nothing else.
    #[test]
    fn damaged_files_do_no_harm(
        name in prop::sample::select(vec!["float-tiled-deflate.tif", "int16-lzw.tif", "bigtiff.tif", "utm.tif"]),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        kept in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut bytes = bytes(name);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if is_cut {
            bytes.truncate(kept.index(bytes.len()));
        }
        if let Ok(terrain) = Terrain::from_geotiff(&bytes) {
            let _ = terrain.height_m(Point { lon: 106.0465, lat: 29.8345 });
        }
    }
}
