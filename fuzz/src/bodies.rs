//! Bodies of one type each: as they come, and made such that what they hold is known.

use std::io::Write;

use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use flate2::Compression;
use serde_json::Value;

use super::check::{self, header, post, Extracted};

/// A body of this media type.
fn body(kind: &str, body: &[u8]) -> Extracted {
    check::request(&post(&[header("Content-Type", kind.as_bytes())], body))
}

/// Every string of a document that a strict parser accepts is a value.
pub fn json(data: &[u8]) {
    let extracted = body("application/json", data);
    // Halves of characters beyond the first plane may be escaped one by one.
    if extracted.hit.any()
        || data.windows(3).any(|escape| matches!(escape, [b'\\', b'u', b'd' | b'D']))
    {
        return;
    }
    let Ok(document) = serde_json::from_slice::<Value>(data) else { return };
    let mut open = vec![&document];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(values) => open.extend(values),
            Value::Object(values) => open.extend(values.values()),
            Value::String(text) if !text.is_empty() => {
                assert!(extracted.shows(text.as_bytes()), "{text:?} is not shown");
            }
            _ => {}
        }
    }
}

/// Escaped text and attributes are values.
pub fn xml(data: &[u8]) {
    body("text/xml", data);
    let Ok(text) = std::str::from_utf8(data) else { return };
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    let escaped: String = text.chars().map(entity).collect();
    let document = format!("<?xml version=\"1.0\"?>\n<r a=\"{escaped}\"><b/>x{escaped}x</r>");
    let extracted = body("application/xml", document.as_bytes());
    if !extracted.hit.any() && !text.is_empty() {
        assert!(extracted.shows(text.as_bytes()), "attribute {text:?} is not shown");
        assert!(extracted.shows(format!("x{text}x").as_bytes()), "text {text:?} is not shown");
    }
}

fn entity(character: char) -> String {
    match character {
        '&' => "&amp;".into(),
        '<' => "&lt;".into(),
        '>' => "&gt;".into(),
        '"' => "&quot;".into(),
        '\'' => "&#39;".into(),
        other => other.into(),
    }
}

/// The content of every part is a value.
pub fn multipart(data: &[u8]) {
    const KIND: &str = "multipart/form-data; boundary=cut";
    body(KIND, data);
    let parts: Vec<&[u8]> = data.split(|byte| *byte == 0xF8).collect();
    let mut whole = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let head = format!("--cut\r\nContent-Disposition: form-data; name=\"p{number}\"\r\n\r\n");
        whole.extend_from_slice(head.as_bytes());
        whole.extend_from_slice(part);
        whole.extend_from_slice(b"\r\n");
    }
    whole.extend_from_slice(b"--cut--\r\n");
    let extracted = body(KIND, &whole);
    let torn = |part: &&[u8]| part.windows(5).any(|bytes| bytes == b"--cut");
    if extracted.hit.any() || parts.iter().any(torn) {
        return;
    }
    for part in parts.iter().filter(|part| !part.is_empty()) {
        assert!(extracted.shows(part), "{:?} is not shown", part.escape_ascii().to_string());
    }
}

/// Whatever was compressed is shown; whatever calls itself compressed does no harm.
pub fn compressed(data: &[u8]) {
    for coding in ["gzip", "deflate", "br", "br, gzip"] {
        let headers = [header("Content-Encoding", coding.as_bytes())];
        check::request(&post(&headers, data));
    }
    if data.is_empty() {
        return;
    }
    let gzip = write(GzEncoder::new(Vec::new(), Compression::fast()), data, GzEncoder::finish);
    let zlib = write(ZlibEncoder::new(Vec::new(), Compression::fast()), data, ZlibEncoder::finish);
    let raw =
        write(DeflateEncoder::new(Vec::new(), Compression::fast()), data, DeflateEncoder::finish);
    for (coding, packed) in [("gzip", gzip), ("deflate", zlib), ("deflate", raw)] {
        let headers = [header("Content-Encoding", coding.as_bytes())];
        let extracted = check::request(&post(&headers, &packed));
        assert!(extracted.hit.any() || extracted.shows(data), "{coding} hides a body");
    }
}

fn write<W: Write>(
    mut encoder: W,
    data: &[u8],
    finish: impl FnOnce(W) -> std::io::Result<Vec<u8>>,
) -> Vec<u8> {
    let written = encoder.write_all(data).and_then(|()| finish(encoder));
    written.expect("memory takes everything")
}
