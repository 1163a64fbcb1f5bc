//! Takes a payload out of base64 and gzip, to no more bytes than its reader wants. Knows nothing of what is in it.

use std::borrow::Cow;
use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;

use crate::config::Packing;

use super::reject::RejectReason;

/// The bytes inside; one more than `bytes_max` where there are more, so that their reader tells it.
pub(super) fn unpack(
    payload: &[u8],
    packing: Packing,
    bytes_max: usize,
) -> Result<Cow<'_, [u8]>, (RejectReason, String)> {
    match packing {
        Packing::None => Ok(payload.into()),
        Packing::Base64 => unbase64(payload).map(Cow::Owned),
        Packing::Gzip => gunzip(payload, bytes_max).map(Cow::Owned),
        Packing::GzipBase64 => gunzip(&unbase64(payload)?, bytes_max).map(Cow::Owned),
    }
}

/// RFC 4648 section 4, with space around it.
fn unbase64(payload: &[u8]) -> Result<Vec<u8>, (RejectReason, String)> {
    let told = |error: base64::DecodeError| (RejectReason::BadText, format!("base64: {error}"));
    STANDARD.decode(payload.trim_ascii()).map_err(told)
}

fn gunzip(payload: &[u8], bytes_max: usize) -> Result<Vec<u8>, (RejectReason, String)> {
    let mut bytes = Vec::with_capacity(bytes_max + 1);
    let mut inside = GzDecoder::new(payload).take(bytes_max as u64 + 1);
    match inside.read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err((RejectReason::BadShape, format!("gzip: {error}"))),
    }
}
