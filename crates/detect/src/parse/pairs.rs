//! Names and values of queries, url-encoded forms and cookies.

/// One `name=value`; `value` is `None` where no `=` stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) value: Option<&'a [u8]>,
}

/// The pairs of a query or form. A semicolon does not separate: few applications still read it so, and it is part of attacks.
pub(crate) fn form(input: &[u8]) -> impl Iterator<Item = Pair<'_>> {
    input.split(|byte| *byte == b'&').filter(|part| !part.is_empty()).map(pair)
}

/// The pairs of a Cookie header.
pub(crate) fn cookies(input: &[u8]) -> impl Iterator<Item = Pair<'_>> {
    input
        .split(|byte| *byte == b';')
        .map(<[u8]>::trim_ascii)
        .filter(|part| !part.is_empty())
        .map(pair)
}

/// What stands between two separators.
pub(crate) fn pair(part: &[u8]) -> Pair<'_> {
    match memchr::memchr(b'=', part) {
        Some(at) => {
            let (name, value) = part.split_at(at);
            Pair { name, value: value.get(1..) }
        }
        None => Pair { name: part, value: None },
    }
}

/// True for a name of letters, digits and the punctuation of ordinary parameter names.
pub(crate) fn is_plain_name(name: &[u8]) -> bool {
    // Nearly all are, so that looking at every byte is cheaper than asking at each whether to go on.
    let is_plain = |byte: &u8| PLAIN.get(usize::from(*byte)).copied().unwrap_or_default();
    name.iter().fold(true, |plain, byte| plain & is_plain(byte))
}

const PLAIN: [bool; 256] = plain_characters();

const fn plain_characters() -> [bool; 256] {
    let mut table = [false; 256];
    let mut rest: &mut [bool] = &mut table;
    let mut byte = 0u8;
    while let Some((entry, after)) = rest.split_first_mut() {
        *entry = byte.is_ascii_alphanumeric()
            || matches!(byte, b'_' | b'-' | b'.' | b'[' | b']' | b'$' | b':' | b'@' | b'~');
        byte = byte.wrapping_add(1);
        rest = after;
    }
    table
}
