//! What must hold of the cameras: address, place, zones and masks.

use super::Outside;
use super::look::Look;
use super::parts::check_url;
use super::pictures;
use super::tree::Path;
use crate::config::{Camera, Clip, Config, Pace, Span, Transport};

/// Longest part of a clip on either side of its alert.
const CLIP_MARGIN_MAX: Span = Span::from_ms(5 * 60_000);

/// Corners of one polygon.
const CORNERS_MAX: usize = 256;

pub(super) fn check(look: &mut Look<'_>, config: &Config) {
    let paths: Vec<_> = (0..config.cameras.len()).map(|i| look.shape.origin("cameras", i)).collect();
    look.check_ids(paths.iter().cloned().zip(config.cameras.iter().map(|camera| camera.id.as_str())));
    for (at, camera) in paths.iter().zip(&config.cameras) {
        check_camera(look, at, camera);
        check_address(look, at, camera, config.video.files);
    }
}

/// A stream, or a recorded file in its place.
fn check_address(look: &mut Look<'_>, at: &Path, camera: &Camera, may_be_file: bool) {
    let key = at.key("url");
    if !camera.url.starts_with("file:") {
        if let Some(url) = check_url(look, &key, &camera.url, &["rtsp", "rtsps"]) {
            check_transport(look, at, camera, url.scheme() == "rtsps");
        }
        if camera.pace != Pace::Recorded {
            look.warn(&at.key("pace"), "has no effect on a stream: it comes as it comes", None);
        }
    } else if !may_be_file {
        let hint = "[video] files = true, where recordings are to be replayed".to_owned();
        look.error_hint(&key, "files stand for cameras only where that is allowed", Some(hint));
    } else {
        match camera.recording() {
            None => look.error(&key, "a file's address has three slashes and the whole path: file:///srv/gate.mp4"),
            Some(path) if look.outside == Outside::Looked && !path.is_file() => {
                look.error(&key, format!("there is no file {}", path.display()));
            }
            Some(_) => {}
        }
    }
    if let Some(main) = &camera.main {
        check_url(look, &at.key("main"), main, &["rtsp", "rtsps"]);
        if !camera.masks.is_empty() {
            look.warn(&at.key("main"), "has no effect beside masks: no clip is made", None);
        }
    }
}

fn check_camera(look: &mut Look<'_>, at: &Path, camera: &Camera) {
    if camera.id.contains(['/', '+', '#', '*']) {
        look.error(&at.key("id"), "a camera's id is one level of a source name: no \"/\", \"+\", \"#\" or \"*\"");
    }
    if camera.password.is_some() && camera.username.is_none() {
        look.error(&at.key("password"), "there is no username to it");
    }
    look.check_secret(&at.key("password"), camera.password.as_ref());
    look.check_place(&at.key("place"), camera.place);
    let zones = at.key("zones");
    look.check_ids(camera.zones.iter().enumerate().map(|(j, zone)| (zones.index(j), zone.id.as_str())));
    for (j, zone) in camera.zones.iter().enumerate() {
        check_polygon(look, &zones.index(j).key("polygon"), &zone.polygon);
    }
    for (j, mask) in camera.masks.iter().enumerate() {
        check_polygon(look, &at.key("masks").index(j), mask);
    }
    pictures::check_camera(look, at, camera);
    if let Some(clip) = &camera.clip {
        check_clip(look, &at.key("clip"), clip);
        if !clip.is_off() && !camera.masks.is_empty() {
            let hint = "clips are not drawn over: of a camera with masks none is made".to_owned();
            look.warn(&at.key("clip"), "has no effect beside masks", Some(hint));
        }
    }
    let spans = [
        ("dark_after", camera.dark_after),
        ("open_timeout", camera.open_timeout),
        ("stall_after", camera.stall_after),
        ("retry_max", camera.retry_max),
    ];
    for (key, span) in spans {
        look.check_positive(&at.key(key), span);
    }
    look.check_bytes(&at.key("frame_bytes_max"), camera.frame_bytes_max, 1 << 12, 64 << 20);
    look.check_bytes(&at.key("memory_max"), camera.memory_max, 1 << 20, 1 << 30);
    if camera.memory_max.0 / 4 < camera.frame_bytes_max.0 {
        let text = format!("a quarter of it must hold one frame (frame_bytes_max, {} bytes)", camera.frame_bytes_max.0);
        look.error(&at.key("memory_max"), text);
    }
}

pub(super) fn check_clip(look: &mut Look<'_>, at: &Path, clip: &Clip) {
    for (key, span) in [("before", clip.before), ("after", clip.after)] {
        if span > CLIP_MARGIN_MAX {
            look.error(&at.key(key), "five minutes at the most: clips are kept in memory until they are complete");
        }
    }
}

fn check_transport(look: &mut Look<'_>, at: &Path, camera: &Camera, is_tls: bool) {
    if is_tls && camera.transport == Transport::Udp {
        look.error(&at.key("transport"), "over UDP pictures would come in clear: rtsps goes with \"tcp\"");
    }
    let Some(ca_file) = &camera.ca_file else { return };
    if !is_tls {
        look.warn(&at.key("ca_file"), "has no effect unless the address begins with rtsps://", None);
    }
    if look.outside == Outside::Looked && !ca_file.is_file() {
        look.error(&at.key("ca_file"), format!("there is no file {}", ca_file.display()));
    }
}

fn check_polygon(look: &mut Look<'_>, at: &Path, polygon: &[[f32; 2]]) {
    if !(3..=CORNERS_MAX).contains(&polygon.len()) {
        return look.error(at, format!("a polygon has 3 to {CORNERS_MAX} points, this one has {}", polygon.len()));
    }
    if let Some(k) = polygon.iter().position(|point| point.iter().any(|c| !(0.0..=1.0).contains(c))) {
        let [x, y] = polygon[k];
        let hint = (x > 1.0 || y > 1.0).then(|| "shares of the picture's width and height, not pixels".to_owned());
        return look.error_hint(&at.index(k), format!("[{x}, {y}] is not in the picture, 0..1"), hint);
    }
    let next = polygon.iter().cycle().skip(1);
    let doubled: f64 = polygon
        .iter()
        .zip(next)
        .map(|(a, b)| f64::from(a[0]) * f64::from(b[1]) - f64::from(b[0]) * f64::from(a[1]))
        .sum();
    if doubled.abs() < 1e-9 {
        look.error(at, "the points lie on one line: the polygon has no area");
    }
}
