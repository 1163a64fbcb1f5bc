//! JPEG without the segments in which cameras write of themselves: Exif with its place and maker's notes, XMP, IPTC, comments,
//! and whatever follows the picture (thumbnails, films with sound). What is needed to show it stays: JFIF, Adobe's transform, a
//! colour profile, and of Exif which side is up. ITU-T T.81, Annex B; Exif 2.32, 4.6.

use super::MediaError;

pub(super) const KIND: &str = "image/jpeg";
pub(super) const MAGIC: &[u8] = &[0xff, 0xd8, 0xff];

const SOI: [u8; 2] = [0xff, 0xd8];
const APP0: u8 = 0xe0;
const APP1: u8 = 0xe1;
const APP2: u8 = 0xe2;
const APP14: u8 = 0xee;
const APP15: u8 = 0xef;
const COMMENT: u8 = 0xfe;
const START_OF_SCAN: u8 = 0xda;
const END_OF_IMAGE: u8 = 0xd9;

const EXIF: &[u8] = b"Exif\0\0";
const ORIENTATION: u16 = 0x0112;
/// Entries of a directory that are looked at.
const ENTRIES_MAX: usize = 512;

pub(super) fn strip(jpeg: &[u8]) -> Result<Vec<u8>, MediaError> {
    let broken = |at, what| MediaError::Broken { kind: KIND, at, what };
    let mut kept = Vec::with_capacity(jpeg.len());
    let (mut at, mut orientation) = (SOI.len(), None);
    loop {
        let marker = match jpeg.get(at..at + 2) {
            // Fill bytes.
            Some([0xff, 0xff]) => {
                at += 1;
                continue;
            }
            Some(&[0xff, marker]) => marker,
            Some(_) => return Err(broken(at, "expected a marker")),
            None => return Err(broken(at, "the picture is cut off")),
        };
        if marker == END_OF_IMAGE {
            kept.extend_from_slice(&[0xff, END_OF_IMAGE]);
            break;
        }
        if matches!(marker, 0x01 | 0xd0..=0xd8) {
            at += 2;
            continue;
        }
        let length = jpeg.get(at + 2..at + 4).map_or(0, |two| usize::from(u16::from_be_bytes([two[0], two[1]])));
        let segment = (length >= 2).then(|| jpeg.get(at..at + 2 + length)).flatten();
        let segment = segment.ok_or_else(|| broken(at, "the picture is cut off in a segment"))?;
        let body = &segment[4..];
        if marker == APP1 && body.starts_with(EXIF) {
            orientation = orientation.or_else(|| orientation_of(&body[EXIF.len()..]));
        }
        if is_shown(marker, body) {
            kept.extend_from_slice(segment);
        }
        at += segment.len();
        if marker == START_OF_SCAN {
            let end = scan_end(&jpeg[at..]).ok_or_else(|| broken(jpeg.len(), "the picture is cut off"))?;
            kept.extend_from_slice(&jpeg[at..at + end]);
            at += end;
        }
    }
    let mut out = SOI.to_vec();
    out.extend(orientation.into_iter().flat_map(exif_of));
    out.extend(kept);
    Ok(out)
}

/// Whether a segment is needed to show the picture.
fn is_shown(marker: u8, body: &[u8]) -> bool {
    match marker {
        APP0 => body.starts_with(b"JFIF\0"),
        APP2 => body.starts_with(b"ICC_PROFILE\0"),
        APP14 => body.starts_with(b"Adobe"),
        APP0..=APP15 | COMMENT => false,
        _ => true,
    }
}

/// Where the coded data ends: at a marker that is neither a stuffed byte, a restart nor filling.
fn scan_end(data: &[u8]) -> Option<usize> {
    data.windows(2).position(|two| two[0] == 0xff && !matches!(two[1], 0x00 | 0xd0..=0xd7 | 0xff))
}

/// Which side is up, 2 to 8; none where it is as it lies, or not understood.
fn orientation_of(tiff: &[u8]) -> Option<u8> {
    let is_little = match tiff.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let u16_at = |at: usize| {
        let two = tiff.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if is_little { u16::from_le_bytes(two) } else { u16::from_be_bytes(two) })
    };
    let four: [u8; 4] = tiff.get(4..8)?.try_into().ok()?;
    let directory = if is_little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) } as usize;
    let n = usize::from(u16_at(directory)?).min(ENTRIES_MAX);
    let entry = (0..n).map(|i| directory + 2 + 12 * i).find(|at| u16_at(*at) == Some(ORIENTATION))?;
    let value = u8::try_from(u16_at(entry + 8)?).ok()?;
    (2..=8).contains(&value).then_some(value)
}

/// Exif that says which side is up, and nothing else.
fn exif_of(orientation: u8) -> Vec<u8> {
    let mut segment = vec![0xff, APP1, 0, 34];
    segment.extend_from_slice(EXIF);
    segment.extend_from_slice(b"MM\0*\0\0\0\x08\0\x01");
    segment.extend_from_slice(&[0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
    segment.extend_from_slice(&[0; 4]);
    segment
}
