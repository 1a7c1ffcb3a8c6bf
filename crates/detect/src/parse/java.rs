//! Strings and class names in an object stream of Java.
//!
//! Objects are not put together: whatever stands where a string or class can stand is one, wherever the fields of its object begin.

/// The first bytes of a stream.
pub(crate) const MAGIC: &[u8] = &[0xAC, 0xED, 0, 5];

/// What stands in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// The name of a class or of an interface of a proxy.
    Class(&'a [u8]),
    Text(&'a [u8]),
}

/// The strings of a stream.
pub(crate) fn strings(stream: &[u8]) -> impl Iterator<Item = Token<'_>> {
    let mut at = MAGIC.len();
    // Up to where only text stands, so that no byte is looked at twice.
    let mut text_end = 0;
    std::iter::from_fn(move || loop {
        let rest = stream.get(at..)?;
        let (head, length) = match rest {
            [] => return None,
            [0x74 | 0x72, a, b, ..] => (3, usize::from(u16::from_be_bytes([*a, *b]))),
            [0x7C, 0, 0, 0, 0, a, b, c, d, ..] => {
                (9, u32::from_be_bytes([*a, *b, *c, *d]) as usize)
            }
            _ => (0, 0),
        };
        let start = at + head;
        if head > 0 && length > 0 {
            if text_end < start {
                text_end = start + stream.get(start..)?.iter().take_while(|b| is_text(**b)).count();
            }
            if start + length <= text_end {
                at = start + length;
                let text = stream.get(start..at)?;
                let class = rest.first() == Some(&0x72);
                return Some(if class { Token::Class(text) } else { Token::Text(text) });
            }
        }
        at += 1;
    })
}

fn is_text(byte: u8) -> bool {
    byte >= b' ' && byte != 0x7F || matches!(byte, b'\t' | b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_and_strings_are_found() {
        let stream = b"\xAC\xED\0\x05sr\0\x03a.B\0\0\0\0\0\0\0\x01\x02\0\x01L\0\x01cq\0~\0\x01xpt\0\x05x' or|\0\0\0\0\0\0\0\x02yz";
        let found: Vec<Token<'_>> = strings(stream).collect();
        assert_eq!(found, [Token::Class(b"a.B"), Token::Text(b"x' or"), Token::Text(b"yz")]);
    }

    #[test]
    fn broken_streams_end() {
        for stream in
            [&b"\xAC\xED\0\x05t\0\xFFab"[..], b"\xAC\xED\0\x05t", b"\xAC\xED\0\x05tttttttt", b""]
        {
            assert_eq!(strings(stream).count(), 0, "{}", stream.escape_ascii());
        }
    }
}
