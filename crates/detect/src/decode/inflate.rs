//! Undoes the content coding of a body: gzip and deflate.
//!
//! Written and limited so that a small body cannot become a large one: reading stops at a fixed number of bytes. A stream that breaks off
//! or is damaged yields what came before.

use std::io::Read;

use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};

/// What became of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inflated {
    /// Not compressed, or nothing could be read.
    Nothing,
    Done,
    /// There is more than the limit allows.
    Cut,
}

/// Decompresses `body` into `out`, at most `limit` bytes, if it begins like a gzip stream or `coding`, the value of Content-Encoding,
/// says so.
pub(crate) fn inflate(body: &[u8], coding: &[u8], limit: usize, out: &mut Vec<u8>) -> Inflated {
    out.clear();
    let named = |name: &[u8]| coding.windows(name.len()).any(|w| w.eq_ignore_ascii_case(name));
    let read = match body {
        [0x1F, 0x8B, 8, ..] => read(GzDecoder::new(body), limit, out),
        [0x78, ..] if named(b"deflate") => read(ZlibDecoder::new(body), limit, out),
        _ if named(b"deflate") => read(DeflateDecoder::new(body), limit, out),
        _ => return Inflated::Nothing,
    };
    match read {
        _ if out.is_empty() => Inflated::Nothing,
        Some(length) if length > limit => {
            out.truncate(limit);
            Inflated::Cut
        }
        _ => Inflated::Done,
    }
}

/// Reads one byte more than the limit, to tell whether there is more; `None` if the stream is damaged.
fn read(decoder: impl Read, limit: usize, out: &mut Vec<u8>) -> Option<usize> {
    decoder.take(limit as u64 + 1).read_to_end(out).ok()
}
