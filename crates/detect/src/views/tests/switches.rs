//! Every parser can be switched off, and then really leaves alone what it would read.

use super::charsets::utf16;
use super::compressed::{base64, gzip};
use super::formats::{field, frame};
use super::*;

/// A request, and a view of it that is there as long as the parser is on.
struct Case {
    parser: &'static str,
    sample: Sample,
    point: &'static str,
    text: &'static str,
}

fn case(parser: &'static str, sample: Sample, point: &'static str, text: &'static str) -> Case {
    Case { parser, sample, point, text }
}

fn in_query(bytes: &[u8]) -> Sample {
    let coded: String = bytes.iter().map(|byte| format!("%{byte:02x}")).collect();
    Sample::get(&format!("/?q={coded}"))
}

fn heads() -> Vec<Case> {
    let token = "eyJhIjoiYicgIn0.eyJjIjoiZCJ9.x";
    let bearer = Sample::get("/").header("Authorization", &format!("Bearer {token}"));
    let cookie = Sample::get("/").header("Cookie", "a=%27");
    let state = base64(b"\xFF\x01\x0f\x05\x03x'y");
    let java = b"\xAC\xED\0\x05sr\0\x07x.Chain\0\0\0\0\0\0\0\x01\x02\0\0xp";
    vec![
        case("cookie", cookie, "[header, 'COOKIE', cookie, 'a']", "'"),
        case("json", in_query(br#"{"b":"c"}"#), "[get, 'q', json_doc, hash, 'b']", "c"),
        case(
            "xml",
            in_query(b"<?xml version='1.0'?><a>b</a>"),
            "[get, 'q', xml, xml_tag, 'a']",
            "b",
        ),
        case(
            "urlenc",
            in_query(br#"{"a":"b=c+d"}"#),
            "[get, 'q', json_doc, hash, 'a', form_urlencoded, 'b']",
            "c d",
        ),
        case(
            "gql",
            in_query(b"query Q {a(b: \"c'\")}"),
            "[get, 'q', gql, gql_query, 'Q', gql_arg, 'b']",
            "c'",
        ),
        case("php", in_query(b"a:1:{s:1:\"k\";s:2:\"x'\";}"), "[get, 'q', php, hash, 'k']", "x'"),
        case(
            "java",
            in_query(base64(java).as_bytes()),
            "[get, 'q', base64, java, java_class]",
            "x.Chain",
        ),
        case(
            "viewstate",
            in_query(state.as_bytes()),
            "[get, 'q', base64, viewstate, viewstate_pair, 0]",
            "x'y",
        ),
        case(
            "jwt",
            in_query(token.as_bytes()),
            "[get, 'q', jwt, 'jwt_header', base64]",
            r#"{"a":"b' "}"#,
        ),
        case("jwt", bearer, "[header, 'AUTHORIZATION', jwt, 'jwt_prefix']", "Bearer"),
        case("base64", in_query(b"PHNjcmlwdD4x"), "[get, 'q', base64]", "<script>1"),
        case("base64", Sample::get("/PHNjcmlwdD4x/"), "[path, 0, base64]", "<script>1"),
        case("zlib", in_query(&gzip(b"a'b")), "[get, 'q', gzip]", "a'b"),
        case("percent", Sample::get("/?q=%27"), "[get, 'q']", "'"),
        case("percent", Sample::get("/?q=%2527"), "[get, 'q']", "'"),
        case("htmljs", in_query(br"\x27"), "[get, 'q']", "'"),
        case("htmljs", in_query(b"&lt;"), "[get, 'q']", "<"),
        case("hex", in_query(b"char(97,98)"), "[get, 'q']", "ab"),
    ]
}

fn bodies() -> Vec<Case> {
    let part = b"--B\r\nContent-Disposition: form-data; name=a\r\n\r\nb'\r\n--B--";
    let message = field(1, b"x'");
    let rpc = frame(0, &message);
    let wide = utf16("a=%27+x", false, false);
    vec![
        case(
            "json",
            Sample::post("application/json", br#"{"a":"b\u0027"}"#),
            "[post, json_doc, hash, 'a']",
            "b'",
        ),
        case(
            "multipart",
            Sample::post("multipart/form-data; boundary=B", part),
            "[post, multipart, 'a']",
            "b'",
        ),
        case("urlenc", Sample::post("", b"a=%27"), "[post, form_urlencoded, 'a']", "'"),
        case("xml", Sample::post("text/xml", b"<a>b</a>"), "[post, xml, xml_tag, 'a']", "b"),
        case(
            "gql",
            Sample::post("application/graphql", b"{a(b: \"c'\")}"),
            "[post, gql, gql_query, gql_arg, 'b']",
            "c'",
        ),
        case("grpc", Sample::post("application/grpc", &rpc), "[post, grpc, 0, protobuf, 1]", "x'"),
        case(
            "protobuf",
            Sample::post("application/grpc", &rpc),
            "[post, grpc, 0, protobuf, 1]",
            "x'",
        ),
        case(
            "protobuf",
            Sample::post("application/protobuf", &message),
            "[post, protobuf, 1]",
            "x'",
        ),
        case("zlib", Sample::post("", &gzip(b"a=b'")), "[post, gzip, form_urlencoded, 'a']", "b'"),
        case(
            "zlib",
            Sample::post("application/grpc", &frame(1, &gzip(&message))),
            "[post, grpc, 0, gzip, protobuf, 1]",
            "x'",
        ),
        case(
            "charset",
            Sample::post("application/x-www-form-urlencoded", &wide),
            "[post, form_urlencoded, 'a']",
            "' x",
        ),
    ]
}

impl Case {
    fn shows(&self, disabled: ParserSet) -> bool {
        let limits = Limits { disabled, ..Limits::default() };
        let mut views = Views::default();
        self.sample.extract_into(&mut views, &limits);
        let mut fields = views.fields.iter();
        fields.any(|field| {
            views.bytes(field) == self.text.as_bytes()
                && views.point_name(field.point) == self.point
        })
    }
}

#[test]
fn every_parser_can_be_switched_off() {
    let cases: Vec<Case> = heads().into_iter().chain(bodies()).collect();
    for case in &cases {
        let Case { parser, point, text, .. } = case;
        assert!(case.shows(ParserSet::NONE), "{parser}: no {point} {text}");
        let parser = ParserSet::named(parser).unwrap();
        assert!(!case.shows(parser), "{point} {text} without its parser");
    }
    for parser in ParserSet::all().names() {
        assert!(cases.iter().any(|case| case.parser == parser), "no case for {parser}");
    }
}
