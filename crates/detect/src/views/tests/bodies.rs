//! Bodies of every format, whole and broken.

use std::io::Write as _;

use super::*;

#[test]
fn forms_are_read_by_type_and_by_look() {
    for content_type in ["application/x-www-form-urlencoded; charset=x", "text/plain", ""] {
        let sample = Sample::post(content_type, b"a=1%2B1&b=x+y");
        check(
            &sample,
            Group::Body,
            &[("[post, form_urlencoded, 'a']", "1+1"), ("[post, form_urlencoded, 'b']", "x y")],
        );
        check(&sample, Group::RawBody, &[("[post]", "a=1%2B1&b=x+y")]);
        check(&sample, Group::BodyName, &[("[post, form_urlencoded_name]", "a&b")]);
    }
}

#[test]
fn json_strings_and_keys_are_named() {
    let body = br#"{"a":["x\u0027y",{"b c":"\n"}],"n":1.5e3,"t":true,"d":{"e":"f"}}"#;
    let sample = Sample::post("application/json", body);
    check(
        &sample,
        Group::Body,
        &[
            ("[post, json_doc, hash, 'a', array, 0]", "x'y"),
            ("[post, json_doc, hash, 'a', array, 1, hash, 'b c']", "\n"),
            ("[post, json_doc, hash, 'd', hash, 'e']", "f"),
        ],
    );
    check(
        &sample,
        Group::BodyName,
        &[("[post, json_doc, hash_name]", "b c"), ("[post, json_doc, hash_name]", "a&n&t&d&e")],
    );
}

