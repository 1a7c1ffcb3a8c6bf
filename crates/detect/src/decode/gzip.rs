//! What stands around the compressed bytes of a gzip stream: a header in front of each member, and a checksum with the length behind.

use flate2::Crc;

/// Flags of a header.
const CHECKSUM: u8 = 2;
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;
const RESERVED: u8 = 0xE0;

/// True for the first bytes of a gzip stream.
pub(crate) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1F, 0x8B, 8])
}

/// What follows the header of a member; `None` if it is not whole and sound.
pub(super) fn after_header(member: &[u8]) -> Option<&[u8]> {
    let flags = *member.get(3).filter(|_| is_gzip(member))?;
    let mut rest = member.get(10..)?;
    if flags & RESERVED != 0 {
        return None;
    }
    if flags & EXTRA != 0 {
        let (length, after) = rest.split_first_chunk()?;
        rest = after.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            rest = rest.get(memchr::memchr(0, rest)? + 1..)?;
        }
    }
    if flags & CHECKSUM != 0 {
        let header = member.get(..member.len() - rest.len())?;
        let (sum, after) = rest.split_first_chunk()?;
        if u32::from(u16::from_le_bytes(*sum)) != checksum(header) & 0xFFFF {
            return None;
        }
        rest = after;
    }
    Some(rest)
}

/// What follows the trailer of a member that held `text`; `None` if the trailer says something else.
pub(super) fn after_trailer<'a>(trailer: &'a [u8], text: &[u8]) -> Option<&'a [u8]> {
    let (sum, rest) = trailer.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let sound = u32::from_le_bytes(*sum) == checksum(text)
        && u32::from_le_bytes(*length) == text.len() as u32;
    sound.then_some(rest)
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut sum = Crc::new();
    sum.update(bytes);
    sum.sum()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, GzBuilder};

    use super::*;

    #[test]
    fn headers_of_every_kind_are_passed() {
        let builders = [
            GzBuilder::new(),
            GzBuilder::new().filename("a.txt"),
            GzBuilder::new().comment("b"),
            GzBuilder::new().extra(b"cd".to_vec()).filename("a").comment("b"),
        ];
        let streams = builders.map(|builder| {
            let mut encoder = builder.write(Vec::new(), Compression::none());
            encoder.write_all(b"text").unwrap();
            encoder.finish().unwrap()
        });
        for stream in &streams {
            // A stored block: five bytes, the text.
            let behind = after_header(stream).unwrap();
            assert_eq!(behind.get(5..9), Some(&b"text"[..]), "{stream:x?}");
            for length in 0..stream.len() - behind.len() {
                assert_eq!(after_header(&stream[..length]), None);
            }
        }
        let mut summed = streams[0][..10].to_vec();
        summed[3] = CHECKSUM;
        let sum = checksum(&summed) as u16;
        summed.extend(sum.to_le_bytes());
        summed.push(b'x');
        assert_eq!(after_header(&summed), Some(&b"x"[..]));
        summed[10] ^= 1;
        assert_eq!(after_header(&summed), None);
        summed[3] = 0x80;
        assert_eq!(after_header(&summed), None);
    }

    #[test]
    fn trailers_tell_checksum_and_length() {
        let sum = checksum(b"text").to_le_bytes();
        let trailer = [&sum[..], &[4, 0, 0, 0], b"next"].concat();
        assert_eq!(after_trailer(&trailer, b"text"), Some(&b"next"[..]));
        assert_eq!(after_trailer(&trailer, b"test"), None);
        assert_eq!(after_trailer(&trailer[..7], b"text"), None);
        let longer = [&sum[..], &[5, 0, 0, 0]].concat();
        assert_eq!(after_trailer(&longer, b"text"), None);
    }
}
