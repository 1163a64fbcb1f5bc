//! Observations as NDJSON: one JSON object a line. Written by a recording gateway, read by `outpost replay`.
//!
//! ```json
//! {"source":"tunnel/7/ch4","at":1767225600000,"received":1767225600012,"reading":{"metric":"ch4","value":1.2,"unit":"%LEL"}}
//! {"source":"bus/3","at":1767225600000,"position":{"lon":106.03,"lat":29.81,"accuracy_m":8}}
//! {"source":"thermal/1","at":1767225600000,"thermal":{"columns":2,"celsius":[20.1,20.3,95.0,21.0]}}
//! {"source":"cam:gate","at":1767225600000,"picture":{"picture":12,"blobs":[[0.1,0.2,0.3,0.9,0.02]]}}
//! {"source":"cam:gate","at":1767225600000,"picture":{"picture":13,"pixels":[640,360],"blobs":[[0.1,0.2,0.3,0.9,0.02]],
//!  "tracks":[{"id":7,"at":[0.1,0.2,0.3,0.9,0.02],"since":1767225590000,"still_ms":0}],"faults":["too-dark"]}}  (in one line)
//! {"source":"cam:gate","at":1767225600000,"link":{"state":"offline","reason":"route"}}
//! ```
//!
//! Times are milliseconds since the Unix epoch; `received` is `at` where it is left out.

use std::io::{BufRead, Read};
use std::sync::Arc;

use ndarray::Array2;
use outpost_detectors::observation::{
    Aim, Blob, Fact, Link, LinkReason, LinkState, Observation, PictureFacts, Position, Reading, Scale, Sight,
    SightFault, Surface, ThermalFrame, Track,
};
use serde::{Deserialize, Serialize};

/// Longest line of a recording.
const LINE_BYTES_MAX: u64 = 32 << 20;

