//! WebP without Exif, XMP and chunks of makers. RFC 9649, 2.

use super::MediaError;

pub(super) const KIND: &str = "image/webp";

const HEADER_BYTES: usize = 12;
/// What makes up the picture.
const SHOWN: [&[u8; 4]; 7] = [b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"];
/// Of VP8X's flags those that announce Exif and XMP.
const ANNOUNCED: u8 = 0x08 | 0x04;

pub(super) fn is_webp(bytes: &[u8]) -> bool {
    bytes.starts_with(b"RIFF") && bytes.get(8..HEADER_BYTES) == Some(b"WEBP")
}

pub(super) fn strip(webp: &[u8]) -> Result<Vec<u8>, MediaError> {
    let broken = |at, what| MediaError::Broken { kind: KIND, at, what };
    let u32_at = |at: usize| {
        let four: Option<[u8; 4]> = webp.get(at..at + 4).and_then(|four| four.try_into().ok());
        four.map(|four| u32::from_le_bytes(four) as usize)
    };
    let said = u32_at(4).unwrap_or(0);
    let riff = webp.get(..said.saturating_add(8)).ok_or_else(|| broken(webp.len(), "the picture is cut off"))?;
    let mut out = webp[..HEADER_BYTES].to_vec();
    let mut at = HEADER_BYTES;
    while at < riff.len() {
        let cut_off = || broken(at, "the picture is cut off in a chunk");
        let length = u32_at(at + 4).ok_or_else(cut_off)?;
        // Chunks begin at even offsets.
        let end = at.checked_add(8 + length + length % 2).ok_or_else(cut_off)?;
        let chunk = riff.get(at..end).ok_or_else(cut_off)?;
        if SHOWN.iter().any(|shown| *shown == &chunk[..4]) {
            let from = out.len();
            out.extend_from_slice(chunk);
            if chunk.starts_with(b"VP8X") && length > 0 {
                out[from + 8] &= !ANNOUNCED;
            }
        }
        at = end;
    }
    let size = u32::try_from(out.len() - 8).map_err(|_| broken(0, "it is too large"))?;
    out[4..8].copy_from_slice(&size.to_le_bytes());
    Ok(out)
}
