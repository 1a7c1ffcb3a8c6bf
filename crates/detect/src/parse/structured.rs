//! Lists of quoted strings in headers, as RFC 8941 writes them: `"Chromium";v="124", "Not.A/Brand";v="8"`.

/// True for a well-formed list of tokens, numbers and strings with parameters, whose strings hold words and the punctuation that browsers
/// mix in on purpose. Nothing can be hidden in it: what breaks out of a string breaks the form.
pub(crate) fn is_plain(value: &[u8]) -> bool {
    let mut rest = value;
    loop {
        let Some(after) = item(rest) else { return false };
        rest = after;
        match rest {
            [] => return true,
            [b';', b' ', tail @ ..] | [b',', b' ', tail @ ..] | [b';' | b',', tail @ ..] => {
                rest = tail;
            }
            _ => return false,
        }
    }
}

/// Reads `token`, `"string"`, or `key=` before one of these; nothing if it is none. The rest is what follows.
fn item(value: &[u8]) -> Option<&[u8]> {
    let rest = skip(value, is_token);
    match rest {
        [b'=', b'"', tail @ ..] if rest.len() < value.len() => string(tail),
        [b'=', tail @ ..] if rest.len() < value.len() => Some(skip(tail, is_token)),
        [b'"', tail @ ..] if rest.len() == value.len() => string(tail),
        _ => (rest.len() < value.len()).then_some(rest),
    }
}

/// What follows the closing quote. A blank beside a quote is more than what stands in a string: `" or 1=1 or "`.
fn string(value: &[u8]) -> Option<&[u8]> {
    let rest = skip(value, |byte| is_token(byte) || b" ;=():?/".contains(&byte));
    let (text, rest) = value.split_at_checked(value.len() - rest.len())?;
    let blank = text.starts_with(b" ") || text.ends_with(b" ");
    rest.strip_prefix(b"\"").filter(|_| !blank)
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-+".contains(&byte)
}

fn skip(value: &[u8], skipped: impl Fn(u8) -> bool) -> &[u8] {
    let length = value.iter().take_while(|byte| skipped(**byte)).count();
    value.get(length..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_browsers_are_plain() {
        for value in [
            r#""Windows""#,
            r#""Chromium";v="124", "Google Chrome";v="124", "Not-A.Brand";v="99""#,
            r#""Not(A:Brand";v="8", "Not;A=Brand";v="24""#,
            r#"arch="x86", "15.0.0""#,
            r#""""#,
        ] {
            assert!(is_plain(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn what_breaks_out_is_not() {
        for value in [
            "",
            r#"x" or "a"="a"#,
            r#""a" or "b""#,
            r#""a"="a""#,
            r#""a";b=" or "c"#,
            r#""<script>""#,
            r#""$(id)""#,
            r#""a';--""#,
            r#"" onload=x""b"#,
            r#""a"#,
            r#"" or 1=1 or ""#,
            "a|b",
            r#"W/"5f3""#,
        ] {
            assert!(!is_plain(value.as_bytes()), "{value}");
        }
    }
}
