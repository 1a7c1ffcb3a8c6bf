//! The view state of ASP.NET, as its object formatter writes it.

/// The first bytes of a state that is not encrypted.
pub(crate) const MAGIC: &[u8] = &[0xFF, 1];

/// What holds other values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Pair,
    Triplet,
    Array,
    /// Keys and values in turn.
    Dictionary,
    /// A number before each value, which [`Scanner::skip_index`] skips.
    Sparse,
}

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    Open(Kind, u32),
    Text(&'a [u8]),
    /// The name of a type.
    Type(&'a [u8]),
    /// An object of another formatter.
    Binary(&'a [u8]),
    Scalar,
}

/// The tokens of a state.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    rest: &'a [u8],
    /// Bare strings that follow.
    strings: u32,
    /// The container that follows the type just read.
    open: Option<Kind>,
    /// A string follows that the type just read formats.
    formatted: bool,
    /// The state breaks off, or something unknown was read; nothing follows.
    pub(crate) odd: bool,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(state: &'a [u8]) -> Self {
        let rest = state.strip_prefix(MAGIC).unwrap_or(state);
        Scanner { rest, strings: 0, open: None, formatted: false, odd: false }
    }

    /// Skips the number before a value of a sparse array.
    pub(crate) fn skip_index(&mut self) {
        self.odd |= self.number().is_none();
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// A number in groups of seven bits.
    fn number(&mut self) -> Option<u32> {
        let mut value = 0u32;
        for shift in 0..5 {
            let byte = self.byte()?;
            value |= u32::from(byte & 0x7F) << (7 * shift);
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn string(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.take(length as usize)
    }

    /// A type by name, or by the number of one that was named before.
    fn type_name(&mut self) -> Option<&'a [u8]> {
        match self.byte()? {
            41 | 42 => self.string(),
            43 => self.number().map(|_| &b""[..]),
            _ => None,
        }
    }

    fn open(&mut self, kind: Kind) -> Option<Token<'a>> {
        let count = match kind {
            Kind::Pair => 2,
            Kind::Triplet => 3,
            Kind::Array => self.number()?,
            Kind::Dictionary => self.number()?.saturating_mul(2),
            Kind::Sparse => {
                self.number()?;
                self.number()?
            }
        };
        Some(Token::Open(kind, count))
    }

    fn scalar(&mut self, length: usize) -> Option<Token<'a>> {
        self.take(length).map(|_| Token::Scalar)
    }

    fn token(&mut self) -> Option<Token<'a>> {
        if std::mem::take(&mut self.formatted) {
            return self.string().map(Token::Text);
        }
        if let Some(left) = self.strings.checked_sub(1) {
            self.strings = left;
            return self.string().map(Token::Text);
        }
        if let Some(kind) = self.open.take() {
            return self.open(kind);
        }
        match self.byte()? {
            5 | 30 => self.string().map(Token::Text),
            15 => self.open(Kind::Pair),
            16 => self.open(Kind::Triplet),
            22 => self.open(Kind::Array),
            23 | 24 => self.open(Kind::Dictionary),
            20 => self.typed(Kind::Array),
            60 => self.typed(Kind::Sparse),
            21 => {
                self.strings = self.number()?;
                Some(Token::Open(Kind::Array, self.strings))
            }
            25 => self.type_name().map(Token::Type),
            40 => {
                self.formatted = true;
                self.type_name().map(Token::Type)
            }
            50 => self.string().map(Token::Binary),
            11 => {
                self.type_name()?;
                self.number().map(|_| Token::Scalar)
            }
            2 | 10 => self.number().map(|_| Token::Scalar),
            3 | 31 => self.scalar(1),
            1 => self.scalar(2),
            8 | 9 => self.scalar(4),
            6 | 7 => self.scalar(8),
            27 => self.scalar(12),
            4 => {
                let more = match self.byte()? {
                    0..0x80 => 0,
                    0x80..0xE0 => 1,
                    0xE0..0xF0 => 2,
                    _ => 3,
                };
                self.scalar(more)
            }
            12 | 28 | 100..=104 => Some(Token::Scalar),
            _ => None,
        }
    }

    fn typed(&mut self, kind: Kind) -> Option<Token<'a>> {
        let name = self.type_name()?;
        self.open = Some(kind);
        Some(Token::Type(name))
    }

    /// True while what was read last announced something that belongs to it.
    pub(crate) fn announced(&self) -> bool {
        self.open.is_some() || self.formatted
    }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if self.odd {
            return None;
        }
        let token = self.token();
        self.odd = token.is_none();
        token
    }
}