/// Pixels of a thermal frame, blobs of a picture.
const PIXELS_MAX: usize = 1 << 20;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    source: Arc<str>,
    at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    received: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reading: Option<ReadingLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    position: Option<PositionLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    thermal: Option<ThermalLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    picture: Option<PictureLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    link: Option<LinkLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadingLine {
    metric: Arc<str>,
    value: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unit: Option<Arc<str>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PositionLine {
    lon: f64,
    lat: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accuracy_m: Option<f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ThermalLine {
    columns: usize,
    /// Null where a pixel is bad.
    celsius: Vec<Option<f32>>,
    /// The numbers are levels of white-hot video, no degrees.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    levels: bool,
    /// Emissivity and what is reflected, degrees Celsius, that the imager took the surface for; a black body where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    surface: Option<[f32; 2]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    aim: Option<AimLine>,
}

/// Where the imager looked, degrees.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AimLine {
    bearing: f64,
    elevation: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fov: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    preset: Option<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PictureLine {
    picture: u64,
    /// Width and height.
    #[serde(default, skip_serializing_if = "is_unknown")]
    pixels: [u32; 2],
    /// Left, top, right, bottom, area.
    blobs: Vec<[f32; 5]>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tracks: Vec<TrackLine>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    vacated: Vec<[f32; 5]>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unsettled: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    faults: Vec<SightFault>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrackLine {
    id: u64,
    at: [f32; 5],
    since: i64,
    #[serde(default)]
    still_ms: i64,
    #[serde(default)]
    travelled: f32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkLine {
    state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("{0}")]
    Fact(String),
}

/// Appends one line, its line end included.
pub fn write(observation: &Observation, out: &mut Vec<u8>) -> Result<(), RecordError> {
    serde_json::to_writer(&mut *out, &to_line(observation))?;
    out.push(b'\n');
    Ok(())
}

/// Hands over each observation of a recording, or what is wrong with its line, with the line's number. `failed` makes an
/// error of one of the file.
pub fn for_each<E>(
    lines: &mut impl BufRead,
    failed: impl Fn(std::io::Error) -> E,
    mut take: impl FnMut(u64, Result<Observation, String>) -> Result<(), E>,
) -> Result<(), E> {
    let mut line = Vec::new();
    for number in 1u64.. {
        line.clear();
        if lines.take(LINE_BYTES_MAX).read_until(b'\n', &mut line).map_err(&failed)? == 0 {
            break;
        }
        let is_whole = line.ends_with(b"\n") || (line.len() as u64) < LINE_BYTES_MAX;
        let observation = match std::str::from_utf8(line.trim_ascii()) {
            _ if !is_whole => {
                lines.skip_until(b'\n').map_err(&failed)?;
                Err(format!("longer than {LINE_BYTES_MAX} bytes"))
            }
            Ok("") => continue,
            Ok(text) => read(text).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        take(number, observation)?;
    }
    Ok(())
}

pub fn read(text: &str) -> Result<Observation, RecordError> {
    let line: Line = serde_json::from_str(text)?;
    let (source, at_ms, received_ms) = (line.source.clone(), line.at, line.received.unwrap_or(line.at));
    Ok(Observation { source, at_ms, received_ms, fact: to_fact(line)? })
}

fn is_unknown(pixels: &[u32; 2]) -> bool {
    *pixels == [0, 0]
}

fn to_line(observation: &Observation) -> Line {
    let mut line = Line {
        source: observation.source.clone(),
        at: observation.at_ms,
        received: (observation.received_ms != observation.at_ms).then_some(observation.received_ms),
        reading: None,
        position: None,
        thermal: None,
        picture: None,
        link: None,
    };
    match &observation.fact {
        Fact::Reading(Reading { metric, value, unit }) => {
            line.reading = Some(ReadingLine { metric: metric.clone(), value: *value, unit: unit.clone() });
        }
        Fact::Position(Position { lon, lat, accuracy_m }) => {
            line.position = Some(PositionLine { lon: *lon, lat: *lat, accuracy_m: *accuracy_m });
        }
        Fact::Thermal(ThermalFrame { celsius, scale, surface, aim }) => {
            let Surface { emissivity, reflected_c } = *surface;
            line.thermal = Some(ThermalLine {
                columns: celsius.ncols(),
                celsius: celsius.iter().map(|pixel_c| Some(*pixel_c).filter(|pixel_c| pixel_c.is_finite())).collect(),
                levels: *scale == Scale::Levels,
                surface: (*surface != Surface::default()).then_some([emissivity, reflected_c]),
                aim: aim.map(|Aim { bearing_deg: bearing, elevation_deg: elevation, fov_deg: fov, preset }| AimLine {
                    bearing,
                    elevation,
                    fov,
                    preset,
                }),
            });
        }
        Fact::Picture(PictureFacts { picture, pixels, blobs, tracks, vacated, sight }) => {
            let of = |blob: &Blob| [blob.left, blob.top, blob.right, blob.bottom, blob.area];
            let track = |track: &Track| TrackLine {
                id: track.id,
                at: of(&track.blob),
                since: track.since_ms,
                still_ms: track.still_ms,
                travelled: track.travelled,
            };
            line.picture = Some(PictureLine {
                picture: *picture,
                pixels: *pixels,
                blobs: blobs.iter().map(of).collect(),
                tracks: tracks.iter().map(track).collect(),
                vacated: vacated.iter().map(of).collect(),
                unsettled: sight.is_unsettled,
                faults: sight.faults.iter().collect(),
            });
        }
        Fact::Link(Link { state, reason }) => {
            let reason = reason.map(|reason| reason.as_str().to_owned());
            line.link = Some(LinkLine { state: state.as_str().to_owned(), reason });
        }
    }
    line
}

fn to_fact(line: Line) -> Result<Fact, RecordError> {
    let error = |what: &str| RecordError::Fact(what.to_owned());
    match (line.reading, line.position, line.thermal, line.picture, line.link) {
        (Some(ReadingLine { metric, value, unit }), None, None, None, None) => {
            Ok(Fact::Reading(Reading { metric, value, unit }))
        }
        (None, Some(PositionLine { lon, lat, accuracy_m }), None, None, None) => {
            outpost_fences::Point::new(lon, lat).ok_or_else(|| error("position: not on the globe"))?;
            Ok(Fact::Position(Position { lon, lat, accuracy_m }))
        }
        (None, None, Some(ThermalLine { columns, celsius, levels, surface, aim }), None, None) => {
            if columns == 0 || celsius.len() % columns != 0 || celsius.len() > PIXELS_MAX {
                return Err(error("thermal: the number of pixels is not rows times columns"));
            }
            let celsius: Vec<f32> = celsius.into_iter().map(|pixel_c| pixel_c.unwrap_or(f32::NAN)).collect();
            let celsius = Array2::from_shape_vec((celsius.len() / columns, columns), celsius)
                .map_err(|shape| RecordError::Fact(format!("thermal: {shape}")))?;
            let surface = surface.map(|[emissivity, reflected_c]| Surface { emissivity, reflected_c });
            if surface.is_some_and(|surface| !(surface.emissivity > 0.0 && surface.emissivity <= 1.0)) {
                return Err(error("thermal: an emissivity is over 0 and at most 1"));
            }
            let aim = aim.map(|AimLine { bearing, elevation, fov, preset }| Aim {
                bearing_deg: bearing,
                elevation_deg: elevation,
                fov_deg: fov,
                preset,
            });
            let surface = surface.unwrap_or_default();
            let scale = if levels { Scale::Levels } else { Scale::Celsius };
            Ok(Fact::Thermal(ThermalFrame { celsius: Arc::new(celsius), scale, surface, aim }))
        }
        (None, None, None, Some(PictureLine { picture, pixels, blobs, tracks, vacated, unsettled, faults }), None) => {
            if blobs.len().max(tracks.len()).max(vacated.len()) > PIXELS_MAX {
                return Err(error("picture: too many blobs"));
            }
            let blob = |[left, top, right, bottom, area]: [f32; 5]| Blob { left, top, right, bottom, area };
            let track = |TrackLine { id, at, since, still_ms, travelled }| Track {
                id,
                blob: blob(at),
                since_ms: since,
                still_ms,
                travelled,
            };
            let mut sight = Sight { is_unsettled: unsettled, ..Sight::default() };
            faults.into_iter().for_each(|fault| sight.faults.set(fault, true));
            Ok(Fact::Picture(PictureFacts {
                picture,
                pixels,
                blobs: blobs.into_iter().map(blob).collect(),
                tracks: tracks.into_iter().map(track).collect(),
                vacated: vacated.into_iter().map(blob).collect(),
                sight,
            }))
        }
        (None, None, None, None, Some(link)) => {
            let states = [LinkState::Connecting, LinkState::Live, LinkState::Stalled, LinkState::Offline];
            let state = states.into_iter().find(|state| state.as_str() == link.state);
            let reasons =
                [LinkReason::Auth, LinkReason::Route, LinkReason::Codec, LinkReason::Stall, LinkReason::Protocol];
            let reason = match link.reason {
                Some(text) => Some(
                    reasons
                        .into_iter()
                        .find(|reason| reason.as_str() == text)
                        .ok_or_else(|| RecordError::Fact(format!("link: unknown reason {text:?}")))?,
                ),
                None => None,
            };
            let state = state.ok_or_else(|| RecordError::Fact(format!("link: unknown state {:?}", link.state)))?;
            Ok(Fact::Link(Link { state, reason }))
        }
        _ => Err(error("a line carries exactly one of reading, position, thermal, picture, link")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thermal_frame_comes_back_as_it_was_written_in_degrees_or_in_levels() {
        for scale in [Scale::Celsius, Scale::Levels] {
            let celsius = Array2::from_shape_fn((2, 3), |(row, column)| (10 * row + column) as f32 + 0.25);
            let aim = Aim { bearing_deg: 140.0, elevation_deg: -3.0, fov_deg: None, preset: Some(2) };
            let frame = ThermalFrame { celsius: Arc::new(celsius), scale, surface: Surface::default(), aim: Some(aim) };
            let observation =
                Observation { source: "cam:ridge@2".into(), at_ms: 5, received_ms: 7, fact: Fact::Thermal(frame) };
            let mut line = Vec::new();
            write(&observation, &mut line).unwrap();
            let text = std::str::from_utf8(&line).unwrap();
            assert_eq!(text.contains("levels"), scale == Scale::Levels, "{text}");
            assert_eq!(read(text).unwrap(), observation);
        }
    }
}
