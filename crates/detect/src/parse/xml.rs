//! What is taken off an XML document before its text is looked at.

use crate::decode::Step;
use crate::views::DecoderSet;

/// Removes the marks of CDATA sections and keeps what they hold. Nothing is ever expanded.
pub(crate) fn unwrap_cdata(input: &[u8], out: &mut Vec<u8>) -> Step {
    const OPEN: &[u8] = b"<![CDATA[";
    const CLOSE: &[u8] = b"]]>";
    let mut step = Step::default();
    let mut rest = input;
    while let Some(at) = memchr::memmem::find(rest, OPEN) {
        let (head, tail) = rest.split_at(at);
        out.extend_from_slice(head);
        let tail = tail.get(OPEN.len()..).unwrap_or_default();
        let end = memchr::memmem::find(tail, CLOSE).unwrap_or(tail.len());
        let (text, tail) = tail.split_at(end);
        out.extend_from_slice(text);
        rest = tail.strip_prefix(CLOSE).unwrap_or(tail);
        step.decoders.insert(DecoderSet::XML);
    }
    out.extend_from_slice(rest);
    step
}
