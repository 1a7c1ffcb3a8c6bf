//! Formats of frameworks and languages: GraphQL, gRPC, protocol buffers, view states, serialised objects.

use super::compressed::{base64, gzip};
use super::*;

#[track_caller]
fn shows(found: &[(String, String)], expected: &[(&str, &str)]) {
    for (point, text) in expected {
        let value = ((*point).to_owned(), (*text).to_owned());
        assert!(found.contains(&value), "{point} {text}: {found:?}");
    }
}

fn marked(sample: &Sample, anomaly: Anomalies) -> bool {
    let mut views = Views::default();
    sample.extract_into(&mut views, &Limits::default());
    views.fields.iter().any(|field| field.anomalies.contains(anomaly))
}

const QUERY: &str = r#"query Find($n: Int = 5) { # why'
  all: users(filter: {name: "x' or \u0031", tags: ["a'", "b"]}, first: $n) @include(if: true) { id ...F }
}
fragment F on User { note(text: """say "hi" <b>""") }"#;

#[test]
fn graphql_strings_are_named_by_operation_and_argument() {
    let expected = |parent: &str| {
        [
            (format!("{parent}, gql, gql_query, 'Find']"), " why'"),
            (
                format!("{parent}, gql, gql_query, 'Find', gql_alias, 'all', gql_arg, 'name']"),
                "x' or 1",
            ),
            (format!("{parent}, gql, gql_query, 'Find', gql_alias, 'all', gql_arg, 'tags']"), "a'"),
            (
                format!("{parent}, gql, gql_fragment, 'F', gql_type, 'User', gql_arg, 'text']"),
                "say \"hi\" <b>",
            ),
        ]
    };
    let check = |sample: Sample, group: Group, parent: &str| {
        let found = sample.views(group);
        for (point, text) in expected(parent) {
            shows(&found, &[(&point, text)]);
        }
        assert!(!marked(&sample, Anomalies::BAD_GRAPHQL));
        assert!(!marked(&sample, Anomalies::DUPLICATE_NAME));
    };
    let escaped = QUERY.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let json = format!(r#"{{"query":"{escaped}","variables":{{"a":"v' or 1"}}}}"#);
    let sample = Sample::post("application/json", json.as_bytes());
    shows(
        &sample.views(Group::Body),
        &[("[post, json_doc, hash, 'variables', hash, 'a']", "v' or 1")],
    );
    check(sample, Group::Body, "[post, json_doc, hash, 'query'");
    check(Sample::post("application/graphql", QUERY.as_bytes()), Group::Body, "[post");
    let coded: String = QUERY.bytes().map(|byte| format!("%{byte:02x}")).collect();
    check(Sample::get(&format!("/graphql?query={coded}")), Group::Query, "[get, 'query'");
    let names = Sample::post("application/graphql", QUERY.as_bytes()).views(Group::BodyName);
    assert!(names.iter().any(|(_, text)| text.contains("users&filter&name&tags")), "{names:?}");
}

#[test]
fn graphql_strings_are_named_by_what_they_stand_in() {
    const CASES: [(&str, &str); 14] = [
        (r#"query Q($a: [T!] = "x") {f}"#, "gql_query, 'Q', gql_var, 'a'"),
        (r#"mutation ($b: T = {k: ["x"]}) {f}"#, "gql_mutation, gql_var, 'b'"),
        (
            r#"query Q($a: T @d(r: "x")) {f}"#,
            "gql_query, 'Q', gql_var, 'a', gql_dir, 'd', gql_arg, 'r'",
        ),
        (r#"query Q($a: T @d, $b: T = "x") {f}"#, "gql_query, 'Q', gql_var, 'b'"),
        (r#"query Q($a: T) {f(i: $a, j: "x")}"#, "gql_query, 'Q', gql_arg, 'j'"),
        (r#"query @d(r: "x") {f}"#, "gql_query, gql_dir, 'd', gql_arg, 'r'"),
        (r#"{a: f(i: 1, j: "x")}"#, "gql_query, gql_alias, 'a', gql_arg, 'j'"),
        (r#"{a: f g(j: "x")}"#, "gql_query, gql_arg, 'j'"),
        (r#"{a: f {g(j: "x")}}"#, "gql_query, gql_arg, 'j'"),
        (r#"{f(i: 1) @d(j: "x")}"#, "gql_query, gql_dir, 'd', gql_arg, 'j'"),
        (r#"{f @d g(j: "x")}"#, "gql_query, gql_arg, 'j'"),
        (r#"{... on T {... on U {f} g(j: "x")}}"#, "gql_query, gql_type, 'T', gql_arg, 'j'"),
        (r#"{...on T {f} g(j: "x")}"#, "gql_query, gql_arg, 'j'"),
        (r#"{on {T {g(j: "x")}}}"#, "gql_query, gql_arg, 'j'"),
    ];
    for (text, point) in CASES {
        let sample = Sample::post("application/graphql", text.as_bytes());
        let point = format!("[post, gql, {point}]");
        assert_eq!(sample.views(Group::Body), [(point, "x".to_owned())], "{text}");
    }
}

#[test]
fn many_strings_of_one_graphql_argument_share_a_point() {
    let text = format!("{{{}: f(a: [{}])}}", "n".repeat(1000), r#""x","#.repeat(1000));
    let views = Sample::post("application/graphql", text.as_bytes()).extract();
    assert!(views.fields.len() > 1000, "{}", views.fields.len());
    assert!(views.points.len() < 20, "{}", views.points.len());
}

#[test]
fn anonymous_graphql_is_read_in_a_parameter_called_query() {
    let found = Sample::get("/?query=%7Bu(id:%22x%27%22)%7Bn%7D%7D&other=%7Bu(id:%22y%22)%7D")
        .views(Group::Query);
    shows(&found, &[("[get, 'query', gql, gql_query, gql_arg, 'id']", "x'")]);
    assert!(!found.iter().any(|(point, _)| point.starts_with("[get, 'other', gql")), "{found:?}");
}

#[test]
fn broken_graphql_is_shown_whole() {
    for text in ["query{a(b:\"x'", "query{a}}", "query{a)", "query{a", "query {a ; drop}"] {
        let sample = Sample::post("application/graphql", text.as_bytes());
        shows(&sample.views(Group::Body), &[("[post, gql]", text)]);
        assert!(marked(&sample, Anomalies::BAD_GRAPHQL), "{text}");
    }
}

#[test]
fn depth_and_aliases_of_graphql_are_limited() {
    let deep = format!("query{}{}", "{a".repeat(100), "}".repeat(100));
    let wide = format!("query{{{}}}", "a:b ".repeat(300));
    let table = [
        (deep, LimitsHit { depth: true, ..LimitsHit::default() }),
        (wide, LimitsHit { fan_out: true, ..LimitsHit::default() }),
    ];
    for (text, expected) in table {
        let sample = Sample::post("application/graphql", text.as_bytes());
        assert_eq!(sample.extract_into(&mut Views::default(), &Limits::default()), expected);
        assert!(marked(&sample, Anomalies::OVER_LIMIT));
    }
}

/// A length-delimited field.
pub(super) fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    let mut length = content.len();
    while length > 127 {
        field.push(length as u8 | 0x80);
        length >>= 7;
    }
    field.push(length as u8);
    field.extend_from_slice(content);
    field
}

pub(super) fn frame(flags: u8, message: &[u8]) -> Vec<u8> {
    [&[flags][..], &(message.len() as u32).to_be_bytes(), message].concat()
}

#[test]
fn messages_are_read_without_a_schema() {
    let inner = field(3, b"x' or 1");
    let message = [&[8, 150, 1][..], &field(2, &inner), &field(4, "grün".as_bytes())].concat();
    for kind in
        ["application/x-protobuf", "application/protobuf", "application/vnd.google.protobuf"]
    {
        shows(
            &Sample::post(kind, &message).views(Group::Body),
            &[("[post, protobuf, 2, protobuf, 3]", "x' or 1"), ("[post, protobuf, 4]", "grün")],
        );
    }
    let broken = Sample::post("application/x-protobuf", b"\x12\x7fx' or 1");
    assert!(broken.views(Group::Body).iter().any(|(_, text)| text.contains("x' or 1")));
    assert!(marked(&broken, Anomalies::BAD_BINARY));
    let json = field(1, br#"{"a":"b' "}"#);
    shows(
        &Sample::post("application/x-protobuf", &json).views(Group::Body),
        &[("[post, protobuf, 1, json_doc, hash, 'a']", "b' ")],
    );
}

#[test]
fn grpc_frames_are_numbered() {
    let body = [
        frame(0, &field(1, b"one'")),
        frame(1, &gzip(&field(2, b"two'"))),
        frame(0, b""),
        frame(0x80, b"grpc-status:0\r\nx:three'"),
    ]
    .concat();
    let expected = [
        ("[post, grpc, 0, protobuf, 1]", "one'"),
        ("[post, grpc, 1, gzip, protobuf, 2]", "two'"),
        ("[post, grpc, 3]", "grpc-status:0\r\nx:three'"),
    ];
    for kind in ["application/grpc", "application/grpc+proto", "application/grpc-web"] {
        shows(&Sample::post(kind, &body).views(Group::Body), &expected);
    }
    let text = Sample::post("application/grpc-web-text", base64(&body).as_bytes());
    shows(&text.views(Group::Body), &[("[post, base64, grpc, 0, protobuf, 1]", "one'")]);
    let cut = &frame(0, &field(1, b"a long string, cut"))[..15];
    assert!(marked(&Sample::post("application/grpc", cut), Anomalies::BAD_BINARY));
    let many = frame(0, &field(1, b"x")).repeat(400);
    let hit = Sample::post("application/grpc", &many)
        .extract_into(&mut Views::default(), &Limits::default());
    assert_eq!(hit, LimitsHit { fan_out: true, ..LimitsHit::default() });
}

#[test]
fn nested_messages_end_at_the_limit() {
    let mut message = field(1, b"payload'");
    for _ in 0..40 {
        message = field(1, &[&message[..], &[0x10, 1]].concat());
    }
    let sample = Sample::post("application/x-protobuf", &message);
    let mut views = Views::default();
    assert!(sample.extract_into(&mut views, &Limits::default()).depth);
    assert!(list(&views, Group::Body).iter().any(|(_, text)| text.contains("payload'")));
}

#[test]
fn view_states_are_taken_apart() {
    let mut state = vec![0xFF, 1, 15, 5, 6];
    state.extend_from_slice(b"x' or ");
    // A pair of a string and a list: number, array of strings, dictionary.
    state.extend_from_slice(&[22, 3, 2, 0x96, 1, 21, 2, 2]);
    state.extend_from_slice(b"ab\x02cd");
    state.extend_from_slice(&[23, 1, 30, 1, b'k', 5, 2, b'v', b'\'']);
    state.extend_from_slice(&[7; 20]);
    let value = base64(&state).replace('+', "%2B");
    let sample = Sample::post("", format!("__VIEWSTATE={value}").as_bytes());
    let parent = "[post, form_urlencoded, '__VIEWSTATE', base64, viewstate";
    let found = sample.views(Group::Body);
    let list = format!("{parent}, viewstate_pair, 1, viewstate_array");
    for (point, text) in [
        (format!("{parent}, viewstate_pair, 0]"), "x' or "),
        (format!("{list}, 1, viewstate_array, 0]"), "ab"),
        (format!("{list}, 1, viewstate_array, 1]"), "cd"),
        (format!("{list}, 2, viewstate_dict_key]"), "k"),
        (format!("{list}, 2, viewstate_dict_value]"), "v'"),
    ] {
        shows(&found, &[(&point, text)]);
    }
    assert!(!marked(&sample, Anomalies::BAD_BINARY));
    for broken in
        [&state[..8], &[0xFF, 1, 99, 5, 1, 1], &[0xFF, 1, 22, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 9]]
    {
        let value = base64(broken);
        let sample =
            Sample::post("", format!("__VIEWSTATE={}", value.replace('+', "%2B")).as_bytes());
        assert!(marked(&sample, Anomalies::BAD_BINARY), "{broken:?}");
    }
}

#[test]
fn deep_view_states_end_at_the_limit() {
    let state = [&[0xFF, 1][..], &[22, 1].repeat(100), &[5, 1, b'x']].concat();
    let sample = Sample::post("", format!("v={}", base64(&state).replace('+', "%2B")).as_bytes());
    assert!(sample.extract_into(&mut Views::default(), &Limits::default()).depth);
}

#[test]
fn values_serialised_by_php_are_taken_apart() {
    let value = "a:2:{s:1:\"k\";s:7:\"x' or 1\";i:4;O:7:\"A\\Chain\":1:{s:1:\"p\";s:4:\"<b>'\";}}";
    let coded: String = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let parent = "[get, 'q', php";
    let found = Sample::get(&format!("/?q={coded}")).views(Group::Query);
    for (point, text) in [
        (format!("{parent}, hash, 'k']"), "x' or 1"),
        (format!("{parent}, array, 4, hash, 'p']"), "<b>'"),
        (format!("{parent}, php_class]"), "A\\Chain"),
    ] {
        shows(&found, &[(&point, text)]);
    }
    let found = Sample::get("/").header("Cookie", &format!("s={}", base64(value.as_bytes())));
    let expected = "[header, 'COOKIE', cookie, 's', base64, php, hash, 'k']";
    shows(&found.views(Group::Cookie), &[(expected, "x' or 1")]);
    let broken = Sample::get("/?q=s:99:%22x'%22;");
    shows(&broken.views(Group::Query), &[("[get, 'q', php]", "x'")]);
    assert!(marked(&broken, Anomalies::BAD_BINARY));
    let deep = Sample::get(&format!("/?q={}{}", "a:1:{i:0;".repeat(100), "}".repeat(100)));
    assert!(deep.extract_into(&mut Views::default(), &Limits::default()).depth);
}

#[test]
fn object_streams_of_java_show_classes_and_strings() {
    let stream = b"\xAC\xED\0\x05sr\0\x0bcom.x.Chain\0\0\0\0\0\0\0\x01\x02\0\x01L\0\x01cq\0~\0\x01xpt\0\x07x' or 1";
    for (sample, group, parent) in [
        (Sample::get(&format!("/?q={}", base64(stream))), Group::Query, "[get, 'q', base64, java"),
        (Sample::post("application/x-java-serialized-object", stream), Group::Body, "[post, java"),
        (Sample::post("application/octet-stream", stream), Group::File, "[post, java"),
    ] {
        let found = sample.views(group);
        shows(&found, &[(&format!("{parent}, java_class]"), "com.x.Chain")]);
        assert!(
            found.iter().any(|(p, t)| p.starts_with(parent) && t.starts_with("x' or 1")),
            "{found:?}"
        );
    }
}
