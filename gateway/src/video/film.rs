//! Coded pictures → fragmented MP4 (ISO 14496-12), without coding them anew: one fragment per group of pictures. Knows
//! nothing of cameras or files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use mp4_atom::{
    Codec as SampleEntry, Decode, Dinf, Dref, DrefEntry, Encode, Ftyp, Hdlr, Mdhd, Mdia, Mehd, Mfhd, Minf, Moof, Moov,
    Mvex, Mvhd, Stbl, Stco, Stsd, Tfdt, Tfhd, Tkhd, Traf, Trak, Trex, Trun, TrunEntry, Url, Vmhd,
};
use retina::codec::{Depacketizer, FrameFormat, ParametersRef};

use super::decoder::Codec;
use super::nals::{self, Kind};

/// Ticks a second: times are milliseconds.
const TIMESCALE: u32 = 1_000;

/// A camera's own times count unless they part from those of arrival by more than this: many jump when a clock is set.
pub(super) const SKEW_MS_MAX: i64 = 2_000;

/// No clip is longer than this: a time beyond it is nonsense.
const SPAN_MS_MAX: i64 = 3_600_000;

/// How long the last picture is shown where nothing tells.
const LAST_MS: i64 = 40;

const TRACK: u32 = 1;

/// Sample flags (ISO 14496-12, 8.8.3.1): depends on no other picture; depends on others and is no place to begin.
const KEY_FLAGS: u32 = 0x0200_0000;
const DELTA_FLAGS: u32 = 0x0101_0000;

/// Seconds from 1904, where MP4 counts from, to 1970.
const EPOCH_S: u64 = 2_082_844_800;

/// One coded picture.
#[derive(Debug, Clone)]
pub(crate) struct Shot {
    /// Annex B, with parameter sets where it is a key frame.
    pub(crate) data: Bytes,
    pub(crate) key: bool,
    pub(crate) received_ms: i64,
    /// By the camera's clock, counted from anywhere.
    pub(crate) media_ms: Option<i64>,
}

