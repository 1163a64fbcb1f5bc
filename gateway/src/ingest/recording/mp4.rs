//! Where the pictures of an MP4 file (ISO 14496-12) are, plain or in fragments. Reads boxes, no pictures.

use std::io::{Read, Seek, SeekFrom};

use mp4_atom::{Atom, Codec as SampleEntry, DecodeAtom, FourCC, Header, Moof, Moov, ReadFrom, Stbl, StszSamples, Trak};

use crate::video::decoder::Codec;

/// Most bytes of one box that describes pictures, and most pictures: a day at 25 a second takes half of each.
const BOX_BYTES_MAX: usize = 64 << 20;
const SAMPLES_MAX: usize = 4 << 20;

const START_CODE: [u8; 4] = [0, 0, 0, 1];

#[derive(Debug, thiserror::Error)]
pub enum Mp4Error {
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    #[error("is no MP4 file: {0}")]
    Boxes(#[from] mp4_atom::Error),
    #[error("has no H.264 or H.265 track")]
    NoVideo,
    #[error("box {kind} of {n_bytes} bytes: more than {BOX_BYTES_MAX} describe no recording")]
    BoxTooLarge { kind: FourCC, n_bytes: usize },
    #[error("has more than {SAMPLES_MAX} pictures")]
    TooManySamples,
    #[error("its tables do not fit together: {0}")]
    Tables(&'static str),
}

/// One coded picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) offset: u64,
    pub(super) n_bytes: u32,
    /// When it is decoded, and when shown, in milliseconds from the beginning.
    pub(super) decode_ms: i64,
    pub(super) show_ms: i64,
    pub(super) key: bool,
}

/// The first video track of a file, in the order of decoding.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) codec: Codec,
    pub(super) size: (u32, u32),
    pub(super) samples: Vec<Sample>,
    /// Annex B, out of the sample entry.
    parameters: Vec<u8>,
    /// Bytes of the length before each NAL unit.
    length_bytes: usize,
}

impl Index {
    /// Reads the whole file but its pictures.
    pub(super) fn read(file: &mut (impl Read + Seek)) -> Result<Index, Mp4Error> {
        let end = file.seek(SeekFrom::End(0))?;
        let mut at = 0;
        let mut track: Option<Track> = None;
        while at < end {
            file.seek(SeekFrom::Start(at))?;
            let header = Header::read_from(file)?;
            let begins = file.stream_position()?;
            let n_bytes = header.size.unwrap_or(usize::try_from(end - begins).unwrap_or(usize::MAX));
            if header.kind == Moov::KIND {
                let moov: Moov = read_box(file, &header, n_bytes)?;
                track = Some(Track::of(&moov)?);
            } else if header.kind == Moof::KIND {
                let moof: Moof = read_box(file, &header, n_bytes)?;
                track.as_mut().ok_or(Mp4Error::Tables("a fragment before the file says of what"))?.add(&moof, at)?;
            }
            // A box is never empty: its header alone has eight bytes.
            at = begins.saturating_add(n_bytes as u64);
        }
        // A recorder that lost power leaves its last fragment cut off: what comes before it is played.
        if at > end && track.is_none() {
            return Err(Mp4Error::Tables("a box is longer than the file"));
        }
        track.ok_or(Mp4Error::NoVideo).map(|track| track.index)
    }

    /// A picture as the decoders take it: Annex B, with parameter sets where it is a key frame. None where lengths do not add
    /// up.
    pub(super) fn annex_b(&self, sample: &Sample, mut bytes: &[u8]) -> Option<Vec<u8>> {
        let mut unit = Vec::with_capacity(bytes.len() + self.parameters.len());
        if sample.key {
            unit.extend_from_slice(&self.parameters);
        }
        while !bytes.is_empty() {
            let (length, rest) = bytes.split_at_checked(self.length_bytes)?;
            let length = length.iter().fold(0usize, |length, byte| length << 8 | usize::from(*byte));
            let (nal, rest) = rest.split_at_checked(length)?;
            unit.extend_from_slice(&START_CODE);
            unit.extend_from_slice(nal);
            bytes = rest;
        }
        Some(unit)
    }
}

