//! What must hold of views over land, and the ground itself, which is read here.

use std::io::Read as _;
use std::path::Path as FilePath;
use std::sync::Arc;

use outpost_fences::FenceSet;
use outpost_fences::sight::Terrain;

use super::look::Look;
use super::tree::Path;
use super::{Outside, parts};
use crate::config::{Config, Land, PtzOf, RoadFiles, Span, ViewOf, fence_file};
use crate::roads::Roads;

/// How far from a road a place may be, in metres.
const REACH_M_MIN: f64 = 50.0;
const REACH_M_MAX: f64 = 5_000.0;
/// Text of one table of roads.
const ROADS_BYTES_MAX: u64 = 512 << 20;

/// How often a mount is asked, and how long for an answer.
const PTZ_MIN: Span = Span::from_ms(100);
const PTZ_MAX: Span = Span::from_ms(60_000);

pub(super) fn check(look: &mut Look<'_>, config: &Config) {
    if let Some(roads) = &config.roads {
        let at = Path::default().key("roads");
        look.check_within(&at.key("reach_m"), roads.reach_m, REACH_M_MIN, REACH_M_MAX);
        if look.outside == Outside::Looked
            && let Err(error) = read_roads(roads, config.desk.officers.speed_kmh, look.file)
        {
            look.error(&at, error);
        }
    }
    for (i, source) in config.sources.iter().enumerate() {
        let Some(view) = &source.view else { continue };
        let at = look.shape.origin("sources", i).key("view");
        check_view(look, &at, view);
        if source.place.is_none() {
            look.error(&at, "a view is from somewhere: give the source's place");
        }
    }
    for (i, source) in config.sources.iter().enumerate() {
        let Some(ptz) = &source.ptz else { continue };
        let at = look.shape.origin("sources", i).key("ptz");
        check_ptz(look, &at, ptz);
        if source.view.is_none() {
            look.error(&at, "a mount turns a view: give the source's view");
        }
    }
    let at = Path::default().key("land");
    if !config.land.flat_m.is_finite() {
        look.error(&at.key("flat_m"), "must be a finite number");
    }
    if look.outside == Outside::Looked
        && let Some(Err(error)) = read(&config.land, look.file)
    {
        let hint = "GeoTIFF and ESRI ASCII grids in degrees are read; gdalwarp -t_srs EPSG:4326 makes one of others";
        look.error_hint(&at.key("file"), error, Some(hint.into()));
    }
}

fn check_ptz(look: &mut Look<'_>, at: &Path, ptz: &PtzOf) {
    parts::check_url(look, &at.key("url"), &ptz.url, &["http", "https"]);
    if ptz.profile.is_empty() {
        look.error(&at.key("profile"), "must not be empty: it is the token of a media profile");
    }
    if ptz.username.is_some() != ptz.password.is_some() {
        look.error(at, "username and password go together");
    }
    look.check_secret(&at.key("password"), ptz.password.as_ref());
    for (key, span) in [("every", ptz.every), ("timeout", ptz.timeout)] {
        if !(PTZ_MIN..=PTZ_MAX).contains(&span) {
            look.error(&at.key(key), "must be 100ms to 60s");
        }
    }
    for (key, range, most) in [("pan", ptz.pan, 360.0), ("tilt", ptz.tilt, 90.0)] {
        if range.iter().any(|degrees| !(-most..=most).contains(degrees)) {
            look.error(&at.key(key), format!("must be within -{most}..{most}"));
        }
    }
    if ptz.zoom.is_some_and(|zoom| zoom.iter().any(|fov| !(0.1..=170.0).contains(fov))) {
        look.error(&at.key("zoom"), "widths of a picture are 0.1 to 170 degrees");
    }
}

