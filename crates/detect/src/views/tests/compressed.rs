//! Compressed bodies, and compressed streams in values.

use std::io::Write as _;

use super::*;

pub(super) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn compressed_bodies_are_read() {
    let whole = gzip(br#"{"a":"b\u0027"}"#);
    let damaged = gzip(&[&b"a=payload&p="[..], &b"x".repeat(9999)].concat());
    let expected = [("[post, gzip, json_doc, hash, 'a']", "b'")];
    let sample = Sample::post("application/json", &whole).header("Content-Encoding", "gzip");
    check(&sample, Group::Body, &expected);
    let sample = Sample::post("", &damaged[..damaged.len() - 20]);
    let found = sample.views(Group::Body);
    assert_eq!(found[0].1, "payload");
    let deflated = {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(b"a=b").unwrap();
        encoder.finish().unwrap()
    };
    let sample = Sample::post("", &deflated).header("Content-Encoding", "deflate");
    check(&sample, Group::Body, &[("[post, gzip, form_urlencoded, 'a']", "b")]);
    let sample = Sample::post("", b"a=b").header("Content-Encoding", "gzip");
    check(&sample, Group::Body, &[("[post, form_urlencoded, 'a']", "b")]);
}

fn deflate(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// Place and text of the values of a body sent with these codings.
fn values(body: &[u8], codings: &[&str]) -> Vec<(String, String)> {
    let form = Sample::post("application/x-www-form-urlencoded", body);
    let sample = codings.iter().fold(form, |s, coding| s.header("Content-Encoding", coding));
    sample.views(Group::Body)
}

#[test]
fn the_wire_body_counts_unless_a_declared_stream_ended_cleanly() {
    const INNER: (&str, &str) = ("[post, gzip, form_urlencoded, 'a']", "inner");
    let stream = gzip(b"a=inner");
    let damaged = &stream[..stream.len() - 4];
    let trailed = [&stream, &b"&b=outer"[..]].concat();
    let bare = [&deflate(b"a=inner"), &b"&b=outer"[..]].concat();
    let cases: [(&[u8], &[&str], bool, bool); 11] = [
        (&stream, &["gzip"], true, false),
        (&stream, &["identity", "X-GZIP"], true, false),
        (&deflate(b"a=inner"), &["deflate"], true, false),
        (&stream, &[], true, true),
        (&stream, &["br"], true, true),
        (&trailed, &["gzip"], true, true),
        (&trailed, &[], true, true),
        (damaged, &["gzip"], true, true),
        (&bare, &["deflate"], true, true),
        (b"K=1&b=outer", &["deflate"], false, true),
        (b"K=1&b=outer", &["gzip"], false, true),
    ];
    for (body, codings, inner, wire) in cases {
        let found = values(body, codings);
        let case = format!("{} {codings:?}: {found:?}", body.escape_ascii());
        assert_eq!(found.iter().any(|(p, t)| (&**p, &**t) == INNER), inner, "{case}");
        assert_eq!(found.iter().any(|(p, _)| !p.contains("gzip")), wire, "{case}");
        if body.ends_with(b"&b=outer") {
            let outer = ("[post, form_urlencoded, 'b']", "outer");
            assert!(found.iter().any(|(p, t)| (&**p, &**t) == outer), "{case}");
        }
    }
}

#[test]
fn a_plain_body_called_deflate_is_read_as_it_is() {
    // First bytes of every kind: block types, and what could be a zlib header.
    for first in 0..=u8::MAX {
        let body = [&[first], &b"xxxxxxxxxxxxxxxxxxxxxx&b=outer"[..]].concat();
        let found = values(&body, &["deflate"]);
        assert!(found.iter().any(|(_, text)| text == "outer"), "{first:#x}: {found:?}");
    }
}

#[test]
fn members_and_codings_are_undone_one_after_the_other() {
    let members = [gzip(b"a=in"), gzip(b"ner")].concat();
    let twice = gzip(&gzip(b"a=inner"));
    let mixed = gzip(&deflate(b"a=inner"));
    let cases: [(&[u8], &[&str]); 5] = [
        (&members, &["gzip"]),
        (&twice, &["gzip, gzip"]),
        (&twice, &["gzip", "gzip"]),
        (&mixed, &["deflate,gzip"]),
        (&gzip(&twice), &["gzip, gzip, gzip"]),
    ];
    for (body, codings) in cases {
        let expected = ("[post, gzip, form_urlencoded, 'a']".to_owned(), "inner".to_owned());
        assert_eq!(values(body, codings), [expected], "{codings:?}");
    }
    let found = values(&gzip(b"a=inner"), &["gzip, gzip"]);
    assert!(found.iter().any(|(_, text)| text == "inner"), "{found:?}");
}

#[test]
fn a_cut_stream_does_not_hide_the_wire_body() {
    let body = [&gzip(&vec![b'x'; 3 << 20]), &b"&b=outer"[..]].concat();
    let sample = Sample::post("application/x-www-form-urlencoded", &body);
    let mut views = Views::default();
    assert!(sample.extract_into(&mut views, &Limits::default()).data_bomb);
    assert!(list(&views, Group::Body).iter().any(|(_, text)| text == "outer"));
}

#[test]
fn a_bomb_is_cut_and_reported() {
    let bomb = gzip(&vec![b'x'; 3 << 20]);
    let sample = Sample::post("text/plain", &bomb);
    let mut views = Views::default();
    let hit = sample.extract_into(&mut views, &Limits::default());
    assert_eq!(hit, LimitsHit { data_bomb: true, ..LimitsHit::default() });
    let raw = views.fields.iter().find(|field| field.group == Group::RawBody).unwrap();
    assert_eq!(raw.range().len(), bomb.len() * 50);
}

/// Bits in the order of brotli: the lowest first.
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn put(&mut self, value: u64, bits: u32) -> &mut Bits {
        self.0.extend((0..bits).map(|bit| value >> bit & 1 == 1));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let byte =
            |bits: &[bool]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
        self.0.chunks(8).map(byte).collect()
    }
}

/// A brotli stream that holds `text` as it is: one uncompressed block, and the empty last one.
fn brotli(text: &[u8]) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(0, 1).put(0, 1).put(0, 2).put(text.len() as u64 - 1, 16).put(1, 1);
    [&bits.bytes(), text, &[3]].concat()
}

