//! Claims about files that people send, on pictures that are made here and changed.

use super::*;

fn jpeg(segments: &[(u8, &[u8])]) -> Vec<u8> {
    let mut out = vec![0xff, 0xd8];
    for (marker, body) in segments {
        out.extend([0xff, *marker]);
        out.extend(((body.len() + 2) as u16).to_be_bytes());
        out.extend_from_slice(body);
    }
    // A scan with a stuffed byte and a restart, the end, and what a phone puts behind it.
    out.extend([0xff, 0xda, 0, 2, 1, 0xff, 0x00, 2, 0xff, 0xd0, 3, 0xff, 0xd9]);
    out.extend(b"ftypmp42 a film with its place");
    out
}

/// One directory: a maker, which side is up, and where it was.
fn exif(is_little: bool, orientation: u16) -> Vec<u8> {
    let two = |n: u16| if is_little { n.to_le_bytes() } else { n.to_be_bytes() };
    let four = |n: u32| if is_little { n.to_le_bytes() } else { n.to_be_bytes() };
    let mut out = b"Exif\0\0".to_vec();
    out.extend_from_slice(if is_little { b"II*\0" } else { b"MM\0*" });
    out.extend(four(8));
    out.extend(two(3));
    for (tag, kind, value) in [(0x010f, 2, [b'A', b'B', 0, 0]), (0x8825, 4, four(4_242))] {
        out.extend([two(tag), two(kind)].concat());
        out.extend(four(1));
        out.extend(value);
    }
    out.extend([two(0x0112), two(3)].concat());
    out.extend(four(1));
    out.extend([two(orientation), [0, 0]].concat());
    out.extend(four(0));
    out
}

#[track_caller]
fn read(bytes: &[u8]) -> Media<'_> {
    Media::read(bytes).unwrap_or_else(|cause| panic!("{cause}"))
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_jpeg_keeps_what_shows_it_and_loses_what_tells_of_its_camera() {
    let exif = exif(true, 6);
    let picture = jpeg(&[
        (0xe0, b"JFIF\0\x01\x02"),
        (0xe1, &exif),
        (0xe1, b"http://ns.adobe.com/xap/1.0/\0<xmp>somebody</xmp>"),
        (0xe2, b"ICC_PROFILE\0\x01\x01profile"),
        (0xe2, b"MPF\0thumbnails"),
        (0xed, b"Photoshop 3.0\0iptc"),
        (0xee, b"Adobe\0transform"),
        (0xfe, b"a comment"),
        (0xdb, b"a table"),
    ]);
    let media = read(&picture);
    assert_eq!(media.kind, "image/jpeg");
    for kept in [&b"JFIF"[..], b"ICC_PROFILE", b"Adobe", b"a table", &[1, 0xff, 0x00, 2, 0xff, 0xd0, 3, 0xff, 0xd9]] {
        assert!(has(&media.bytes, kept), "{kept:?} is gone");
    }
    for gone in [&b"AB\0"[..], b"xmp", b"MPF", b"iptc", b"comment", b"film", &4_242_u32.to_le_bytes()] {
        assert!(!has(&media.bytes, gone), "{gone:?} is still there");
    }
    assert!(media.bytes.ends_with(&[0xff, 0xd9]));
}