/// Pictures in the order of decoding, from a key frame on, under the same parameters.
#[derive(Debug, Clone)]
pub(crate) struct Film {
    pub(crate) codec: Codec,
    pub(crate) shots: Vec<Shot>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum FilmError {
    #[error("{0} cannot be put into a clip without coding it anew")]
    Codec(&'static str),
    #[error("there is no picture in it")]
    Empty,
    #[error("its parameter sets are not understood")]
    Parameters,
    #[error("{0}")]
    Boxes(#[from] mp4_atom::Error),
}

/// When a sample is decoded, and how much later it is shown, in milliseconds from the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timing {
    pub(super) decode_ms: i64,
    pub(super) offset_ms: i64,
}

/// The boxes before the first fragment.
pub(super) struct Head {
    pub(super) boxes: Vec<u8>,
    /// RFC 6381: what browsers call the codec with its parameters.
    pub(super) name: String,
}

impl Film {
    /// The whole file.
    pub(crate) fn to_mp4(&self) -> Result<Vec<u8>, FilmError> {
        let first = self.shots.first().filter(|shot| shot.key).ok_or(FilmError::Empty)?;
        let timings = timings(&self.shots);
        let end_ms = timings.last().map_or(0, |last| last.decode_ms) + last_ms(&timings);
        let mut file = head(self.codec, first, Some(end_ms.unsigned_abs()))?.boxes;
        file.reserve(self.shots.iter().map(|shot| shot.data.len() + 32).sum());
        let begins: Vec<usize> = (0..self.shots.len()).filter(|at| self.shots[*at].key).collect();
        for (number, from) in begins.iter().enumerate() {
            let to = begins.get(number + 1).copied().unwrap_or(self.shots.len());
            let next_ms = timings.get(to).map_or(end_ms, |next| next.decode_ms);
            let (shots, timings) = (&self.shots[*from..to], &timings[*from..to]);
            fragment(self.codec, number as u32 + 1, shots, timings, next_ms, &mut file)?;
        }
        Ok(file)
    }
}

/// What a decoder has to know before the first fragment, out of a key frame. `duration_ms`: None where nobody knows yet.
pub(super) fn head(codec: Codec, first: &Shot, duration_ms: Option<u64>) -> Result<Head, FilmError> {
    let (entry, name) = sample_entry(codec, &first.data)?;
    let mut boxes = Vec::with_capacity(1_024);
    Ftyp { major_brand: b"iso6".into(), minor_version: 0, compatible_brands: vec![b"iso6".into(), b"mp41".into()] }
        .encode(&mut boxes)?;
    moov(entry, first.received_ms, duration_ms).encode(&mut boxes)?;
    Ok(Head { boxes, name })
}

/// Pictures in the order of decoding, of which the first after them is decoded at `next_ms`.
pub(super) fn fragment(
    codec: Codec,
    number: u32,
    shots: &[Shot],
    timings: &[Timing],
    next_ms: i64,
    file: &mut Vec<u8>,
) -> Result<(), FilmError> {
    let mut samples = Vec::new();
    let ends = timings.iter().skip(1).map(|timing| timing.decode_ms).chain([next_ms]);
    let mut entries = Vec::with_capacity(shots.len());
    for ((shot, timing), end_ms) in shots.iter().zip(timings).zip(ends) {
        let from = samples.len();
        push_sample(codec, &shot.data, &mut samples);
        entries.push(TrunEntry {
            duration: Some((end_ms - timing.decode_ms) as u32),
            size: Some((samples.len() - from) as u32),
            flags: Some(if shot.key { KEY_FLAGS } else { DELTA_FLAGS }),
            cts: Some(timing.offset_ms),
        });
    }
    let begin_ms = timings.first().map_or(0, |first| first.decode_ms).unsigned_abs();
    let mut moof = moof(number, begin_ms, entries);
    let mut head = Vec::new();
    moof.encode(&mut head)?;
    // Samples begin behind this box and the header of the next one; how long the box is does not hang on the number.
    moof.traf[0].trun[0].data_offset = Some((head.len() + 8) as i32);
    moof.encode(file)?;
    file.extend_from_slice(&(samples.len() as u32 + 8).to_be_bytes());
    file.extend_from_slice(b"mdat");
    file.append(&mut samples);
    Ok(())
}

/// NAL units with their lengths before them; parameter sets stand in the sample entry, and padding nowhere.
fn push_sample(codec: Codec, unit: &[u8], out: &mut Vec<u8>) {
    for nal in nals::split(unit).filter(|nal| matches!(nals::kind(codec, nal), Kind::Slice | Kind::Other)) {
        out.extend_from_slice(&(nal.len() as u32).to_be_bytes());
        out.extend_from_slice(nal);
    }
}

/// A key frame's parameter sets as a box, and the codec's name. retina reads them and writes the box. A recording may have the
/// same set in its head and in its pictures: once is enough, and more than once is refused.
fn sample_entry(codec: Codec, key: &[u8]) -> Result<(SampleEntry, String), FilmError> {
    let mut known: Vec<&[u8]> = Vec::new();
    for set in nals::parameter_sets(codec, key) {
        if !known.contains(&set) {
            known.push(set);
        }
    }
    let sets = known.into_iter();
    let (encoding, parameters) = match codec {
        Codec::H264 => {
            let sets: Vec<String> =
                sets.filter(|nal| matches!(nal[0] & 0x1f, 7 | 8)).map(|nal| BASE64.encode(nal)).collect();
            ("h264", format!("sprop-parameter-sets={}", sets.join(",")))
        }
        Codec::H265 => {
            let name = |nal: &[u8]| ["vps", "sps", "pps"][usize::from(nal[0] >> 1 & 0x3f) - 32];
            let sets: Vec<String> = sets.map(|nal| format!("sprop-{}={}", name(nal), BASE64.encode(nal))).collect();
            ("h265", sets.join(";"))
        }
        Codec::Mjpeg => return Err(FilmError::Codec(codec.as_str())),
    };
    let mut reader =
        Depacketizer::new("video", encoding, 90_000, None, Some(&parameters)).map_err(|_| FilmError::Parameters)?;
    reader.set_frame_format(FrameFormat::MP4);
    let Some(ParametersRef::Video(video)) = reader.parameters() else { return Err(FilmError::Parameters) };
    let entry = video.mp4_sample_entry().build().map_err(|_| FilmError::Parameters)?;
    Ok((SampleEntry::decode(&mut &entry[..])?, video.rfc6381_codec().to_owned()))
}

fn moov(entry: SampleEntry, created_ms: i64, duration_ms: Option<u64>) -> Moov {
    let (width, height) = entry.visual().map_or((0, 0), |visual| (visual.width, visual.height));
    let created = EPOCH_S.saturating_add_signed(created_ms / 1_000);
    let track = Trak {
        tkhd: Tkhd {
            creation_time: created,
            modification_time: created,
            track_id: TRACK,
            enabled: true,
            in_movie: true,
            width: width.into(),
            height: height.into(),
            ..Tkhd::default()
        },
        mdia: Mdia {
            mdhd: Mdhd {
                creation_time: created,
                modification_time: created,
                timescale: TIMESCALE,
                duration: 0,
                language: "und".into(),
            },
            hdlr: Hdlr { handler: b"vide".into(), name: "video".into() },
            minf: Minf {
                vmhd: Some(Vmhd::default()),
                dinf: Dinf { dref: Dref { entries: vec![DrefEntry::Url(Url::default())] } },
                stbl: Stbl { stsd: Stsd { codecs: vec![entry] }, stco: Some(Stco::default()), ..Stbl::default() },
                ..Minf::default()
            },
        },
        ..Trak::default()
    };
    Moov {
        mvhd: Mvhd {
            creation_time: created,
            modification_time: created,
            timescale: TIMESCALE,
            rate: 1.into(),
            volume: 1.into(),
            next_track_id: TRACK + 1,
            ..Mvhd::default()
        },
        trak: vec![track],
        mvex: Some(Mvex {
            mehd: duration_ms.map(|fragment_duration| Mehd { fragment_duration }),
            trex: vec![Trex { track_id: TRACK, default_sample_description_index: 1, ..Trex::default() }],
        }),
        ..Moov::default()
    }
}

fn moof(number: u32, begin_ms: u64, entries: Vec<TrunEntry>) -> Moof {
    Moof {
        mfhd: Mfhd { sequence_number: number },
        traf: vec![Traf {
            tfhd: Tfhd { track_id: TRACK, default_base_is_moof: true, ..Tfhd::default() },
            tfdt: Some(Tfdt { base_media_decode_time: begin_ms }),
            trun: vec![Trun { data_offset: Some(0), samples: entries.into() }],
            ..Traf::default()
        }],
    }
}

/// Streams with B-frames are decoded in another order than they are shown in, and RTP tells only the latter: decoding goes
/// by the same times in order.
fn timings(shots: &[Shot]) -> Vec<Timing> {
    let shown = shown_ms(shots);
    let mut decoded = shown.clone();
    decoded.sort_unstable();
    for at in 1..decoded.len() {
        decoded[at] = decoded[at].max(decoded[at - 1] + 1);
    }
    let timing = |(decode_ms, shown_ms)| Timing { decode_ms, offset_ms: shown_ms - decode_ms };
    decoded.into_iter().zip(shown).map(timing).collect()
}

/// When each is shown, the first at 0.
fn shown_ms(shots: &[Shot]) -> Vec<i64> {
    let Some(first) = shots.first() else { return Vec::new() };
    let by_camera: Option<Vec<i64>> = shots
        .iter()
        .map(|shot| {
            let media_ms = shot.media_ms?.checked_sub(first.media_ms?)?;
            let arrived_ms = shot.received_ms.checked_sub(first.received_ms)?;
            (media_ms.abs_diff(arrived_ms) <= SKEW_MS_MAX.unsigned_abs()).then_some(media_ms)
        })
        .collect();
    let mut shown = by_camera.unwrap_or_else(|| {
        let arrived = shots.iter().map(|shot| shot.received_ms.saturating_sub(first.received_ms).max(0));
        arrived.collect()
    });
    let least = shown.iter().copied().min().unwrap_or(0);
    shown.iter_mut().for_each(|ms| *ms = ms.saturating_sub(least).min(SPAN_MS_MAX));
    shown
}

fn last_ms(timings: &[Timing]) -> i64 {
    match timings {
        [.., before, last] => last.decode_ms - before.decode_ms,
        _ => LAST_MS,
    }
}

#[cfg(test)]
mod tests;