/// A brotli stream of `length` times the letter x, from 22594 on: one literal, inserted as often as one command can.
fn brotli_bomb(length: u64) -> Vec<u8> {
    let mut bits = Bits::default();
    // Window, last block, length; no block types, no postfix, no contexts, one tree of each kind.
    bits.put(0, 1).put(1, 1).put(0, 1).put(2, 2).put(length - 1, 24);
    bits.put(0, 3).put(0, 6).put(0, 2).put(0, 2);
    // Three prefix codes of a single symbol: literals, commands, distances.
    bits.put(1, 2).put(0, 2).put(u64::from(b'x'), 8);
    bits.put(1, 2).put(0, 2).put(504, 10);
    bits.put(1, 2).put(0, 2).put(0, 6);
    bits.put(length - 22594, 24);
    bits.bytes()
}

#[test]
fn brotli_bodies_are_read() {
    const INNER: (&str, &str) = ("[post, gzip, form_urlencoded, 'a']", "inner");
    let stream = brotli(b"a=inner");
    let both = brotli(&gzip(b"a=inner"));
    check_values(&values(&stream, &["br"]), &[INNER]);
    check_values(&values(&both, &["gzip, br"]), &[INNER]);
    let trailed = [&stream, &b"&b=outer"[..]].concat();
    for (body, found) in
        [(&trailed[..], true), (&stream[..stream.len() - 1], true), (&[0xFF; 9], false)]
    {
        let shown = values(body, &["br"]);
        assert_eq!(shown.iter().any(|(p, t)| (&**p, &**t) == INNER), found, "{shown:?}");
        assert!(shown.iter().any(|(p, _)| !p.contains("gzip")), "{shown:?}");
    }
}