#[test]
fn which_side_is_up_stays_in_either_byte_order() {
    for is_little in [true, false] {
        let picture = jpeg(&[(0xe1, &exif(is_little, 6))]);
        let media = read(&picture).bytes.into_owned();
        // Stripped again it is the same: what is written is what is read.
        assert_eq!(read(&media).bytes, media);
        assert!(has(&media, b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06"), "{media:?}");
        assert_eq!(media.len() - read(&jpeg(&[])).bytes.len(), 36);
    }
    // As it lies, or nonsense: nothing needs to be said.
    for orientation in [1, 0, 9, 0x106] {
        assert!(!has(&read(&jpeg(&[(0xe1, &exif(true, orientation))])).bytes, b"Exif"), "{orientation}");
    }
}

fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    [&(data.len() as u32).to_be_bytes()[..], name, data, b"\0CRC"].concat()
}

#[test]
fn a_png_loses_its_texts_and_whatever_follows_it() {
    let whole = [(b"IHDR", &b"head"[..]), (b"eXIf", b"place"), (b"tEXt", b"Author"), (b"gAMA", b"\0\0\0\x01")];
    let mut picture = png::MAGIC.to_vec();
    whole.iter().for_each(|(name, data)| picture.extend(chunk(name, data)));
    picture.extend([chunk(b"maKr", b"serial"), chunk(b"IDAT", b"pixels"), chunk(b"IEND", b"")].concat());
    let end = picture.len();
    picture.extend(b"and a secret");
    let media = read(&picture);
    assert_eq!(media.kind, "image/png");
    assert!(has(&media.bytes, b"head") && has(&media.bytes, b"gAMA") && has(&media.bytes, b"pixels"));
    assert!(![&b"place"[..], b"Author", b"serial", b"secret"].iter().any(|gone| has(&media.bytes, gone)));
    assert!(Media::read(&picture[..end - 1]).is_err());
}

#[test]
fn a_webp_loses_exif_and_its_announcement() {
    let chunk = |name: &[u8; 4], data: &[u8]| {
        let padding = &b"\0"[..data.len() % 2];
        [&name[..], &(data.len() as u32).to_le_bytes(), data, padding].concat()
    };
    let body = [
        chunk(b"VP8X", b"\x2c\0\0\0\0\0\0\0\0\0"),
        chunk(b"VP8 ", b"pixel"),
        chunk(b"EXIF", b"place"),
        chunk(b"XMP ", b"x"),
    ];
    let body = body.concat();
    let picture = [b"RIFF", &((body.len() + 4) as u32).to_le_bytes()[..], b"WEBP", &body].concat();
    let media = read(&picture);
    assert_eq!((media.kind, media.bytes[20]), ("image/webp", 0x20));
    assert!(has(&media.bytes, b"pixel") && !has(&media.bytes, b"place"));
    assert_eq!(media.bytes[4..8], ((media.bytes.len() - 8) as u32).to_le_bytes());
}

#[test]
fn sound_is_known_by_its_first_bytes_and_left_as_it_is() {
    for (kind, bytes) in [
        ("audio/ogg", &b"OggS\0\x02"[..]),
        ("audio/webm", b"\x1a\x45\xdf\xa3\x9fwebm"),
        ("audio/mp4", b"\0\0\0\x1cftypM4A \0"),
        ("audio/3gpp", b"\0\0\0\x18ftyp3gp4"),
        ("audio/wav", b"RIFF\x24\0\0\0WAVEfmt "),
        ("audio/amr", b"#!AMR\n"),
        ("audio/mpeg", b"ID3\x04"),
        ("audio/mpeg", b"\xff\xfb\x90\x64"),
        ("audio/aac", b"\xff\xf1\x50\x80"),
    ] {
        assert_eq!(read(bytes), Media { kind, bytes: Cow::Borrowed(bytes) });
    }
}

#[test]
fn what_is_none_of_these_is_told_apart() {
    for bytes in
        [&b""[..], b"\xff", b"<html>", b"%PDF-1.7", b"MZ\x90", b"GIF89a", b"\0\0\0\x1cftyp", b"RIFF\x04\0\0\0AVI "]
    {
        assert_eq!(Media::read(bytes), Err(MediaError::Unknown), "{bytes:?}");
    }
    assert_eq!(Media::read(b"\0\0\0\x1cftypheic"), Err(MediaError::Heic));
}

#[test]
fn a_picture_that_is_cut_off_anywhere_is_an_error_and_no_panic() {
    let whole = jpeg(&[(0xe0, b"JFIF\0"), (0xe1, &exif(true, 6)), (0xdb, b"a table")]);
    let end = whole.windows(2).position(|two| two == [0xff, 0xd9]).unwrap() + 2;
    for length in 3..end {
        assert!(matches!(Media::read(&whole[..length]), Err(MediaError::Broken { .. })), "{length}");
    }
    assert_eq!(Media::read(&whole[..end]).map(|media| media.kind), Ok("image/jpeg"));
    // No change of a byte brings it down either.
    for at in 0..end {
        for byte in [0, 0x7f, 0xff] {
            let mut changed = whole.clone();
            changed[at] = byte;
            let _ = Media::read(&changed);
        }
    }
}
