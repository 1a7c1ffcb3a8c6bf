//! Payloads in disguises that once hid them, and honest values that look like these disguises.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

#[path = "common/sample.rs"]
mod sample;

use std::sync::LazyLock;

use sample::Sample;
use wallarm_detect::{Engine, Limits, Scratch};

static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::builtin().unwrap());

fn flagged(kind: &str, body: Vec<u8>) -> bool {
    let headers = vec![("Content-Type", kind.to_owned())];
    Sample { uri: "/".into(), headers, body }.with(|request| {
        !ENGINE.scan(request, &Limits::default(), &mut Scratch::default()).hits.is_empty()
    })
}

fn json(text: &str) -> bool {
    flagged("application/json", format!("{{\"a\":{text:?}}}").into())
}

fn upload(name: &str, content: &[u8]) -> bool {
    let head =
        format!("--cut\r\nContent-Disposition: form-data; name=\"f\"; filename=\"{name}\"\r\n\r\n");
    let body = [head.as_bytes(), content, b"\r\n--cut--\r\n"].concat();
    flagged("multipart/form-data; boundary=cut", body)
}

fn utf16(text: &str) -> Vec<u8> {
    [0xFEFF].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[test]
fn comments_do_not_hide_what_is_text_to_others() {
    let payload = "<input name=p formaction=//e.x>";
    for text in [payload.to_owned(), format!("/*{payload}*/"), format!("x/*{payload}*/")] {
        assert!(json(&text), "{text}");
    }
    assert!(!json("a { color: red } /* the usual blue */ b { margin: 0 }"));
}

#[test]
fn what_begins_like_a_document_is_read_unless_it_is_one() {
    let payload = "<form action=//x.yz><button>";
    for start in ["{\"", "[\"", "[{"] {
        let text = format!("{start}{payload}");
        assert!(json(&text), "{text}");
    }
    let document = r#"{"title":"It's (almost) done","tags":["a","b"],"n":[1,2,{"x":"y"}]}"#;
    assert!(!json(document));
}

#[test]
fn documents_of_xml_are_entered_without_a_declaration() {
    let document = "<a><b>1<![CDATA[' union sel]]>ect 1,2--</b></a>";
    assert!(json(document));
    assert!(upload("a.xml", document.as_bytes()));
    assert!(!json("<a><b><![CDATA[Tea & biscuits]]> at five</b></a>"));
}

#[test]
fn uploads_in_wide_characters_are_read() {
    assert!(upload("a.svg", &utf16("<svg onload=\"alert(1)\"></svg>")));
    assert!(!upload("a.csv", &utf16("name;city\r\nO'Brien;K\u{f6}ln\r\n")));
}
