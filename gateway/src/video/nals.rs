//! Annex B (H.264 and H.265, annex B of both): a unit's NAL units, and which of them are parameter sets.

use super::decoder::Codec;

const START_CODE: [u8; 3] = [0, 0, 1];

/// What a NAL unit is to a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Says how to read what follows.
    ParameterSet,
    /// Part of a picture.
    Slice,
    /// Marks or fills, and says nothing: delimiters, end marks, filler.
    Padding,
    /// Anything else.
    Other,
}

/// The NAL units of an Annex B stream, without start codes; none is empty.
pub(crate) fn split(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    split_until(stream, |_| false)
}

/// The same up to one of which `is_end` says so by its first byte: a slice is not read to find where it ends.
fn split_until(stream: &[u8], is_end: impl Fn(&[u8]) -> bool) -> impl Iterator<Item = &[u8]> {
    let mut rest = after_start_code(stream);
    std::iter::from_fn(move || {
        while let Some(from) = rest.filter(|from| !is_end(from)) {
            let len = find_start_code(from);
            let nal = &from[..len.unwrap_or(from.len())];
            rest = len.map(|len| &from[len + START_CODE.len()..]);
            // A NAL unit ends with a one bit: trailing zeros belong to the next start code.
            if let Some(last) = nal.iter().rposition(|byte| *byte != 0) {
                return Some(&nal[..=last]);
            }
        }
        None
    })
}

fn after_start_code(stream: &[u8]) -> Option<&[u8]> {
    find_start_code(stream).map(|at| &stream[at + START_CODE.len()..])
}

fn find_start_code(stream: &[u8]) -> Option<usize> {
    stream.windows(START_CODE.len()).position(|window| window == START_CODE)
}

/// By the type in the NAL unit's header: H.264 table 7-1, H.265 table 7-1. MJPEG has none.
pub(crate) fn kind(codec: Codec, nal: &[u8]) -> Kind {
    let Some(first) = nal.first() else { return Kind::Padding };
    match codec {
        Codec::H264 => match first & 0x1f {
            1..=5 => Kind::Slice,
            7 | 8 | 13 | 15 => Kind::ParameterSet,
            9..=12 => Kind::Padding,
            _ => Kind::Other,
        },
        Codec::H265 => match first >> 1 & 0x3f {
            0..=31 => Kind::Slice,
            32..=34 => Kind::ParameterSet,
            35..=38 => Kind::Padding,
            _ => Kind::Other,
        },
        Codec::Mjpeg => Kind::Other,
    }
}

/// The parameter sets before a unit's picture.
pub(crate) fn parameter_sets(codec: Codec, unit: &[u8]) -> impl Iterator<Item = &[u8]> {
    split_until(unit, move |from| kind(codec, from) == Kind::Slice)
        .filter(move |nal| kind(codec, nal) == Kind::ParameterSet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_codes_of_three_and_four_bytes_divide_and_trailing_zeros_are_nobodys() {
        let stream = b"\xff\0\0\x01\x67\x42\0\0\0\x01\x68\0\0\0\0\x01\0\0\0\x01\x65\x80\0\0";
        let nals: Vec<&[u8]> = split(stream).collect();
        assert_eq!(nals, [&b"\x67\x42"[..], b"\x68", b"\x65\x80"]);
        assert_eq!(split(b"no start code").count(), 0);
        assert_eq!(parameter_sets(Codec::H264, stream).collect::<Vec<_>>(), [&b"\x67\x42"[..], b"\x68"]);
    }

    proptest::proptest! {
        /// Whatever comes: what is divided is in the stream, in order, and holds no start code.
        #[test]
        fn no_bytes_are_too_odd(stream in proptest::collection::vec(0u8..3, 0..200)) {
            let mut from = 0;
            for nal in split(&stream) {
                proptest::prop_assert!(!nal.is_empty() && find_start_code(nal).is_none());
                let at = stream[from..].windows(nal.len()).position(|window| window == nal);
                from += at.expect("it is in the stream") + nal.len();
            }
        }
    }
}