#[test]
fn elements_of_an_array_are_counted_with_those_not_shown() {
    check(
        &Sample::post("application/json", br#"[1,"",null,"x",["y"]]"#),
        Group::Body,
        &[("[post, json_doc, array, 3]", "x"), ("[post, json_doc, array, 4, array, 0]", "y")],
    );
}

#[test]
fn bad_json_still_yields_its_strings() {
    let bodies: [&[u8]; 6] = [
        br#"{"a":"x' or 1"#,
        br#"{'a':'x' or 1}"#,
        br#"{a:"x"} or 1"#,
        br#"]}{"a":"x"  "y" or 1"#,
        br#"{"a":"x",,}} or 1"#,
        br#"{"a"="x"; or 1}"#,
    ];
    for body in bodies {
        let sample = Sample::post("application/json", body);
        let views = sample.extract();
        let texts: Vec<String> = list(&views, Group::Body).into_iter().map(|(_, t)| t).collect();
        assert!(texts.iter().any(|text| text.starts_with('x')), "{texts:?}");
        assert!(
            texts.iter().any(|text| text.ends_with("or 1") || text.contains("or 1}")),
            "{texts:?}"
        );
        let odd = |field: &Field| field.anomalies.contains(Anomalies::BAD_JSON);
        assert!(views.fields.iter().any(odd), "{}", body.escape_ascii());
    }
}

#[test]
fn deep_json_is_read_to_its_end() {
    let mut body = b"[".repeat(100_000);
    body.extend_from_slice(br#""payload""#);
    let sample = Sample::post("application/json", &body);
    let mut views = Views::default();
    let hit = sample.extract_into(&mut views, &Limits::default());
    assert!(hit.depth);
    assert!(list(&views, Group::Body).iter().any(|(_, text)| text == "payload"));
}

#[test]
fn multipart_parts_are_named() {
    let body = b"preamble\r\n--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n\
        --XX\r\ncontent-disposition: form-data; filename=\"x\"y.php\"; name=f\r\n\
        Content-Type: text/php; x=1\r\n\r\n<?php\r\n1;\r\n--XX--\r\nepilogue";
    let sample = Sample::post("multipart/form-data; boundary=\"XX\"", body);
    check(
        &sample,
        Group::Body,
        &[
            ("[post, multipart, 'a']", "one"),
            ("[post, multipart, 'f', header, 'CONTENT-TYPE']", "text/php; x=1"),
        ],
    );
    check(&sample, Group::File, &[("[post, multipart, 'f', file]", "<?php\r\n1;")]);
    check(
        &sample,
        Group::FileName,
        &[("[post, multipart, 'f', content_disp, 'filename']", "x\"y.php")],
    );
    check(&sample, Group::BodyName, &[("[post, multipart_name]", "a&f")]);
}

#[test]
fn quoted_printable_parts_are_shown_both_ways() {
    let body = b"--XX\r\nContent-Disposition: form-data; name=a\r\n\
        Content-Transfer-Encoding: Quoted-Printable\r\n\r\n=27x=\r\ny\r\n--XX--";
    let sample = Sample::post("multipart/form-data; boundary=XX", body);
    let point = "[post, multipart, 'a']";
    check(&sample, Group::Body, &[(point, "'xy"), (point, "=27x=\r\ny")]);
}

#[test]
fn multipart_is_read_without_its_boundary_and_end() {
    let body = b"--YY\nContent-Disposition: form-data; name=a\n\nvalue";
    for content_type in
        ["multipart/form-data; boundary=other", "multipart/form-data", "", "text/plain"]
    {
        let sample = Sample::post(content_type, body);
        check(&sample, Group::Body, &[("[post, multipart, 'a']", "value")]);
        let views = sample.extract();
        let odd = |field: &Field| field.anomalies.contains(Anomalies::BAD_MULTIPART);
        assert!(views.fields.iter().any(odd), "{content_type}");
    }
}

#[test]
fn a_body_of_another_type_than_declared_is_read_as_both() {
    let sample = Sample::post("application/x-www-form-urlencoded", br#"{"a":"b\u0063"}"#);
    let body = sample.views(Group::Body);
    assert!(body.contains(&("[post, json_doc, hash, 'a']".into(), "bc".into())), "{body:?}");
    let sample = Sample::post("application/json", b"a=b+c");
    let body = sample.views(Group::Body);
    assert!(body.contains(&("[post, form_urlencoded, 'a']".into(), "b c".into())), "{body:?}");
    let views = sample.extract();
    assert!(views.fields.iter().any(|f| f.anomalies.contains(Anomalies::BODY_MISMATCH)));
}

#[test]
fn xml_is_shown_whole_and_by_text_and_attribute() {
    check(
        &Sample::post(
            "text/xml",
            b"<a xmlns='x'><![CDATA[<]]>b &#39;<!--c--><d e=\"&quot;f\" g/></a>",
        ),
        Group::Body,
        &[
            ("[post, xml]", "<a xmlns='x'><b &#39;<!--c--><d e=\"&quot;f\" g/></a>"),
            ("[post, xml]", "<a xmlns='x'><b '<!--c--><d e=\"\"f\" g/></a>"),
            ("[post, xml, xml_tag, 'a']", "<"),
            ("[post, xml, xml_tag, 'a']", "b '"),
            ("[post, xml, xml_tag, 'a']", "c"),
            ("[post, xml, xml_tag, 'a', xml_tag, 'd', xml_attr, 'e']", "\"f"),
        ],
    );
}

#[test]
fn broken_xml_still_yields_its_text() {
    let bodies: [&[u8]; 6] = [
        b"<a>payload",
        b"<a b='payload",
        b"<a b=payload",
        b"</a></a>payload<",
        b"<![CDATA[payload",
        b"<!DOCTYPE x><?y?><a/><b <c>payload</>",
    ];
    for body in bodies {
        let found = Sample::post("application/xml", body).views(Group::Body);
        assert!(found.iter().any(|(_, text)| text == "payload"), "{found:?}");
    }
}

fn gzip(text: &[u8]) -> Vec<u8> {
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
    let sample = Sample::post("text/plain", &gzip(&vec![b'x'; 3 << 20]));
    let mut views = Views::default();
    let hit = sample.extract_into(&mut views, &Limits::default());
    assert_eq!(hit, LimitsHit { data_bomb: true, ..LimitsHit::default() });
    let raw = views.fields.iter().find(|field| field.group == Group::RawBody).unwrap();
    assert_eq!(raw.range().len(), Limits::default().inflated_bytes as usize);
}

/// Bytes as base64 without padding; the length is made to fit.
fn base64(text: &[u8]) -> String {
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
fn containers_are_read_in_order_so_that_later_ones_starve_none() {
    let container = |text: &str| format!(r#""{}""#, base64(text.as_bytes()));
    let padding = container(&format!("[{}1]", "[],".repeat(4000)));
    let payload = container(r#"{"a":"payload","b":"with \u0027 escape"}"#);
    let body = format!("[{payload}{}]", format!(",{padding}").repeat(80));
    let sample = Sample::post("application/json", body.as_bytes());
    let mut views = Views::default();
    // Enough for the values themselves and for some of what they hold.
    let limits = Limits { steps: 500_000, steps_per_byte: 5, ..Limits::default() };
    let hit = sample.extract_into(&mut views, &limits);
    assert!(hit.overlimit_res, "the padding fits: {hit:?}");
    let found = list(&views, Group::Body);
    assert!(found.iter().any(|(_, text)| text == "payload"), "{}", found.len());
}
