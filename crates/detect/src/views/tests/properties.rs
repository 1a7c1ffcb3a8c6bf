//! What holds for any request.

use proptest::prelude::*;

use super::*;

fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::sample::select(vec![
            "a",
            "b=",
            "&",
            "%2",
            "%25",
            "+",
            "{",
            "}",
            "[",
            "]",
            "\"",
            "'",
            ":",
            ",",
            "\\u00",
            "\\",
            "--XX",
            "\r\n",
            "\n",
            "Content-Disposition: form-data; name=",
            "filename*=",
            ";",
            "=",
            "<",
            "<![CDATA[",
            "]]>",
            "eyJhIjoi",
            "data:;base64,",
            ".",
            "/",
            "?",
            "\0",
            "\u{ff1c}",
            "rO0ABXNy",
            "/wEPDwUG",
            "H4sIAAAA",
            "a:1:{s:1:\"",
            "O:3:\"",
            "query{a(b:\"",
            "\x12\x05\x0a\x03",
            "\0\0\0\0\x09",
            "<!DOCTYPE a [<!ENTITY b '",
            "&b;",
            "+ADw-",
            "char(97,98)",
            "0x61626364",
            "a[b][]=",
            ";/../",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 1..6),
    ]
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(piece(), 0..60).prop_map(|pieces| pieces.concat())
}

fn sample() -> impl Strategy<Value = Sample> {
    let content_type = prop::sample::select(vec![
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=XX",
        "text/xml",
        "application/graphql",
        "application/grpc",
        "application/grpc-web-text",
        "application/x-protobuf",
        "text/xml; charset=utf-16",
        "text/plain; charset=utf-7",
        "image/png",
        "",
    ]);
    (bytes(), content_type, bytes(), bytes(), bytes()).prop_map(
        |(uri, kind, cookie, other, body)| {
            let headers = vec![
                (b"Content-Type".to_vec(), kind.into()),
                (b"Cookie".to_vec(), cookie),
                (b"X".to_vec(), other),
            ];
            Sample { uri, headers, body, scope: Scope::Whole }
        },
    )
}

proptest! {
    #[test]
    fn any_request_yields_well_formed_views(sample in sample()) {
        let mut views = Views::default();
        let limits = Limits::default();
        let hit = sample.extract_into(&mut views, &limits);
        prop_assert_eq!(views.text.len(), views.lower.len());
        let mut end = 0;
        for field in &views.fields {
            prop_assert_eq!(field.start, end);
            prop_assert!(field.end > field.start);
            prop_assert_eq!(views.text[field.end as usize], SEPARATOR);
            prop_assert!(!views.point_name(field.point).is_empty());
            end = field.end + 1;
        }
        prop_assert_eq!(end as usize, views.text.len());
        prop_assert!(!hit.view_bytes && !hit.overlimit_res && !hit.points);
    }

    #[test]
    fn reused_views_are_like_new_ones(first in sample(), second in sample()) {
        let limits = Limits::default();
        let mut reused = Views::default();
        first.extract_into(&mut reused, &limits);
        let hit = second.extract_into(&mut reused, &limits);
        let mut new = Views::default();
        prop_assert_eq!(second.extract_into(&mut new, &limits), hit);
        prop_assert_eq!(&reused.text, &new.text);
        let names = |views: &Views| -> Vec<(String, Group, DecoderSet, Anomalies)> {
            let row = |f: &Field| (views.point_name(f.point), f.group, f.decoders, f.anomalies);
            views.fields.iter().map(row).collect()
        };
        prop_assert_eq!(names(&reused), names(&new));
    }

    #[test]
    fn views_stay_below_their_limit(sample in sample(), view_bytes in 0u32..500, points in 1u32..20) {
        let limits = Limits { view_bytes, view_bytes_per_byte: 0, points, ..Limits::default() };
        let mut views = Views::default();
        sample.extract_into(&mut views, &limits);
        prop_assert!(views.text.len() <= view_bytes as usize);
        prop_assert!(views.fields.len() * 2 <= views.text.len());
        prop_assert!(views.fields.is_sorted_by_key(|field| field.value));
    }
}
