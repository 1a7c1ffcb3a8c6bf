//! Bodies of every format, whole and broken.

use super::compressed::base64;
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
            ("[post]", "preamble"),
            ("[post]", "epilogue"),
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

/// The parts of one name each, as a strict client writes them, with some of it replaced.
fn multipart_sample(replace: &str, by: &str) -> Sample {
    let body = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n\
        --B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"g.txt\"\r\n\
        Content-Type: text/plain\r\n\r\ntwo\r\n--B--\r\n";
    assert!(body.contains(replace));
    Sample::post("multipart/form-data; boundary=B", body.replacen(replace, by, 1).as_bytes())
}

#[test]
fn multipart_that_parsers_read_differently_is_noted() {
    let odd = |sample: &Sample| {
        let views = sample.extract();
        let mut fields = views.fields.iter();
        fields.any(|field| field.anomalies.contains(Anomalies::BAD_MULTIPART))
    };
    assert!(!odd(&multipart_sample("one", "1")));
    // What is replaced, by what, and a text that has to be among the values, file names or names.
    let table = [
        ("\r\n--B--\r\n", "", "two"),
        ("--B--", "--B--\r\nx' epilogue", "x' epilogue"),
        ("--B\r\n", "x' preamble\r\n--B\r\n", "x' preamble"),
        ("one\r\n--B", "one\n--B", "one"),
        ("--B\r\n", "--B\n", "one"),
        ("name=\"a\"\r\n", "name=\"a\"\n", "one"),
        ("; name=\"a\"", "; name=\"a\"; name=\"b'\"", "b'"),
        ("filename=\"g.txt\"", "filename=\"g.txt\"; filename*=UTF-8''h%27.php", "UTF-8''h'.php"),
        ("filename=\"g.txt\"", "filename=\"g.txt\"; filename=h.php", "h.php"),
        ("Content-Type: text/plain", "Content-Disposition: form-data; name=\"c'\"", "c'"),
        ("Content-Type: text/plain", "no colon x'", "two"),
        ("Content-Type: text/plain", "Content-Type:\r\n text/x;'", "text/x;'"),
        ("Content-Disposition: form-data; name=\"a\"\r\n", "", "one"),
        ("; name=\"a\"", "", "one"),
        ("form-data; name=\"a\"", "form-data; name=\"a\0\"", "one"),
    ];
    for (replace, by, text) in table {
        let sample = multipart_sample(replace, by);
        assert!(odd(&sample), "{replace:?} {by:?}");
        let views = sample.extract();
        let shown = |field: &Field| views.bytes(field) == text.as_bytes();
        assert!(views.fields.iter().any(shown), "{by:?}");
    }
}

#[test]
fn parts_between_another_boundary_are_read_as_well() {
    let part = |boundary: &str, name: &str, text: &str| {
        format!("--{boundary}\r\nContent-Disposition: form-data; name={name}\r\n\r\n{text}\r\n")
    };
    let body = [part("own", "a", &part("declared", "b", "inner'")), "--own--".into()].concat();
    let sample = Sample::post("multipart/form-data; boundary=declared", body.as_bytes());
    let found = sample.views(Group::Body);
    let point = |point: &str| found.iter().any(|(known, _)| known == point);
    assert!(point("[post, multipart, 'a']") && point("[post, multipart, 'b']"), "{found:?}");
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
            ("[post, xml, xml_tag, 'a', xml_comment, 0]", "c"),
            ("[post, xml, xml_tag, 'a', xml_tag, 'd', xml_attr, 'e']", "\"f"),
        ],
    );
}

