//! Undoes compression: the content codings gzip, deflate and br of a body, once for each coding that the request names, and gzip or zlib
//! streams inside values.
//!
//! Written and limited so that a small body cannot become a large one: reading stops at a fixed number of bytes. A stream that breaks off
//! or is damaged yields what came before. Only a stream that ended as it should, with nothing behind it, says what the application
//! reads; whoever gets another answer has to look at the body as it was sent as well.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::{Decompress, FlushDecompress, Status};

use super::gzip::{self, is_gzip};

/// Codings that are undone; honest clients use one.
const MOST_CODINGS: usize = 3;

/// Bytes by which the output grows.
const CHUNK: usize = 16 << 10;

/// What became of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inflated {
    /// Not compressed, or nothing could be read.
    Nothing,
    /// Everything was read, and the request names every coding.
    Whole,
    /// Something was read, but an application may read something else: the stream is damaged, something stands behind it, or no
    /// coding is named.
    Doubtful,
    /// There is more than the limit allows.
    Cut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
    /// Deflate in the frame that the standard wants; no header names it so.
    Zlib,
    Brotli,
    Unknown,
}

/// True for the first bytes of a zlib stream, as compressors write them.
pub(crate) fn is_zlib(bytes: &[u8]) -> bool {
    matches!(bytes, [0x78, 0x01 | 0x5E | 0x9C | 0xDA, ..])
}

/// What decompression keeps from stream to stream, so that it takes memory once. Brotli, which few clients send, does not.
#[derive(Debug, Default)]
pub(crate) struct Inflater {
    state: Option<Decompress>,
    /// What lies between two codings.
    between: Vec<u8>,
}

impl Inflater {
    /// Decompresses a stream that announces itself by its first bytes, or one that has no frame at all if it may be `bare`; at most
    /// `limit` bytes.
    pub(crate) fn undeclared(
        &mut self,
        stream: &[u8],
        bare: bool,
        limit: usize,
        out: &mut Vec<u8>,
    ) -> Inflated {
        let coding = match (bare, is_zlib(stream)) {
            (true, _) => Coding::Deflate,
            // Most of what begins like this is none: one try is enough.
            (false, true) => Coding::Zlib,
            (false, false) => Coding::Unknown,
        };
        self.one(stream, coding, limit, out)
    }

    /// Decompresses `body` into `out`, at most `limit` bytes a coding, if `codings`, the values of Content-Encoding, say so or it begins
    /// like a gzip stream.
    pub(crate) fn inflate<'a>(
        &mut self,
        body: &[u8],
        codings: impl Iterator<Item = &'a [u8]>,
        limit: usize,
        out: &mut Vec<u8>,
    ) -> Inflated {
        let (named, mut complete) = named(codings);
        // The coding named last was applied last. Without any, the body's looks are all there is.
        let mut undo = named.iter().rev().flatten().copied();
        let declared = named.iter().any(Option::is_some);
        let first = undo.next().unwrap_or(Coding::Unknown);
        complete &= declared;
        let mut outcome = self.one(body, first, limit, out);
        for coding in undo {
            if outcome == Inflated::Nothing {
                break;
            }
            let mut between = std::mem::take(&mut self.between);
            std::mem::swap(out, &mut between);
            let next = self.one(&between, coding, limit, out);
            if next == Inflated::Nothing {
                std::mem::swap(out, &mut between);
                complete = false;
            } else {
                outcome = worse(outcome, next);
            }
            self.between = between;
            if next == Inflated::Nothing {
                break;
            }
        }
        match outcome {
            Inflated::Whole if !complete => Inflated::Doubtful,
            outcome => outcome,
        }
    }

    /// Undoes one coding. What begins like a gzip stream is read as one whatever its name.
    fn one(&mut self, body: &[u8], coding: Coding, limit: usize, out: &mut Vec<u8>) -> Inflated {
        out.clear();
        let outcome = match (body, coding) {
            _ if is_gzip(body) => self.gzip(body, limit, out, coding == Coding::Gzip),
            (_, Coding::Brotli) => brotli(body, limit, out),
            (_, Coding::Deflate) => self.deflate(body, limit, out),
            (_, Coding::Zlib) => self.zlib(body, &[true], limit, out),
            _ => return Inflated::Nothing,
        };
        if outcome == Inflated::Doubtful && out.is_empty() {
            return Inflated::Nothing;
        }
        if out.len() > limit {
            out.truncate(limit);
            return Inflated::Cut;
        }
        outcome
    }

    /// All members of a gzip stream.
    fn gzip(&mut self, body: &[u8], limit: usize, out: &mut Vec<u8>, named: bool) -> Inflated {
        let mut rest = Some(body);
        while let Some(member) = rest.filter(|rest| !rest.is_empty()) {
            let start = out.len();
            rest = gzip::after_header(member)
                .and_then(|data| self.stream(data, false, limit, out))
                .and_then(|trailer| gzip::after_trailer(trailer, out.get(start..)?));
        }
        if rest.is_some() && named {
            Inflated::Whole
        } else {
            Inflated::Doubtful
        }
    }

    /// With the zlib frame, as the standard wants it, or without, as some send it.
    fn deflate(&mut self, body: &[u8], limit: usize, out: &mut Vec<u8>) -> Inflated {
        let framed =
            matches!(body, [a, b, ..] if a & 15 == 8 && u16::from_be_bytes([*a, *b]) % 31 == 0);
        // A stream without the frame can look as if it had one. If neither ends as it should, the frame decides.
        self.zlib(body, if framed { &[true, false, true] } else { &[false] }, limit, out)
    }

    /// Tries one after the other with the frame and without, until one ends as it should.
    fn zlib(&mut self, body: &[u8], framed: &[bool], limit: usize, out: &mut Vec<u8>) -> Inflated {
        for &framed in framed {
            out.clear();
            let rest = self.stream(body, framed, limit, out);
            if rest.is_some_and(<[u8]>::is_empty) {
                return Inflated::Whole;
            }
            if out.len() > limit {
                break;
            }
        }
        Inflated::Doubtful
    }

    /// Appends one stream to `out`, which gets a little longer than `limit` if there is more. What stands behind the stream; `None` if it
    /// does not end as it should.
    fn stream<'a>(
        &mut self,
        body: &'a [u8],
        framed: bool,
        limit: usize,
        out: &mut Vec<u8>,
    ) -> Option<&'a [u8]> {
        let state = self.state.get_or_insert_with(|| Decompress::new(framed));
        state.reset(framed);
        let mut rest = body;
        while out.len() <= limit {
            out.reserve(CHUNK.min(limit + 1));
            let before = (state.total_in(), state.total_out());
            let status = state.decompress_vec(rest, out, FlushDecompress::None);
            let read = usize::try_from(state.total_in()).ok()?;
            rest = body.get(read..)?;
            match status {
                Ok(Status::StreamEnd) => return Some(rest),
                Ok(Status::Ok | Status::BufError)
                    if before != (state.total_in(), state.total_out()) => {}
                _ => return None,
            }
        }
        None
    }
}

