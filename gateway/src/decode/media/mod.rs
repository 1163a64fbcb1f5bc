//! Pictures and voice notes that people send: what they are by their first bytes, and pictures without what a camera writes
//! about itself, its owner and its place. Nothing is coded anew; sound is left as it is.

mod jpeg;
mod png;
mod webp;

use std::borrow::Cow;

/// A file that may be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Media<'a> {
    /// IANA media type.
    pub kind: &'static str,
    pub bytes: Cow<'a, [u8]>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    #[error("neither a JPEG, PNG or WebP picture nor sound (Ogg, WebM, MP4, 3GPP, WAV, MP3, AAC, AMR)")]
    Unknown,
    #[error("a HEIC picture: phones make a JPEG of it where a page asks for one")]
    Heic,
    #[error("{kind}: byte {at}: {what}")]
    Broken { kind: &'static str, at: usize, what: &'static str },
}

impl<'a> Media<'a> {
    pub fn read(bytes: &'a [u8]) -> Result<Media<'a>, MediaError> {
        let stripped = |kind, bytes: Vec<u8>| Media { kind, bytes: Cow::Owned(bytes) };
        if bytes.starts_with(jpeg::MAGIC) {
            return Ok(stripped(jpeg::KIND, jpeg::strip(bytes)?));
        }
        if bytes.starts_with(png::MAGIC) {
            return Ok(stripped(png::KIND, png::strip(bytes)?));
        }
        if webp::is_webp(bytes) {
            return Ok(stripped(webp::KIND, webp::strip(bytes)?));
        }
        Ok(Media { kind: sound(bytes)?, bytes: Cow::Borrowed(bytes) })
    }
}

/// The media type of a container or coding in which phones and browsers record sound.
fn sound(bytes: &[u8]) -> Result<&'static str, MediaError> {
    let at = |from: usize, magic: &[u8]| bytes.get(from..).is_some_and(|rest| rest.starts_with(magic));
    if at(4, b"ftyp") {
        return match bytes.get(8..12) {
            Some(b"heic" | b"heix" | b"mif1" | b"msf1" | b"hevc" | b"avif") => Err(MediaError::Heic),
            Some([b'3', b'g', ..]) => Ok("audio/3gpp"),
            Some(_) => Ok("audio/mp4"),
            None => Err(MediaError::Unknown),
        };
    }
    match bytes {
        [b'O', b'g', b'g', b'S', ..] => Ok("audio/ogg"),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Ok("audio/webm"),
        [b'R', b'I', b'F', b'F', ..] if at(8, b"WAVE") => Ok("audio/wav"),
        [b'#', b'!', b'A', b'M', b'R', ..] => Ok("audio/amr"),
        [b'I', b'D', b'3', ..] => Ok("audio/mpeg"),
        // ADTS has the layer 0, which MPEG audio proper does not.
        [0xff, second, ..] if second & 0xf6 == 0xf0 => Ok("audio/aac"),
        [0xff, second, third, ..] if second & 0xe0 == 0xe0 && second & 0x06 != 0 && third & 0xf0 != 0xf0 => {
            Ok("audio/mpeg")
        }
        _ => Err(MediaError::Unknown),
    }
}

#[cfg(test)]
mod tests;