fn check_view(look: &mut Look<'_>, at: &Path, view: &ViewOf) {
    let lens = view.from([0.0, 0.0]).lens;
    if !lens.is_sound() {
        look.error(&at.key("fov"), "no lens: 0.1 to 170 degrees, and with k1 bent the same way all over the picture");
    }
    let within = |value: f64, least: f64, most: f64| (least..=most).contains(&value);
    for (key, value, least, most) in [
        ("height_m", view.height_m, -500.0, 9_000.0),
        ("bearing", view.bearing, -360.0, 360.0),
        ("elevation", view.elevation, -90.0, 90.0),
        ("roll", view.roll, -180.0, 180.0),
    ] {
        if !within(value, least, most) {
            look.error(&at.key(key), format!("must be within {least}..{most}"));
        }
    }
    let errors = view.errors;
    for (key, value, most) in [
        ("bearing", errors.bearing, 45.0),
        ("elevation", errors.elevation, 45.0),
        ("roll", errors.roll, 45.0),
        ("position_m", errors.position_m, 1_000.0),
        ("height_m", errors.height_m, 1_000.0),
        ("pixels", errors.pixels, 100.0),
    ] {
        if !within(value, 0.0, most) {
            look.error(&at.key("errors").key(key), format!("must be within 0..{most}"));
        }
    }
}

/// What the configuration names and its users need at hand: terrain, roads, and grids with their ids.
pub(super) fn keep(config: &mut Config, file: &FilePath) {
    if let Some(Ok(terrain)) = read(&config.land, file) {
        config.land.terrain = Some(terrain);
    }
    let kmh = config.desk.officers.speed_kmh;
    if let Some(roads) = &mut config.roads {
        roads.graph = read_roads(roads, kmh, file).ok().map(Arc::new);
    }
    let folder = file.parent().unwrap_or(FilePath::new("")).to_owned();
    let mut ground = Vec::new();
    for entry in config.fences.iter_mut().filter(|entry| entry.grids) {
        let parsed = entry.text(&folder).map(|text| entry.parse(&text).fences);
        let fences = parsed.unwrap_or_default();
        entry.ids = fences.iter().map(|fence| fence.id.clone()).collect();
        ground.extend(fences);
    }
    config.places.ground = Arc::new(FenceSet::new(ground));
}

fn read_roads(files: &RoadFiles, kmh: f64, file: &FilePath) -> Result<Roads, String> {
    let folder = file.parent().unwrap_or(FilePath::new(""));
    let text = |name: &FilePath| {
        let path = folder.join(name);
        if !name.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz")) {
            return fence_file::read(&path);
        }
        let packed = fence_file::read_bytes(&path)?;
        let mut text = String::new();
        // A bound on what comes out of it, too.
        let mut unpacked = flate2::read::GzDecoder::new(packed.as_slice()).take(ROADS_BYTES_MAX + 1);
        let n_bytes = unpacked.read_to_string(&mut text).map_err(|cause| format!("{}: {cause}", path.display()))?;
        if n_bytes as u64 > ROADS_BYTES_MAX {
            return Err(format!("{}: more than {ROADS_BYTES_MAX} bytes when unpacked", path.display()));
        }
        Ok(text)
    };
    Roads::parse(&text(&files.nodes)?, &text(&files.edges)?, kmh, files.reach_m).map_err(|error| error.to_string())
}

fn read(land: &Land, file: &FilePath) -> Option<Result<Arc<Terrain>, String>> {
    let path = file.parent().unwrap_or(FilePath::new("")).join(land.file.as_ref()?);
    let terrain = fence_file::read_bytes(&path).and_then(|bytes| {
        let read = if Terrain::is_geotiff(&bytes) {
            Terrain::from_geotiff(&bytes).map_err(|error| error.to_string())
        } else {
            let text = std::str::from_utf8(&bytes).map_err(|_| "neither a GeoTIFF nor text".to_owned());
            text.and_then(|text| Terrain::from_ascii(text).map_err(|error| error.to_string()))
        };
        read.map(Arc::new).map_err(|error| format!("{}: {error}", path.display()))
    });
    Some(terrain)
}