/// The codings in the order in which they were applied; false if there are more than are undone.
fn named<'a>(codings: impl Iterator<Item = &'a [u8]>) -> ([Option<Coding>; MOST_CODINGS], bool) {
    let mut named = [None; MOST_CODINGS];
    let tokens =
        codings.flat_map(|value| value.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
    let mut known =
        tokens.filter(|t| !t.is_empty() && !t.eq_ignore_ascii_case(b"identity")).map(|token| {
            match token {
                t if t.eq_ignore_ascii_case(b"gzip") || t.eq_ignore_ascii_case(b"x-gzip") => {
                    Coding::Gzip
                }
                t if t.eq_ignore_ascii_case(b"deflate") => Coding::Deflate,
                t if t.eq_ignore_ascii_case(b"br") => Coding::Brotli,
                _ => Coding::Unknown,
            }
        });
    for (slot, coding) in named.iter_mut().zip(known.by_ref()) {
        *slot = Some(coding);
    }
    (named, known.next().is_none())
}

fn worse(one: Inflated, other: Inflated) -> Inflated {
    match (one, other) {
        (Inflated::Cut, _) | (_, Inflated::Cut) => Inflated::Cut,
        (Inflated::Whole, Inflated::Whole) => Inflated::Whole,
        _ => Inflated::Doubtful,
    }
}

/// Whole if the stream has an end and nothing stands behind it. The decoder's window grows with its output, which bounds its memory.
fn brotli(body: &[u8], limit: usize, out: &mut Vec<u8>) -> Inflated {
    let alloc = StandardAlloc::default;
    let mut state = BrotliState::new(alloc(), alloc(), alloc());
    let (mut left, mut read, mut written, mut total) = (body.len(), 0, 0, 0);
    while written <= limit {
        out.resize(written + CHUNK.min(limit + 1), 0);
        let mut room = out.len() - written;
        let result = BrotliDecompressStream(
            &mut left,
            &mut read,
            body,
            &mut room,
            &mut written,
            out.as_mut_slice(),
            &mut total,
            &mut state,
        );
        match result {
            BrotliResult::NeedsMoreOutput => {}
            result => {
                out.truncate(written);
                let whole = matches!(result, BrotliResult::ResultSuccess) && left == 0;
                return if whole { Inflated::Whole } else { Inflated::Doubtful };
            }
        }
    }
    out.truncate(written);
    Inflated::Doubtful
}