#[test]
fn document_types_instructions_and_comments_are_named() {
    let body = b"<?xml version='1.0'?><?php x?><!DOCTYPE a SYSTEM \"x>y\" [<!ELEMENT a ANY>\n\
        <!ENTITY b 'c>d'> <!ENTITY % e SYSTEM \"file:///f\"> %e; <!-- g -->]><a>&b;<!--h--></a>";
    let found = Sample::post("text/xml", body).views(Group::Body);
    let table = [
        ("[post, xml, xml_pi, 0]", "php x"),
        ("[post, xml, xml_dtd]", "a SYSTEM \"x>y\""),
        ("[post, xml, xml_dtd, xml_dtd_entity, 0]", "'c>d'"),
        ("[post, xml, xml_dtd, xml_dtd_entity, 1]", "SYSTEM \"file:///f\""),
        ("[post, xml, xml_comment, 0]", " g "),
        ("[post, xml, xml_tag, 'a']", "&b;"),
        ("[post, xml, xml_tag, 'a', xml_comment, 1]", "h"),
    ];
    for (point, text) in table {
        assert!(found.contains(&(point.into(), text.into())), "{point}: {found:?}");
    }
}

#[test]
fn xml_that_no_strict_parser_takes_is_noted() {
    let odd = |body: &str| {
        let views = Sample::post("text/xml", body.as_bytes()).extract();
        let mut fields = views.fields.iter();
        fields.any(|field| field.anomalies.contains(Anomalies::BAD_XML))
    };
    for body in ["<a b=c/>", "<a b/>", "<a>", "</a>", "<a><!-- x</a>", "<!DOCTYPE a [<!ENTITY b"] {
        assert!(odd(body), "{body}");
    }
    for body in ["<a b='c'><d/>e</a>", "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a/>"] {
        assert!(!odd(body), "{body}");
    }
}

#[test]
fn entity_bombs_are_reported() {
    let nested = |levels: usize, width: usize| {
        let level =
            |i: usize| format!("<!ENTITY e{} '{}'>", i + 1, format!("&e{i};").repeat(width));
        let all: String = (0..levels).map(level).collect();
        format!("<?xml version='1.0'?><!DOCTYPE a [<!ENTITY e0 'ha'>{all}]><a>&e{levels};</a>")
    };
    let flat = format!(
        "<!DOCTYPE a [<!ENTITY e '{}'>]><a>{}</a>",
        "x".repeat(20_000),
        "&e;".repeat(20_000)
    );
    let endless = "<!DOCTYPE a [<!ENTITY e '&f;'><!ENTITY f '&e;'>]><a>&e;</a>".to_owned();
    for (body, bomb) in
        [(nested(9, 10), true), (nested(2, 5), false), (flat, true), (endless, true)]
    {
        let mut views = Views::default();
        let sample = Sample::post("text/xml", body.as_bytes());
        let hit = sample.extract_into(&mut views, &Limits::default());
        assert_eq!(hit, LimitsHit { data_bomb: bomb, ..LimitsHit::default() }, "{body:.200}");
        let point = views.bomb().map(|point| views.point_name(point));
        assert_eq!(point.as_deref(), bomb.then_some("[post, xml]"));
        let marked = |field: &Field| field.anomalies.contains(Anomalies::ENTITY_BOMB);
        assert_eq!(views.fields.iter().any(marked), bomb);
    }
    let many: String = (0..400).map(|i| format!("<!ENTITY e{i} 'x'>")).collect();
    let sample = Sample::post("text/xml", format!("<!DOCTYPE a [{many}]><a/>").as_bytes());
    let hit = sample.extract_into(&mut Views::default(), &Limits::default());
    assert_eq!(hit, LimitsHit { fan_out: true, ..LimitsHit::default() });
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

#[test]
fn a_form_that_calls_itself_xml_is_read_as_a_form_alone() {
    let found = Sample::post("text/xml", b"a=b+c&d=e").views(Group::Body);
    assert_eq!(found.len(), 2, "{found:?}");
    let found = Sample::post("text/xml", b"a=b+c<d>e</d>").views(Group::Body);
    assert!(
        found.contains(&("[post, xml, form_urlencoded, 'a']".into(), "b c".into())),
        "{found:?}"
    );
    let of_form = found.iter().filter(|(point, _)| point.ends_with("form_urlencoded, 'a']"));
    assert!(of_form.count() <= 2, "{found:?}");
}
