//! Extraction by table: target, headers, containers inside values, limits.

mod bodies;
mod charsets;
mod compressed;
mod formats;
mod properties;
mod switches;

use super::*;
use crate::request::{Header, Scope};

#[derive(Debug)]
struct Sample {
    uri: Vec<u8>,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    body: Vec<u8>,
    scope: Scope,
}

impl Sample {
    fn get(uri: &str) -> Sample {
        Sample { uri: uri.into(), headers: Vec::new(), body: Vec::new(), scope: Scope::Whole }
    }

    fn header(mut self, name: &str, value: &str) -> Sample {
        self.headers.push((name.into(), value.into()));
        self
    }

    fn post(content_type: &str, body: &[u8]) -> Sample {
        let mut sample = Sample::get("/").header("Content-Type", content_type);
        sample.body = body.to_vec();
        sample
    }

    fn extract_into(&self, views: &mut Views, limits: &Limits) -> LimitsHit {
        let headers: Vec<Header<'_>> = self
            .headers
            .iter()
            .map(|(name, value)| Header { name, value, helper: name.starts_with(b"X-Helper") })
            .collect();
        let request = Request {
            method: b"POST",
            uri: &self.uri,
            protocol: b"HTTP/1.1",
            headers: &headers,
            body: &self.body,
            body_truncated: false,
            scope: self.scope,
        };
        let mut hit = LimitsHit::default();
        views.extract(&request, limits, &mut limits.budget(request.len()), &mut hit);
        hit
    }

    fn extract(&self) -> Views {
        let mut views = Views::default();
        let hit = self.extract_into(&mut views, &Limits::default());
        assert_eq!(hit, LimitsHit::default());
        views
    }

    /// Place and text of every view in `group`.
    fn views(&self, group: Group) -> Vec<(String, String)> {
        list(&self.extract(), group)
    }
}

fn list(views: &Views, group: Group) -> Vec<(String, String)> {
    let of_group = views.fields.iter().filter(|field| field.group == group);
    of_group
        .map(|field| {
            let text = String::from_utf8_lossy(views.bytes(field)).into_owned();
            (views.point_name(field.point), text)
        })
        .collect()
}

