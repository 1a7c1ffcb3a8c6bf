//! Small named bit sets that travel with every view: which decoders changed it, and what was odd about it.

/// Defines a bit set over `u32` whose members have names.
macro_rules! bit_set {
    ($(#[$doc:meta])* $set:ident { $($(#[$member_doc:meta])* $member:ident = $bit:literal, $name:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $set(u32);

        impl $set {
            /// The empty set.
            pub const NONE: $set = $set(0);
            $($(#[$member_doc])* pub const $member: $set = $set(1 << $bit);)*
            const NAMED: &'static [(&'static str, $set)] = &[$(($name, $set::$member)),*];

            /// Adds the members of `other`.
            pub fn insert(&mut self, other: $set) {
                self.0 |= other.0;
            }

            /// The members of both.
            pub fn union(self, other: $set) -> $set {
                $set(self.0 | other.0)
            }

            /// True if every member of `other` is in the set.
            pub fn contains(self, other: $set) -> bool {
                self.0 & other.0 == other.0
            }

            /// True if any member of `other` is in the set.
            pub fn intersects(self, other: $set) -> bool {
                self.0 & other.0 != 0
            }

            pub fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// The set as its bits.
            pub fn bits(self) -> u32 {
                self.0
            }

            /// The member called `name`.
            pub fn parse(name: &str) -> Option<$set> {
                Self::NAMED.iter().find(|(known, _)| *known == name).map(|(_, set)| *set)
            }

            /// Names of the members, in a fixed order.
            pub fn names(self) -> impl Iterator<Item = &'static str> {
                Self::NAMED.iter().filter(move |(_, set)| self.contains(*set)).map(|(name, _)| *name)
            }
        }
    };
}

bit_set! {
    /// The decoders that changed a value on its way from the wire to a view.
    DecoderSet {
        /// `%XX`.
        PERCENT = 0, "percent";
        /// `%uXXXX`, as IIS and old JavaScript write it.
        PERCENT_U = 1, "percent_u";
        /// `+` for a space in a query or form.
        PLUS = 2, "plus";
        /// HTML character references.
        HTML = 3, "html";
        /// String escapes of JavaScript, JSON and C: `\uXXXX`, `\xHH`, `\n`, `\'`.
        ESCAPE = 4, "escape";
        /// A string of a JSON document.
        JSON = 5, "json";
        BASE64 = 6, "base64";
        /// UTF-8 sequences longer than they need to be, and their malformed relatives that lenient decoders accept.
        OVERLONG = 7, "overlong";
        /// Full-width and other compatibility forms of ASCII characters.
        WIDTH = 8, "width";
        /// UTF-16 text without a declaration.
        UTF16 = 9, "utf16";
        /// NUL bytes and invisible characters were removed.
        INVISIBLE = 10, "invisible";
        /// Comments were replaced by a space.
        COMMENT = 11, "comment";
        MULTIPART = 12, "multipart";
        XML = 13, "xml";
        GZIP = 14, "gzip";
        JWT = 15, "jwt";
        /// Quoted-printable.
        QUOTED = 16, "quoted_printable";
    }
}

bit_set! {
    /// Oddities that ordinary clients do not produce; indicators in their own right.
    Anomalies {
        /// `%` that is not followed by two hexadecimal digits, where percent-encoding is the rule.
        BAD_PERCENT = 0, "bad-percent";
        /// Percent-encoding under percent-encoding.
        DOUBLE_ENCODED = 1, "double-encoded";
        PERCENT_U = 2, "percent-u";
        OVERLONG_UTF8 = 3, "overlong-utf8";
        /// Bytes above 0x7F that are no UTF-8.
        INVALID_UTF8 = 4, "invalid-utf8";
        NUL = 5, "nul";
        /// Control characters other than tab, line feed, carriage return and NUL.
        CONTROL = 6, "control";
        /// Full-width or other compatibility forms of ASCII punctuation.
        FULL_WIDTH = 7, "full-width";
        /// Bytes above 0x7F escaped as private-use or best-fit characters (`%uEFC8`).
        BEST_FIT = 8, "best-fit";
        /// Still encoded after the last permitted round.
        DEEP_ENCODING = 9, "deep-encoding";
        /// ASCII letters or digits written as character references, escapes or `%uXXXX`.
        ESCAPED_ALNUM = 10, "escaped-alnum";
        /// A document that its own parser would reject.
        BAD_JSON = 11, "bad-json";
        BAD_MULTIPART = 12, "bad-multipart";
        /// The body is not of the declared type.
        BODY_MISMATCH = 13, "body-mismatch";
        /// One name several times.
        DUPLICATE_NAME = 14, "duplicate-name";
        /// CR or LF that came out of an encoding in the target or a header.
        ENCODED_NEWLINE = 15, "encoded-newline";
        /// Invisible or direction-changing characters.
        INVISIBLE = 16, "invisible";
        /// Text that only makes sense after the two bytes of each character were merged.
        UTF16 = 17, "utf16";
        /// A slash or dot written as `0x2f`, `0x2e`.
        HEX_PATH = 18, "hex-path";
        /// ASCII letters or digits percent-encoded.
        PERCENT_ALNUM = 19, "percent-alnum";
    }
}
