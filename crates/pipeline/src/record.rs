//! The bytes of a record: the request line, then headers, each part with its length before it; then the body as it is.
//!
//! Only [`crate::Draft`] writes records and only the scan threads read them.

use wallarm_detect::Header;

use crate::job::Line;

/// Bytes of a length.
pub(crate) const LENGTH: usize = 4;

/// A length as it is stored; no part of a head comes near 4 GiB.
pub(crate) fn length(part: &[u8]) -> [u8; LENGTH] {
    u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes()
}

/// Reads the request line and returns what follows it.
pub(crate) fn read_line(head: &[u8]) -> (Line<'_>, &[u8]) {
    let mut rest = head;
    let mut next = || {
        let (part, after) = read_part(rest).unwrap_or_default();
        rest = after;
        part
    };
    let line =
        Line { method: next(), uri: next(), protocol: next(), host: next(), request_id: next() };
    (line, rest)
}

/// The headers that follow the request line.
pub(crate) fn headers(mut rest: &[u8]) -> impl Iterator<Item = Header<'_>> {
    std::iter::from_fn(move || {
        let (name, after) = read_part(rest)?;
        let (value, after) = read_part(after)?;
        rest = after;
        Some(Header { name, value, helper: false })
    })
}

fn read_part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<LENGTH>()?;
    rest.split_at_checked(u32::from_le_bytes(*len) as usize)
}
