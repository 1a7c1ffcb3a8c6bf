//! Which parsers a body gets: the declared type, and what the body looks like.

use super::multipart;
use crate::views::ParserSet;

/// A body format that has a parser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format<'a> {
    Form,
    /// With the boundary, without its leading dashes.
    Multipart(&'a [u8]),
    Json,
    Xml,
    Graphql,
    /// Frames of messages; in base64 if the type says `-text`.
    Grpc {
        text: bool,
    },
    Protobuf,
}

impl Format<'_> {
    /// What switches its parser off.
    pub(crate) fn parser(self) -> ParserSet {
        match self {
            Format::Form => ParserSet::URLENC,
            Format::Multipart(_) => ParserSet::MULTIPART,
            Format::Json => ParserSet::JSON,
            Format::Xml => ParserSet::XML,
            Format::Graphql => ParserSet::GQL,
            Format::Grpc { .. } => ParserSet::GRPC,
            Format::Protobuf => ParserSet::PROTOBUF,
        }
    }

    /// True if both are the same format, whatever the boundary.
    pub(crate) fn same(self, other: Format<'_>) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }
}

/// What a Content-Type header declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Declared<'a> {
    Format(Format<'a>),
    /// Images, fonts, archives: content of a file.
    Binary,
    /// Text, or a type that says nothing.
    Other,
}

/// Reads a Content-Type value leniently.
pub(crate) fn declared(value: &[u8]) -> Declared<'_> {
    let end = memchr::memchr2(b';', b',', value).unwrap_or(value.len());
    let media_type = value.get(..end).unwrap_or_default().trim_ascii();
    let has = |part: &str| contains_ignore_case(media_type, part.as_bytes());
    if has("x-www-form-urlencoded") {
        Declared::Format(Format::Form)
    } else if has("multipart/") {
        Declared::Format(Format::Multipart(boundary(value).unwrap_or_default()))
    } else if has("application/grpc") {
        Declared::Format(Format::Grpc { text: has("-text") })
    } else if has("protobuf") {
        Declared::Format(Format::Protobuf)
    } else if has("graphql") && !has("json") {
        Declared::Format(Format::Graphql)
    } else if has("json") || has("application/csp-report") {
        Declared::Format(Format::Json)
    } else if has("xml") && !has("openxml") {
        Declared::Format(Format::Xml)
    } else if ["image/", "audio/", "video/", "font/", "zip", "octet-stream"]
        .iter()
        .any(|part| has(part))
    {
        Declared::Binary
    } else {
        Declared::Other
    }
}

/// The declared character set.
pub(crate) fn charset(value: &[u8]) -> Option<&[u8]> {
    let at = memchr::memchr(b';', value)?;
    let name = multipart::parameter(value.get(at + 1..)?, "charset")?;
    (!name.is_empty()).then_some(name)
}

fn boundary(value: &[u8]) -> Option<&[u8]> {
    const NAME: &[u8] = b"boundary";
    let at = find_ignore_case(value, NAME)?;
    let after = value.get(at + NAME.len()..)?.trim_ascii_start();
    let after = after.strip_prefix(b"=")?.trim_ascii_start();
    let boundary = match after.strip_prefix(b"\"") {
        Some(quoted) => quoted.split(|byte| *byte == b'"').next()?,
        None => after.split(|byte| matches!(byte, b';' | b',' | b' ' | b'\t')).next()?,
    };
    (!boundary.is_empty()).then_some(boundary)
}

/// True unless one boundary is declared, in the form that all applications read alike.
pub(crate) fn is_odd_boundary(value: &[u8]) -> bool {
    const NAME: &[u8] = b"boundary";
    let Some(at) = find_ignore_case(value, NAME) else { return true };
    let (before, after) = value.split_at(at);
    let after = after.get(NAME.len()..).unwrap_or_default();
    let second = find_ignore_case(after, b"boundary=").is_some();
    let alone = before.trim_ascii_end().ends_with(b";") && !second;
    let text = match after {
        [b'=', b'"', quoted @ ..] => ended_by(quoted, b'"'),
        [b'=', token @ ..] => Some(token.split(|byte| *byte == b';').next().unwrap_or(token)),
        _ => None,
    };
    // RFC 2046, section 5.1.1, without the blank, which it permits inside.
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(byte);
    !(alone && text.is_some_and(|text| !text.is_empty() && text.iter().all(plain)))
}

/// What stands before `quote`, if nothing but another parameter follows it.
fn ended_by(text: &[u8], quote: u8) -> Option<&[u8]> {
    let (inner, after) = text.split_at(memchr::memchr(quote, text)?);
    let after = after.get(1..)?.trim_ascii_start();
    (after.is_empty() || after.starts_with(b";")).then_some(inner)
}

/// What a body looks like from its first bytes.
pub(crate) fn sniff(body: &[u8]) -> Option<Format<'_>> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii_start();
    match body {
        [b'{', ..] => Some(Format::Json),
        [b'[', after @ ..] => looks_like_array(after).then_some(Format::Json),
        [b'<', ..] => Some(Format::Xml),
        [b'-', b'-', ..] => sniff_boundary(body).map(Format::Multipart),
        _ => looks_like_form(body).then_some(Format::Form),
    }
}

fn looks_like_array(after: &[u8]) -> bool {
    matches!(
        after.trim_ascii_start(),
        [b'{' | b'[' | b'"' | b']' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n', ..]
    )
}

/// The boundary that a multipart body itself begins with, if a part header follows.
pub(crate) fn sniff_boundary(body: &[u8]) -> Option<&[u8]> {
    let start = body.get(..body.len().min(1024)).unwrap_or_default();
    let start = start.strip_prefix(b"--")?;
    let end = memchr::memchr(b'\n', start)?;
    let line = start.get(..end)?.trim_ascii_end();
    let header = find_ignore_case(start.get(end..)?, b"content-").is_some();
    (header && !line.is_empty() && line.len() <= 256).then_some(line)
}

/// A plain name of moderate length and an equals sign.
fn looks_like_form(body: &[u8]) -> bool {
    const LONGEST_NAME: usize = 128;
    let start = body.get(..body.len().min(LONGEST_NAME)).unwrap_or_default();
    let Some(at) = memchr::memchr(b'=', start) else { return false };
    at > 0
        && start
            .iter()
            .take(at)
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.[]$:@%+&~".contains(byte))
}

fn contains_ignore_case(haystack: &[u8], needle: &[u8]) -> bool {
    find_ignore_case(haystack, needle).is_some()
}

/// For short haystacks: header values and the head of a body.
pub(crate) fn find_ignore_case(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window.eq_ignore_ascii_case(needle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_that_applications_read_differently_are_odd() {
        for (rest, odd) in [
            ("; boundary=----WebKitFormBoundaryAbC", false),
            (";boundary=\"=_a/b?c:d\"; charset=utf-8", false),
            ("; BOUNDARY=x; charset=utf-8", false),
            ("", true),
            (", boundary=x", true),
            (" boundary=x", true),
            ("; boundary =x", true),
            ("; boundary= x", true),
            ("; boundary=x ", true),
            ("; boundary=x y", true),
            ("; boundary=x!", true),
            ("; boundary=\"x y\"", true),
            ("; boundary=\"x\"y", true),
            ("; boundary=\"x", true),
            ("; boundary=x\"", true),
            ("; boundary=\"\"", true),
            ("; boundary2=x", true),
            ("; boundary=x; boundary=y", true),
        ] {
            let value = format!("multipart/form-data{rest}");
            assert_eq!(is_odd_boundary(value.as_bytes()), odd, "{value}");
        }
    }
}
