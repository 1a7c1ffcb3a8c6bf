//! Bodies in other character sets than their readers expect.

use super::*;

/// ASCII in UTF-16.
pub(super) fn utf16(text: &str, big: bool, mark: bool) -> Vec<u8> {
    let mark = if mark { "\u{FEFF}" } else { "" };
    let units = mark.encode_utf16().chain(text.encode_utf16());
    units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

#[test]
fn bodies_in_utf16_are_read_declared_or_not() {
    for (big, mark) in [(false, true), (true, true), (false, false), (true, false)] {
        for kind in ["application/json", "application/json; charset=utf-16", ""] {
            let sample = Sample::post(kind, &utf16(r#"{"a":"b\u0027"}"#, big, mark));
            let found = sample.views(Group::Body);
            let expected = ("[post, json_doc, hash, 'a']".to_owned(), "b'".to_owned());
            assert!(found.contains(&expected), "{big} {mark} {kind}: {found:?}");
        }
    }
    let form = Sample::post("application/x-www-form-urlencoded", &utf16("a=%27+x", false, false));
    assert!(form
        .views(Group::Body)
        .contains(&("[post, form_urlencoded, 'a']".into(), "' x".into())));
}

#[test]
fn declared_utf7_and_ebcdic_are_read_and_noted() {
    let ebcdic = b"\x4C\x81\x6E\x7D\x40\x96\x99\x40\xF1\x4C\x61\x81\x6E";
    let table: [(&str, &[u8], &str, &str); 3] = [
        ("text/xml; charset=ibm037", ebcdic, "[post, xml, xml_tag, 'a']", "' or 1"),
        (
            "application/json; charset=\"utf-7\"",
            b"+AHsAIg-a+ACIAOgAi-b+ACIAfQ-",
            "[post, json_doc, hash, 'a']",
            "b",
        ),
        ("text/xml; charset=cp037", b"<a>x' or 1</a>", "[post, xml, xml_tag, 'a']", "x' or 1"),
    ];
    for (kind, body, point, text) in table {
        let sample = Sample::post(kind, body);
        let found = sample.views(Group::Body);
        assert!(found.contains(&(point.into(), text.into())), "{kind}: {found:?}");
        let views = sample.extract();
        let odd = |field: &Field| field.anomalies.contains(Anomalies::ODD_CHARSET);
        assert!(views.fields.iter().any(odd), "{kind}");
    }
}

#[test]
fn xml_in_another_encoding_than_declared_is_noted() {
    let document =
        |encoding: &str| format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?><a>b</a>");
    let plain = |encoding: &str| document(encoding).into_bytes();
    let table: [(Vec<u8>, bool); 8] = [
        (plain("UTF-8"), false),
        (plain("iso-8859-1"), false),
        (plain("UTF-16"), true),
        (plain("ebcdic-cp-us"), true),
        (utf16(&document("utf-16"), false, true), false),
        (utf16(&document("utf-8"), false, true), true),
        (utf16(&document("utf-8"), true, false), true),
        (utf16("<a>b</a>", true, true), false),
    ];
    for (body, expected) in table {
        let views = Sample::post("text/xml", &body).extract();
        let odd = |field: &Field| field.anomalies.contains(Anomalies::XML_ENCODING);
        assert_eq!(views.fields.iter().any(odd), expected, "{}", body.escape_ascii());
    }
}