#[track_caller]
fn check(sample: &Sample, group: Group, expected: &[(&str, &str)]) {
    let found = sample.views(group);
    let found: Vec<(&str, &str)> = found.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn query_parameters_are_shown_as_received_and_decoded() {
    let sample = Sample::get("/a?id=1%27+or&x=%252e&empty=&id=2");
    check(
        &sample,
        Group::Query,
        &[
            ("[get, 'id']", "1' or"),
            ("[get, 'x']", "%2e"),
            ("[get, 'x']", "."),
            ("[get, 'id']", "2"),
            ("[get, 'id', pollution]", "1' or,2"),
        ],
    );
    check(&sample, Group::QueryName, &[("[get_name]", "id&x&empty&id")]);
    check(&sample, Group::Uri, &[("[uri]", "/a?id=1%27+or&x=%252e&empty=&id=2")]);
}

#[test]
fn brackets_in_names_become_elements_of_the_point() {
    let uri = "/?a[]=x&a[]=y&b%5B2%5D=z&c[d][e f]=u&f[]=v&a[]=w&[g]=t&h]=s&i[j=r&k[1]l=q";
    let table: [(&str, &str); 10] = [
        ("[get, 'a', array, 0]", "x"),
        ("[get, 'a', array, 1]", "y"),
        ("[get, 'b', array, 2]", "z"),
        ("[get, 'c', hash, 'd', hash, 'e f']", "u"),
        ("[get, 'f', array, 0]", "v"),
        ("[get, 'a', array, 2]", "w"),
        ("[get, '[g]']", "t"),
        ("[get, 'h]']", "s"),
        ("[get, 'i[j']", "r"),
        ("[get, 'k[1]l']", "q"),
    ];
    let found = Sample::get(uri).views(Group::Query);
    for (point, text) in table {
        assert!(found.contains(&(point.into(), text.into())), "{point} {text}: {found:?}");
    }
    let deep = format!("/?a{}=x", "[b]".repeat(100));
    let found = Sample::get(&deep).views(Group::Query);
    assert_eq!(found[0].0.matches("hash").count(), 8, "{found:?}");
}

#[test]
fn repeated_names_are_noted_and_their_values_joined() {
    let odd = |sample: &Sample| {
        let views = sample.extract();
        let mut fields = views.fields.iter();
        fields.any(|field| field.anomalies.contains(Anomalies::DUPLICATE_NAME))
    };
    let joined = [
        (Sample::get("/?id=1+union/*&x=2&%69d=*/select"), Group::Query, "[get, 'id', pollution]"),
        (
            Sample::post("", b"id=1+union/*&x=2&id=*/select"),
            Group::Body,
            "[post, form_urlencoded, 'id', pollution]",
        ),
    ];
    for (sample, group, point) in joined {
        let found = sample.views(group);
        assert!(found.contains(&(point.into(), "1 union select".into())), "{found:?}");
        assert!(odd(&sample));
    }
    let json = |text: &str| Sample::post("application/json", text.as_bytes());
    assert!(odd(&json(r#"{"a":1,"b":{"a":2},"\u0061":3}"#)));
    assert!(odd(&json(r#"[{"b":1},{"a":{"c":1,"c":2}}]"#)));
    assert!(!odd(&json(r#"[{"a":1},{"a":2,"b":{"a":3}}]"#)));
    assert!(!odd(&Sample::get("/?a[]=1&a[]=2&A=3&a=4")));
    assert!(!odd(&Sample::get("/").header("Cookie", "a=1; a=2").header("Cookie", "a=3")));
}

#[test]
fn names_that_are_not_plain_are_shown_alone_and_in_their_query() {
    let sample = Sample::get("/?a=1&%3Cb%3E=2&user%5B$ne%5D=3");
    check(&sample, Group::QueryName, &[("[get_name]", "<b>"), ("[get_name]", "a&user[$ne]")]);
    let queries = sample.views(Group::Query);
    assert!(queries.contains(&("[uri]".into(), "a=1&<b>=2&user[$ne]=3".into())), "{queries:?}");
}

#[test]
fn a_payload_torn_apart_by_separators_is_shown_whole() {
    for uri in ["/?q=1 && 2 || x", "/?<a b=c>&d"] {
        let whole = (String::from("[uri]"), uri[2..].to_string());
        assert!(Sample::get(uri).views(Group::Query).contains(&whole), "{uri}");
    }
    let cookie = Sample::get("/").header("cookie", "a=1; select (x) from y--");
    let whole = ("[header, 'COOKIE']".into(), "a=1; select (x) from y--".into());
    assert!(cookie.views(Group::Cookie).contains(&whole));
}

#[test]
fn paths_are_shown_whole_and_by_odd_segment() {
    check(&Sample::get("/static/app.min.js?v=1"), Group::Path, &[("[uri]", "/static/app.min.js")]);
    check(
        &Sample::get("/a/%2e%2e/b%00c/x%20y.t%78t"),
        Group::Path,
        &[
            ("[uri]", "/a/../b\0c/x y.txt"),
            ("[uri]", "/a/../bc/x y.txt"),
            ("[uri]", "/bc/x y.txt"),
            ("[path, 1]", ".."),
            ("[path, 2]", "b\0c"),
            ("[path, 2]", "bc"),
            ("[action_name]", "x y"),
            ("[action_ext]", "txt"),
        ],
    );
    check(&Sample::get("http://host.example/x"), Group::Path, &[("[uri]", "/x")]);
}

#[test]
fn headers_are_named_in_upper_case_and_helpers_left_out() {
    let sample = Sample::get("/")
        .header("User-Agent", "x%27y")
        .header("X-Helper-Addr", "192.0.2.1")
        .header("x odd", "1");
    check(
        &sample,
        Group::Header,
        &[
            ("[header, 'USER-AGENT']", "x%27y"),
            ("[header, 'USER-AGENT']", "x'y"),
            ("[header, 'X ODD']", "1"),
        ],
    );
    check(
        &sample,
        Group::HeaderName,
        &[("[header_name]", "x odd"), ("[header_name]", "User-Agent")],
    );
    let views = sample.extract();
    let field = views.fields.iter().find(|field| field.group == Group::Header).unwrap();
    assert_eq!(views.header_name(field.point), Some(&b"USER-AGENT"[..]));
    assert_eq!(views.point_key(field.point), Some(&b"USER-AGENT"[..]));
}

#[test]
fn cookies_are_named_below_their_header() {
    let sample = Sample::get("/").header("Cookie", "sid=ab%3Bc; t=1=2; flag");
    check(
        &sample,
        Group::Cookie,
        &[
            ("[header, 'COOKIE', cookie, 'sid']", "ab;c"),
            ("[header, 'COOKIE', cookie, 't']", "1=2"),
        ],
    );
    check(&sample, Group::CookieName, &[("[header, 'COOKIE', cookie_name]", "sid&t&flag")]);
    check(&sample, Group::Header, &[]);
}

#[test]
fn base64_in_the_path_is_read() {
    for uri in ["/PHNjcmlwdD4x", "/get/PHNjcmlwdD4x/y"] {
        let found = Sample::get(uri).views(Group::Path);
        assert!(found.iter().any(|(_, text)| text == "<script>1"), "{uri}: {found:?}");
    }
    check(&Sample::get("/products/42"), Group::Path, &[("[uri]", "/products/42")]);
}

#[test]
fn paths_are_shown_resolved_as_well() {
    for uri in ["/a/.//b;x/..%2fetc%5cpasswd", "/%2e%2e/x;y/../a//etc/passwd"] {
        let found = Sample::get(uri).views(Group::Path);
        let expected = ("[uri]".to_owned(), "/a/etc/passwd".to_owned());
        assert!(found.contains(&expected), "{uri}: {found:?}");
    }
}

#[test]
fn text_in_numbers_is_shown_as_a_further_view() {
    let table = [
        ("/?q=concat(0x3c736372,char(105,112))", "concat(<scr,ip)"),
        ("/?q=%2555nhex('27206f72')", "' or"),
        ("/?q=chr(97)%7C%7Cchr(98)", "ab"),
    ];
    for (uri, text) in table {
        let views = Sample::get(uri).extract();
        let fields: Vec<&Field> = views.fields.iter().filter(|f| f.group == Group::Query).collect();
        let last = fields.last().unwrap();
        assert_eq!(String::from_utf8_lossy(views.bytes(last)), text);
        assert!(last.decoders.contains(DecoderSet::SQL_LITERAL));
        assert_eq!(last.value, fields[0].value, "a view of the same value");
    }
    let limits = Limits { disabled: ParserSet::HEX, ..Limits::default() };
    let mut views = Views::default();
    Sample::get("/?q=char(97,98)").extract_into(&mut views, &limits);
    assert_eq!(list(&views, Group::Query).len(), 1);
}

#[test]
fn containers_inside_values_are_read() {
    let table: [(&str, &str, &str); 6] = [
        ("/?q=%7B%22a%22%3A%22b%22%7D", "[get, 'q', json_doc, hash, 'a']", "b"),
        ("/?q=PHNjcmlwdD4x", "[get, 'q', base64]", "<script>1"),
        ("/?q=eyJhIjoiYicgIn0", "[get, 'q', base64, json_doc, hash, 'a']", "b' "),
        (
            "/?q=eyJhIjoiYicgIn0.eyJjIjoiZCJ9.x",
            "[get, 'q', jwt, 'jwt_payload', base64, json_doc, hash, 'c']",
            "d",
        ),
        ("/?q=data:text/html;base64,PGE%2BYmNk", "[get, 'q', base64]", "<a>bcd"),
        (
            "/?q=%7B%22a%22%3A%22b=c%2Bd%22%7D",
            "[get, 'q', json_doc, hash, 'a', form_urlencoded, 'b']",
            "c d",
        ),
    ];
    for (uri, point, text) in table {
        let found = Sample::get(uri).views(Group::Query);
        assert!(found.contains(&(point.into(), text.into())), "{uri}: {found:?}");
    }
    let found =
        Sample::get("/").header("Authorization", "Basic YWRtaW46JyBvciAx").views(Group::Header);
    let expected = ("[header, 'AUTHORIZATION', base64]".into(), "admin:' or 1".into());
    assert!(found.contains(&expected), "{found:?}");
    for scheme in ["Bearer", "lsapi2", "x'--"] {
        let value = format!("{scheme} eyJhIjoiYicgIn0.eyJjIjoiZCJ9.x");
        let found = Sample::get("/").header("Authorization", &value).views(Group::Header);
        for (point, text) in [
            ("jwt, 'jwt_prefix'", scheme),
            ("jwt, 'jwt_header', base64, json_doc, hash, 'a'", "b' "),
            ("jwt, 'jwt_payload', base64, json_doc, hash, 'c'", "d"),
        ] {
            let expected = (format!("[header, 'AUTHORIZATION', {point}]"), text.to_owned());
            assert!(found.contains(&expected), "{point}: {found:?}");
        }
    }
}

#[test]
fn nesting_ends_at_the_depth_limit() {
    let mut inner = String::from("payload");
    for _ in 0..4 {
        inner = format!("{{\"a\":\"{}\"}}", inner.replace('\\', "\\\\").replace('"', "\\\""));
    }
    let sample = Sample::get(&format!("/?q={}", inner.replace('"', "%22")));
    let limits = Limits { depth: 2, ..Limits::default() };
    assert!(sample.extract_into(&mut Views::default(), &limits).depth);
    let mut views = Views::default();
    assert!(!sample.extract_into(&mut views, &Limits::default()).depth);
    assert!(list(&views, Group::Query).iter().any(|(_, text)| text == "payload"));
}

#[test]
fn the_body_scope_shows_the_body_alone() {
    let mut sample = Sample::post("application/json", br#"{"a":"b"}"#);
    sample.scope = Scope::Body;
    let views = sample.extract();
    let groups: Vec<Group> = views.fields.iter().map(|field| field.group).collect();
    assert_eq!(groups, [Group::RawBody, Group::Body, Group::BodyName]);
}

#[test]
fn padding_before_a_payload_changes_nothing() {
    for length in [8 << 10, 128 << 10] {
        padded(&"x".repeat(length), 7);
    }
    padded(&"x".repeat(1 << 20), 2);
}

/// Reads the first `kinds` of all bodies.
fn padded(padding: &str, kinds: usize) {
    let part = |name: &str, text: &str| {
        format!("--B\r\nContent-Disposition: form-data; name={name}\r\n\r\n{text}\r\n")
    };
    let parts = [part("p", padding), part("a", "'payload"), "--B--".into()].concat();
    let tags = format!("<r><!--{padding}--><p>{padding}</p><a b='{padding}'>&#39;payload</a></r>");
    let bodies: [(&str, String); 7] = [
        ("application/x-www-form-urlencoded", format!("p={padding}&a=%27payload")),
        (
            "application/x-www-form-urlencoded",
            format!("{}a=%27payload", "p=1&".repeat(padding.len() / 4)),
        ),
        ("application/json", format!(r#"{{"p":"{padding}","a":"\u0027payload"}}"#)),
        ("text/plain", format!("{padding} %27payload")),
        ("multipart/form-data; boundary=B", parts),
        ("text/xml", tags),
        ("application/graphql", format!("{{a(p:\"{padding}\",b:\"\\u0027payload\")}}")),
    ];
    for (content_type, body) in bodies.into_iter().take(kinds) {
        let sample = Sample::post(content_type, body.as_bytes());
        let mut views = Views::default();
        let hit = sample.extract_into(&mut views, &Limits::default());
        assert!(!hit.overlimit_res && !hit.view_bytes && !hit.depth, "{hit:?}");
        let found = list(&views, Group::Body);
        assert!(found.iter().any(|(_, text)| text.contains("'payload")));
    }
}

#[test]
fn each_limit_is_reported_and_keeps_what_was_found() {
    let sample = Sample::get("/?first=1&second=2&third=3");
    let tight: [(Limits, LimitsHit); 3] = [
        (
            Limits { points: 3, ..Limits::default() },
            LimitsHit { points: true, ..LimitsHit::default() },
        ),
        (
            Limits { view_bytes: 40, view_bytes_per_byte: 0, ..Limits::default() },
            LimitsHit { view_bytes: true, ..LimitsHit::default() },
        ),
        (
            Limits { steps: 150, steps_per_byte: 0, ..Limits::default() },
            LimitsHit { overlimit_res: true, ..LimitsHit::default() },
        ),
    ];
    for (limits, expected) in tight {
        let mut views = Views::default();
        assert_eq!(sample.extract_into(&mut views, &limits), expected);
        assert!(!views.fields.is_empty());
    }
}

#[test]
fn values_beyond_the_point_limit_are_still_shown() {
    let sample = Sample::get("/?a=one&b=two&c=three&d=four");
    let mut views = Views::default();
    let limits = Limits { points: 3, ..Limits::default() };
    assert!(sample.extract_into(&mut views, &limits).points);
    let text = String::from_utf8_lossy(&views.text).into_owned();
    assert!(["one", "two", "three", "four"].iter().all(|value| text.contains(value)), "{text}");
}

#[test]
fn anomalies_are_noted_on_every_view_of_the_value() {
    let table: [(&str, Anomalies); 5] = [
        ("/?a=%zz", Anomalies::BAD_PERCENT),
        ("/?a=x%0d%0ay", Anomalies::ENCODED_NEWLINE),
        ("/?a=%2527", Anomalies::DOUBLE_ENCODED),
        ("/?a=%c0%af", Anomalies::OVERLONG_UTF8),
        ("/?a=%00", Anomalies::NUL),
    ];
    for (uri, anomaly) in table {
        let views = Sample::get(uri).extract();
        let mut values = views.fields.iter().filter(|field| field.group == Group::Query);
        assert!(values.all(|field| field.anomalies.contains(anomaly)), "{uri}");
    }
    let plain = Sample::get("/a?b=c%20d").header("Accept", "*/*").extract();
    assert!(plain.fields.iter().all(|field| field.anomalies.is_empty()));
}

#[test]
fn plain_values_are_mute() {
    let sample = Sample::get("/a/b-c_d.html?t=2024-01-01T10:20:30,5&q=a+b")
        .header("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36")
        .header("Sec-Ch-Ua", "\"Chromium\";v=\"124\", \"Not-A.Brand\";v=\"99\"")
        .header("X-Odd", "a'b")
        .header("Cookie", "id=GA1.2.1234.5678; odd=a=b");
    let mut views = Views::default();
    sample.extract_into(&mut views, &Limits::default());
    let told = views
        .fields
        .iter()
        .filter(|field| field.reading == Reading::Read && !field.group.is_wire());
    let told: Vec<String> = told.map(|field| views.point_name(field.point)).collect();
    assert_eq!(told, ["[get, 'q']", "[header, 'X-ODD']", "[header, 'COOKIE', cookie, 'odd']"]);
}
