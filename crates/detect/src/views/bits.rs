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
        BROTLI = 17, "br";
        GRAPHQL = 18, "gql";
        PROTOBUF = 19, "protobuf";
        VIEWSTATE = 20, "viewstate";
        /// PHP's `serialize`.
        PHP = 21, "php";
        /// Java's object streams.
        JAVA = 22, "java";
        UTF7 = 23, "utf7";
        /// A character set that is no superset of ASCII, of a body as a whole.
        CHARSET = 24, "charset";
        /// Literals of SQL that hide text: `0x6162`, `char(97,98)`.
        SQL_LITERAL = 25, "sql_literal";
        /// Dot segments, doubled slashes and parameters of a path.
        PATH = 26, "path";
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
        /// A limit of the scan was hit while this value was read.
        OVER_LIMIT = 20, "over-limit";
        BAD_XML = 21, "bad-xml";
        /// XML in another encoding than it declares.
        XML_ENCODING = 22, "xml-encoding";
        /// Entities of a document type that expand to far more than was sent, or into themselves.
        ENTITY_BOMB = 23, "entity-bomb";
        /// A declared character set that no ordinary client uses: EBCDIC, UTF-7, UTF-32.
        ODD_CHARSET = 24, "odd-charset";
        UTF7 = 25, "utf7";
        /// A binary format that breaks off or does not follow its own rules.
        BAD_BINARY = 26, "bad-binary";
        /// A GraphQL document that no server would accept.
        BAD_GRAPHQL = 27, "bad-graphql";
        /// Text written as numbers in a literal of SQL.
        SQL_LITERAL = 28, "sql-literal";
    }
}

bit_set! {
    /// Parsers and decoders by the names that switch them off.
    ParserSet {
        /// Cookie headers into cookies.
        COOKIE = 0, "cookie";
        /// gzip, deflate and brotli.
        ZLIB = 1, "zlib";
        /// Character references and string escapes.
        HTMLJS = 2, "htmljs";
        JSON = 3, "json";
        MULTIPART = 4, "multipart";
        BASE64 = 5, "base64";
        PERCENT = 6, "percent";
        /// Forms; a query is always taken apart.
        URLENC = 7, "urlenc";
        XML = 8, "xml";
        JWT = 9, "jwt";
        GQL = 10, "gql";
        GRPC = 11, "grpc";
        PROTOBUF = 12, "protobuf";
        VIEWSTATE = 13, "viewstate";
        PHP = 14, "php";
        JAVA = 15, "java";
        /// Literals of SQL that hide text.
        HEX = 16, "hex";
        /// Bodies and values in UTF-16, UTF-7 and the like.
        CHARSET = 17, "charset";
    }
}

impl ParserSet {
    /// Every parser.
    pub fn all() -> ParserSet {
        Self::NAMED.iter().fold(ParserSet::NONE, |all, (_, parser)| all.union(*parser))
    }

    /// The parser called `name`, under the older and the newer of the public node's two names.
    pub fn named(name: &str) -> Option<ParserSet> {
        match name {
            "gzip" => Some(ParserSet::ZLIB),
            "form_urlencoded" => Some(ParserSet::URLENC),
            "json_doc" => Some(ParserSet::JSON),
            _ => ParserSet::parse(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsers_have_the_names_of_the_public_node() {
        for name in "cookie zlib htmljs json multipart base64 percent urlenc xml jwt".split(' ') {
            let set = ParserSet::named(name).unwrap();
            assert_eq!(set.names().collect::<Vec<_>>(), [name]);
        }
        assert_eq!(ParserSet::named("gzip"), ParserSet::named("zlib"));
        assert_eq!(ParserSet::named("form_urlencoded"), ParserSet::named("urlenc"));
        assert_eq!(ParserSet::named("json_doc"), ParserSet::named("json"));
        assert_eq!(ParserSet::named("JSON"), None);
    }

    #[test]
    fn every_parser_and_anomaly_is_documented() {
        let text = include_str!("../../../../docs/parsers.md");
        let parsers = ParserSet::NAMED.iter().map(|(name, _)| name);
        for name in parsers.chain(Anomalies::NAMED.iter().map(|(name, _)| name)) {
            assert!(text.contains(&format!("`{name}`")), "{name}");
        }
    }
}