fn check_values(found: &[(String, String)], expected: &[(&str, &str)]) {
    let found: Vec<(&str, &str)> = found.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_brotli_bomb_is_cut_and_reported() {
    let bomb = brotli_bomb(3 << 20);
    let sample = Sample::post("text/plain", &bomb).header("Content-Encoding", "br");
    let mut views = Views::default();
    let hit = sample.extract_into(&mut views, &Limits::default());
    assert_eq!(hit, LimitsHit { data_bomb: true, ..LimitsHit::default() });
    let raw = views.fields.iter().find(|field| field.group == Group::RawBody).unwrap();
    assert_eq!(raw.range().len(), bomb.len() * 50);
}

/// Bytes as base64 without padding; the length is made to fit.
pub(super) fn base64(text: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = text.to_vec();
    text.resize(text.len().next_multiple_of(3), b' ');
    let letters = text.chunks(3).flat_map(|three| {
        let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
        [18, 12, 6, 0].map(|shift| char::from(LETTERS[(bits >> shift) as usize & 63]))
    });
    letters.collect()
}

#[test]
fn streams_inside_values_are_read() {
    let zlib = |text: &[u8]| {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    };
    let coded = |bytes: &[u8]| base64(bytes).replace('+', "%2B");
    let percent =
        |bytes: &[u8]| bytes.iter().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let table: [(String, &str, &str); 4] = [
        (coded(&gzip(b"x' or 1")), "[get, 'q', base64, gzip]", "x' or 1"),
        (coded(&zlib(b"x' or 1")), "[get, 'q', base64, gzip]", "x' or 1"),
        (percent(&gzip(b"x' or 1")), "[get, 'q', gzip]", "x' or 1"),
        (coded(&gzip(br#"{"a":"b' "}"#)), "[get, 'q', base64, gzip, json_doc, hash, 'a']", "b' "),
    ];
    for (value, point, text) in table {
        let found = Sample::get(&format!("/?q={value}")).views(Group::Query);
        assert!(found.contains(&(point.into(), text.into())), "{found:?}");
    }
    let part = b"--B\r\nContent-Disposition: form-data; name=f; filename=x.gz\r\n\r\n";
    let body = [&part[..], &gzip(b"<?php x"), b"\r\n--B--"].concat();
    let found = Sample::post("multipart/form-data; boundary=B", &body).views(Group::File);
    let expected = ("[post, multipart, 'f', file, gzip]".to_owned(), "<?php x".to_owned());
    assert!(found.contains(&expected), "{found:?}");
}

#[test]
fn saml_parameters_are_inflated_without_a_frame() {
    let coded = |text: &[u8]| {
        let mut encoder =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(text).unwrap();
        base64(&encoder.finish().unwrap()).replace('+', "%2B")
    };
    let text = format!("<?xml version='1.0'?><r><a b='x&quot; or 1'/>{}</r>", "<c>d</c>".repeat(9));
    let value = coded(text.as_bytes());
    let found = Sample::get(&format!("/sso?SAMLRequest={value}&other={value}")).views(Group::Query);
    for (point, text) in [
        ("[get, 'SAMLRequest', base64, gzip]", &*text),
        (
            "[get, 'SAMLRequest', base64, gzip, xml, xml_tag, 'r', xml_tag, 'a', xml_attr, 'b']",
            "x\" or 1",
        ),
    ] {
        assert!(found.contains(&(point.into(), text.into())), "{point}: {found:?}");
    }
    assert!(!found.iter().any(|(point, _)| point.starts_with("[get, 'other', ")), "{found:?}");
    // What is no stream stays what it is.
    let found =
        Sample::get("/sso?SAMLart=AAQAAMh48%2F1oXIM%2BsDo7Dh2qMp1HM4IF5DaR").views(Group::Query);
    assert_eq!(found.len(), 1, "{found:?}");

    let bomb = format!("/sso?samlresponse={}", coded(&vec![b'x'; 3 << 20]));
    let mut views = Views::default();
    let hit = Sample::get(&bomb).extract_into(&mut views, &Limits::default());
    assert_eq!(hit, LimitsHit { data_bomb: true, ..LimitsHit::default() });
    assert!(views.text.len() < 2 << 20, "{}", views.text.len());
}

#[test]
fn many_streams_share_one_limit() {
    let stream = base64(&gzip(&vec![b'x'; 900 << 10]));
    let body = format!("a={stream}&b={stream}&c={stream}").replace('+', "%2B");
    let mut views = Views::default();
    let hit = Sample::post("", body.as_bytes()).extract_into(&mut views, &Limits::default());
    assert!(hit.data_bomb || hit.view_bytes, "{hit:?}");
    assert!(views.text.len() < 3 << 20, "{}", views.text.len());
}
