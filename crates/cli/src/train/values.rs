//! Our own training values: one a line, in files by class, each put into a request.

use std::fs;
use std::path::{Path, PathBuf};

use super::data::Collector;
use crate::error::Error;
use crate::input::corpus::Labels;
use crate::input::{Fault, Message, ParseError, Place};

/// The source that these values are counted under.
pub(super) const SOURCE: &str = "own";

/// Adds the values of `directory`: `attack/CLASS.txt` and `benign/KIND.txt`.
pub(super) fn read(directory: &Path, data: &mut Collector) -> Result<(), Error> {
    for label in ["attack", "benign"] {
        let mut files = Vec::new();
        let directory = directory.join(label);
        let unreadable = |error| Error::Read(directory.display().to_string(), error);
        for entry in fs::read_dir(&directory).map_err(unreadable)? {
            files.push(entry.map_err(unreadable)?.path());
        }
        files.retain(|file| file.extension().is_some_and(|extension| extension == "txt"));
        files.sort();
        for file in files {
            read_file(&file, label, data)?;
        }
    }
    Ok(())
}

fn read_file(path: &PathBuf, label: &str, data: &mut Collector) -> Result<(), Error> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| Error::Read(name.clone(), error))?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    for (line, number) in text.lines().zip(1..) {
        if line.is_empty() || line.starts_with("## ") {
            continue;
        }
        let value = unescape(line)
            .ok_or_else(|| Error::Input(name.clone(), ParseError::line(number, Fault::Escape)))?;
        let message = request(&value, number, Place::Line(number));
        let class = (label == "attack").then(|| stem.clone());
        let sub = (label == "benign").then(|| format!("plain-{stem}"));
        let (label, source) = (Some(label.to_owned()), Some(SOURCE.to_owned()));
        data.add(&message, Labels { label, class, source, sub, seen: None });
    }
    Ok(())
}

/// Undoes `\n`, `\r`, `\t`, `\0`, `\\` and `\xHH`, which is a code point.
fn unescape(line: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = line.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let (&escape, after) = rest.split_first()?;
        rest = after;
        let letter = match escape {
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'0' => '\0',
            b'\\' => '\\',
            b'x' => {
                let (digits, after) = rest.split_at_checked(2)?;
                rest = after;
                char::from(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?)
            }
            _ => return None,
        };
        out.extend(letter.encode_utf8(&mut [0; 4]).bytes());
    }
    Some(out)
}

/// A request that carries the value; the place changes from line to line.
fn request(value: &[u8], number: u64, place: Place) -> Message {
    let mut message = Message::at(place);
    (message.method, message.uri, message.protocol) =
        (b"GET".into(), b"/".into(), b"HTTP/1.1".into());
    let encoded = percent(value);
    let pair = [b"q=", encoded.as_slice()].concat();
    match number % 4 {
        0 => {
            message.method = b"POST".into();
            message
                .headers
                .push((b"Content-Type".into(), b"application/x-www-form-urlencoded".into()));
            message.body = pair;
        }
        1 => message.headers.push((b"Cookie".into(), pair)),
        _ => message.uri = [b"/?", pair.as_slice()].concat(),
    }
    message
}

fn percent(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in value {
        if byte.is_ascii_alphanumeric() {
            out.push(*byte);
        } else {
            out.extend(format!("%{byte:02X}").bytes());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone() {
        assert_eq!(unescape(r"a\n\x00\\\t").unwrap(), b"a\n\0\\\t");
        assert_eq!(unescape(r"\xe9").unwrap(), "é".as_bytes());
        assert_eq!(unescape(r"\q"), None);
        assert_eq!(unescape(r"\x0"), None);
        assert_eq!(unescape("\\"), None);
    }

    #[test]
    fn values_survive_their_place() {
        for number in 0..4 {
            let message = request(b"a b&'\xFF", number, Place::Line(number));
            let all = [message.uri.clone(), message.body.clone()].concat();
            let cookie = message.header("cookie").unwrap_or_default();
            let found = [all.as_slice(), cookie].concat();
            assert!(found.ends_with(b"q=a%20b%26%27%FF"), "{number}");
        }
    }
}
