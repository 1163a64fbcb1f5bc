//! Gathers the FLIR segments of a JPEG: `FLIR\0`, 0x01, number of the segment, number of the last one, bytes.

use super::RadiometricError;

const SOI_BYTES: usize = 2;
const APP1: u8 = 0xe1;
const APP3: u8 = 0xe3;
const START_OF_SCAN: u8 = 0xda;
const END_OF_IMAGE: u8 = 0xd9;
const FLIR: &[u8] = b"FLIR\0";
/// Of a segment's bytes, what comes before FLIR's own.
const HEADER_BYTES: usize = FLIR.len() + 3;
/// DJI's cameras write their samples to APP3, some hundred kilobytes; other makers' APP3 segments are small.
const DJI_BYTES_MIN: usize = 128 << 10;

/// The bytes of all FLIR segments, in their order. Bounded by the JPEG itself.
pub(super) fn flir_block(jpeg: &[u8]) -> Result<Vec<u8>, RadiometricError> {
    let (mut block, mut next, mut n_app3) = (Vec::new(), 0_u16, 0);
    let mut last: Option<u8> = None;
    let mut at = SOI_BYTES;
    while let Some(Segment { marker, body_at, body }) = segment(jpeg, at)? {
        at = body_at + body.len();
        match marker {
            APP3 => n_app3 += body.len(),
            APP1 if body.starts_with(FLIR) => {
                let &[_, number, of, ..] = &body[FLIR.len()..] else {
                    return Err(RadiometricError::broken(body_at, "a FLIR segment is cut short"));
                };
                if u16::from(number) != next || last.is_some_and(|last| last != of) || number > of {
                    let what = format!("FLIR segment {number} of {of} where {next} is due");
                    return Err(RadiometricError::broken(body_at, what));
                }
                block.extend_from_slice(&body[HEADER_BYTES..]);
                (next, last) = (next + 1, Some(of));
                if number == of {
                    return Ok(block);
                }
            }
            _ => {}
        }
    }
    match last {
        Some(last) => Err(RadiometricError::broken(at, format!("FLIR segment {next} of {last} is missing"))),
        None if n_app3 >= DJI_BYTES_MIN => Err(RadiometricError::Dji),
        None => Err(RadiometricError::NotRadiometric),
    }
}

struct Segment<'a> {
    marker: u8,
    body_at: usize,
    body: &'a [u8],
}

/// The segment at `at`; none where the picture itself begins or the file ends.
fn segment(jpeg: &[u8], mut at: usize) -> Result<Option<Segment<'_>>, RadiometricError> {
    while let Some(&[0xff, marker]) = jpeg.get(at..at + 2) {
        match marker {
            // A fill byte; a marker without a length.
            0xff => at += 1,
            0x01 | 0xd0..=0xd7 => at += 2,
            START_OF_SCAN | END_OF_IMAGE => return Ok(None),
            _ => {
                let Some(&[high, low]) = jpeg.get(at + 2..at + 4) else {
                    return Err(RadiometricError::broken(at, "the JPEG ends in a segment's header"));
                };
                let length = usize::from(u16::from_be_bytes([high, low]));
                let (from, to) = (at + 4, at + 2 + length);
                let body = (from <= to).then(|| jpeg.get(from..to)).flatten();
                let body = body.ok_or_else(|| RadiometricError::broken(at, "the JPEG ends in a segment"))?;
                return Ok(Some(Segment { marker, body_at: from, body }));
            }
        }
    }
    match jpeg.get(at..at + 2) {
        None => Ok(None),
        Some(found) => Err(RadiometricError::broken(at, format!("expected a JPEG marker, found {found:02x?}"))),
    }
}
