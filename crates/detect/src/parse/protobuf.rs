//! Protocol buffers without a schema, and the frames of gRPC around them.

/// One field of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    pub(crate) number: u32,
    /// Of a length-delimited field; others hold numbers.
    pub(crate) bytes: Option<&'a [u8]>,
}

/// The fields of a message, up to the first that is none.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
    /// What was read is no message.
    pub(crate) odd: bool,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Fields { rest: message, odd: false }
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in 0..10 {
            let [byte] = *self.take(1)? else { return None };
            value |= u64::from(byte & 0x7F) << (7 * shift);
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn field(&mut self) -> Option<Field<'a>> {
        let key = u32::try_from(self.varint()?).ok()?;
        let number = key >> 3;
        if number == 0 {
            return None;
        }
        let bytes = match key & 7 {
            0 => {
                self.varint()?;
                None
            }
            1 => {
                self.take(8)?;
                None
            }
            2 => {
                let length = self.varint()?;
                Some(self.take(usize::try_from(length).ok()?)?)
            }
            // The marks of a group; what it holds follows as fields.
            3 | 4 => None,
            5 => {
                self.take(4)?;
                None
            }
            _ => return None,
        };
        Some(Field { number, bytes })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        if self.rest.is_empty() || self.odd {
            return None;
        }
        let field = self.field();
        self.odd = field.is_none();
        field
    }
}

/// True if the bytes are fields from their first to their last.
pub(crate) fn is_message(bytes: &[u8]) -> bool {
    let mut fields = Fields::new(bytes);
    fields.by_ref().for_each(drop);
    !bytes.is_empty() && !fields.odd
}

/// One frame of a gRPC body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) compressed: bool,
    /// Trailers of gRPC-Web, which are text.
    pub(crate) trailers: bool,
    pub(crate) message: &'a [u8],
    /// The message is longer than what is there.
    pub(crate) cut: bool,
}

/// The frames of a body.
pub(crate) fn frames(body: &[u8]) -> impl Iterator<Item = Frame<'_>> {
    let mut rest = body;
    std::iter::from_fn(move || {
        let [flags, a, b, c, d, after @ ..] = rest else { return None };
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        let (message, next) = after.split_at_checked(length).unwrap_or((after, &[]));
        rest = next;
        let (compressed, trailers) = (flags & 1 == 1, flags & 0x80 != 0);
        Some(Frame { compressed, trailers, message, cut: message.len() < length })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_up_to_the_first_that_is_none() {
        let message = b"\x08\x96\x01\x12\x02hi\x1d\x01\x02\x03\x04\x21\0\0\0\0\0\0\0\0";
        let found: Vec<(u32, Option<&[u8]>)> =
            Fields::new(message).map(|field| (field.number, field.bytes)).collect();
        assert_eq!(found, [(1, None), (2, Some(&b"hi"[..])), (3, None), (4, None)]);
        assert!(is_message(message));
    }

    #[test]
    fn what_breaks_off_or_has_no_number_is_no_message() {
        let table: [&[u8]; 8] = [
            b"",
            b"\x12\x05hi",
            b"\x08",
            b"\x02\x01a",
            b"\x0e",
            b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\xff\xff\xff\xff\xff\xff\x01",
        ];
        for bytes in table {
            assert!(!is_message(bytes), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn frames_are_cut_by_their_length() {
        let body = b"\0\0\0\0\x02ab\x01\0\0\0\x01c\x80\0\0\0\x09d:e";
        let found: Vec<(bool, bool, &[u8], bool)> = frames(body)
            .map(|frame| (frame.compressed, frame.trailers, frame.message, frame.cut))
            .collect();
        let expected: [(bool, bool, &[u8], bool); 3] =
            [(false, false, b"ab", false), (true, false, b"c", false), (false, true, b"d:e", true)];
        assert_eq!(found, expected);
    }
}