fn read_box<T: DecodeAtom>(file: &mut impl Read, header: &Header, n_bytes: usize) -> Result<T, Mp4Error> {
    if n_bytes > BOX_BYTES_MAX {
        return Err(Mp4Error::BoxTooLarge { kind: header.kind, n_bytes });
    }
    let mut body = vec![0; n_bytes];
    file.read_exact(&mut body)?;
    Ok(T::decode_atom(&Header { kind: header.kind, size: Some(n_bytes) }, &mut &body[..])?)
}

/// A track while its fragments are read.
struct Track {
    index: Index,
    id: u32,
    timescale: i64,
    /// End of the last sample, in ticks.
    end: i64,
    /// What fragments leave out.
    default_duration: u32,
    default_size: u32,
    default_flags: u32,
}

/// In the sample flags of a fragment: no place to begin decoding.
const NON_SYNC: u32 = 0x0001_0000;

impl Track {
    fn of(moov: &Moov) -> Result<Track, Mp4Error> {
        let found =
            moov.trak.iter().find_map(|trak| Some((trak, parameters(trak.mdia.minf.stbl.stsd.codecs.first()?)?)));
        let (trak, (codec, parameters, length_bytes)) = found.ok_or(Mp4Error::NoVideo)?;
        let visual = trak.mdia.minf.stbl.stsd.codecs.first().and_then(|entry| entry.visual());
        let size = visual.map_or((0, 0), |visual| (visual.width.into(), visual.height.into()));
        let timescale = i64::from(trak.mdia.mdhd.timescale);
        if timescale == 0 {
            return Err(Mp4Error::Tables("time goes by no clock"));
        }
        let trex = moov.mvex.iter().flat_map(|mvex| &mvex.trex).find(|trex| trex.track_id == trak.tkhd.track_id);
        let mut track = Track {
            index: Index { codec, size, samples: Vec::new(), parameters, length_bytes },
            id: trak.tkhd.track_id,
            timescale,
            end: 0,
            default_duration: trex.map_or(0, |trex| trex.default_sample_duration),
            default_size: trex.map_or(0, |trex| trex.default_sample_size),
            default_flags: trex.map_or(0, |trex| trex.default_sample_flags),
        };
        track.add_plain(trak)?;
        Ok(track)
    }

    fn push(&mut self, offset: u64, n_bytes: u32, shift: i64, key: bool, duration: u32) -> Result<(), Mp4Error> {
        if self.index.samples.len() >= SAMPLES_MAX {
            return Err(Mp4Error::TooManySamples);
        }
        let ms = |ticks: i64| (i128::from(ticks) * 1_000 / i128::from(self.timescale)) as i64;
        let (decode_ms, show_ms) = (ms(self.end), ms(self.end.saturating_add(shift)));
        self.index.samples.push(Sample { offset, n_bytes, decode_ms, show_ms, key });
        self.end = self.end.saturating_add(duration.into());
        Ok(())
    }

    /// What the tables of the whole file list.
    fn add_plain(&mut self, trak: &Trak) -> Result<(), Mp4Error> {
        let stbl = &trak.mdia.minf.stbl;
        let sizes = Sizes(&stbl.stsz.samples);
        let mut durations = runs(stbl.stts.entries.iter().map(|entry| (entry.sample_count, entry.sample_delta)));
        let shifts = stbl.ctts.iter().flat_map(|ctts| &ctts.entries);
        let mut shifts = runs(shifts.map(|entry| (entry.sample_count, entry.sample_offset)));
        let mut number = 0;
        for (chunk, mut offset) in chunk_offsets(stbl).enumerate() {
            for _ in 0..samples_of_chunk(stbl, chunk as u32 + 1) {
                let Some(n_bytes) = sizes.get(number) else { return Ok(()) };
                let key =
                    stbl.stss.as_ref().is_none_or(|keys| keys.entries.binary_search(&(number as u32 + 1)).is_ok());
                let duration = durations.next().ok_or(Mp4Error::Tables("not every picture has a duration"))?;
                self.push(offset, n_bytes, shifts.next().unwrap_or(0), key, duration)?;
                offset = offset.saturating_add(n_bytes.into());
                number += 1;
            }
        }
        if sizes.get(number).is_some() {
            return Err(Mp4Error::Tables("not every picture has a place"));
        }
        Ok(())
    }

