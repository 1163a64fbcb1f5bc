//! PNG without texts, times, Exif and chunks of makers. W3C PNG, third edition, 11.

use super::MediaError;

pub(super) const KIND: &str = "image/png";
pub(super) const MAGIC: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Ancillary chunks that change how it looks.
const SHOWN: [&[u8; 4]; 13] = [
    b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT", b"bKGD", b"pHYs", b"hIST", b"acTL", b"fcTL", b"fdAT",
];

/// Length, type and check sum.
const FRAME_BYTES: usize = 12;

pub(super) fn strip(png: &[u8]) -> Result<Vec<u8>, MediaError> {
    let mut out = MAGIC.to_vec();
    let mut at = MAGIC.len();
    loop {
        let cut_off = || MediaError::Broken { kind: KIND, at, what: "the picture is cut off" };
        let head = png.get(at..at + 8).ok_or_else(cut_off)?;
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let end = at.checked_add(length).and_then(|end| end.checked_add(FRAME_BYTES)).ok_or_else(cut_off)?;
        let chunk = png.get(at..end).ok_or_else(cut_off)?;
        let name = &chunk[4..8];
        let is_critical = name[0].is_ascii_uppercase();
        if is_critical || SHOWN.iter().any(|shown| *shown == name) {
            out.extend_from_slice(chunk);
        }
        if name == b"IEND" {
            return Ok(out);
        }
        at = end;
    }
}