    /// What a fragment that begins at `at` lists.
    fn add(&mut self, moof: &Moof, at: u64) -> Result<(), Mp4Error> {
        let id = self.id;
        for traf in moof.traf.iter().filter(|traf| traf.tfhd.track_id == id) {
            let tfhd = &traf.tfhd;
            if let Some(tfdt) = &traf.tfdt {
                self.end = i64::try_from(tfdt.base_media_decode_time).unwrap_or(i64::MAX);
            }
            let base = tfhd.base_data_offset.unwrap_or(at);
            let mut offset = base;
            for trun in &traf.trun {
                if let Some(from) = trun.data_offset {
                    offset = base.saturating_add_signed(from.into());
                }
                for sample in &trun.samples {
                    let n_bytes = sample.size.or(tfhd.default_sample_size).unwrap_or(self.default_size);
                    let duration = sample.duration.or(tfhd.default_sample_duration).unwrap_or(self.default_duration);
                    let flags = sample.flags.or(tfhd.default_sample_flags).unwrap_or(self.default_flags);
                    self.push(offset, n_bytes, sample.cts.unwrap_or(0), flags & NON_SYNC == 0, duration)?;
                    offset = offset.saturating_add(n_bytes.into());
                }
            }
        }
        Ok(())
    }
}

/// Runs of equal values, value by value.
fn runs<T: Copy>(entries: impl Iterator<Item = (u32, T)>) -> impl Iterator<Item = T> {
    entries.flat_map(|(n, value)| std::iter::repeat_n(value, n as usize))
}

struct Sizes<'a>(&'a StszSamples);

impl Sizes<'_> {
    fn get(&self, number: usize) -> Option<u32> {
        match self.0 {
            StszSamples::Identical { count, size } => (number < *count as usize).then_some(*size),
            StszSamples::Different { sizes } => sizes.get(number).copied(),
        }
    }
}

fn chunk_offsets(stbl: &Stbl) -> impl Iterator<Item = u64> {
    let short = stbl.stco.iter().flat_map(|stco| stco.entries.iter().map(|offset| u64::from(*offset)));
    let long = stbl.co64.iter().flat_map(|co64| co64.entries.iter().copied());
    short.chain(long)
}

/// Chunks are numbered from 1; an entry holds until the next one's first chunk.
fn samples_of_chunk(stbl: &Stbl, chunk: u32) -> u32 {
    let entries = &stbl.stsc.entries;
    let after = entries.partition_point(|entry| entry.first_chunk <= chunk);
    after.checked_sub(1).map_or(0, |at| entries[at].samples_per_chunk)
}

/// Codec, parameter sets as Annex B, and bytes of a NAL unit's length.
fn parameters(entry: &SampleEntry) -> Option<(Codec, Vec<u8>, usize)> {
    let (codec, sets, length_bytes): (_, Vec<&[u8]>, _) = match entry {
        SampleEntry::Avc1(avc1) => (Codec::H264, avc_sets(&avc1.avcc), avc1.avcc.length_size),
        SampleEntry::Avc3(avc3) => (Codec::H264, avc_sets(&avc3.avcc), avc3.avcc.length_size),
        SampleEntry::Hvc1(hvc1) => (Codec::H265, hevc_sets(&hvc1.hvcc), hvc1.hvcc.length_size_minus_one + 1),
        SampleEntry::Hev1(hev1) => (Codec::H265, hevc_sets(&hev1.hvcc), hev1.hvcc.length_size_minus_one + 1),
        _ => return None,
    };
    let annex_b = sets.iter().flat_map(|set| START_CODE.iter().chain(set.iter()).copied()).collect();
    Some((codec, annex_b, usize::from(length_bytes.clamp(1, 4))))
}

fn avc_sets(avcc: &mp4_atom::Avcc) -> Vec<&[u8]> {
    avcc.sequence_parameter_sets.iter().chain(&avcc.picture_parameter_sets).map(Vec::as_slice).collect()
}

fn hevc_sets(hvcc: &mp4_atom::Hvcc) -> Vec<&[u8]> {
    hvcc.arrays.iter().flat_map(|array| array.nalus.iter().map(Vec::as_slice)).collect()
}
