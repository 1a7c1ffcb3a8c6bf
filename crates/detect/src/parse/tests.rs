//! The parsers by table, where extraction does not show every detail.

use super::content_type::{declared, sniff, Declared, Format};
use super::json::{self, Scanner, Token};
use super::multipart::{headers, parameter, Parts};
use super::pairs::{cookies, form, Pair};
use super::target::{segments, split, Segment, Target};

#[test]
fn content_types_are_read_leniently() {
    let table: [(&[u8], Declared<'_>); 10] = [
        (b"application/x-www-form-urlencoded", Declared::Format(Format::Form)),
        (b" Application/X-WWW-Form-Urlencoded;charset=utf-8", Declared::Format(Format::Form)),
        (b"multipart/form-data; boundary=abc; x=y", Declared::Format(Format::Multipart(b"abc"))),
        (b"multipart/mixed; Boundary = \"a b\"", Declared::Format(Format::Multipart(b"a b"))),
        (b"multipart/form-data", Declared::Format(Format::Multipart(b""))),
        (b"application/vnd.api+json", Declared::Format(Format::Json)),
        (b"image/svg+xml", Declared::Format(Format::Xml)),
        (b"application/octet-stream", Declared::Binary),
        (b"text/plain; x=application/json", Declared::Other),
        (b"", Declared::Other),
    ];
    for (value, expected) in table {
        assert_eq!(declared(value), expected, "{}", value.escape_ascii());
    }
}

#[test]
fn bodies_are_told_apart_by_their_look() {
    let table: [(&[u8], Option<Format<'_>>); 13] = [
        (b"\xEF\xBB\xBF \n{\"a\":1}", Some(Format::Json)),
        (b"[1]", Some(Format::Json)),
        (b"[section]", None),
        (b"<a/>", Some(Format::Xml)),
        (b"a=b", Some(Format::Form)),
        (b"user%5Bid%5D=1&b", Some(Format::Form)),
        (b"a b=c", None),
        (b"=a", None),
        (b"--x\r\nContent-Type: y\r\n", Some(Format::Multipart(b"x"))),
        (b"-- x\nno header", None),
        (b"--x", None),
        (b"", None),
        (b"\x00\x01", None),
    ];
    for (body, expected) in table {
        assert_eq!(sniff(body), expected, "{}", body.escape_ascii());
    }
}

#[test]
fn parameters_of_a_disposition_are_found() {
    let table: [(&[u8], Option<&[u8]>); 8] = [
        (b"form-data; name=\"a\"", Some(b"a")),
        (b"form-data; NAME = a ; x", Some(b"a")),
        (b"form-data; filename=\"name=z\"; name=\"a;b\"", Some(b"a;b")),
        (b"form-data; name=\"a\"b\"", Some(b"a\"b")),
        (b"form-data; name=\"a", Some(b"a")),
        (b"form-data; name='a'", Some(b"a")),
        (b"form-data; name*=UTF-8''a%20b", Some(b"UTF-8''a%20b")),
        (b"form-data; filename=a", None),
    ];
    for (value, expected) in table {
        assert_eq!(parameter(value, "name"), expected, "{}", value.escape_ascii());
    }
}

#[test]
fn parts_end_at_a_boundary_line_only() {
    let body = b"--B\r\nA: 1\r\n x\r\nC\r\n\r\none --B two\r\n--B\n\nthree\n--B--";
    let mut parts = Parts::new(body, b"B").unwrap();
    let first = parts.next().unwrap();
    assert_eq!(first.content, b"one --B two");
    let lines: Vec<(&[u8], &[u8])> = headers(first.head).collect();
    assert_eq!(lines, [(&b"A"[..], &b"1\r\n x"[..]), (b"C", b"")]);
    assert_eq!(parts.next().unwrap().content, b"three");
    assert_eq!(parts.next(), None);
    assert!(Parts::new(body, b"").is_none());
    assert!(Parts::new(body, b"other").is_none());
}

#[test]
fn targets_are_split_into_path_query_and_segments() {
    let table: [(&[u8], &[u8], &[u8]); 6] = [
        (b"/a/b?c?d", b"/a/b", b"c?d"),
        (b"http://h:1/a?b", b"/a", b"b"),
        (b"http://h?b", b"", b"b"),
        (b"/x://y/z", b"/x://y/z", b""),
        (b"*", b"*", b""),
        (b"", b"", b""),
    ];
    for (uri, path, query) in table {
        assert_eq!(split(uri), Target { path, query }, "{}", uri.escape_ascii());
    }
    let all: Vec<Segment<'_>> = segments(b"/a//b.c.d").collect();
    assert_eq!(
        all,
        [
            Segment::Directory(0, b"a"),
            Segment::Directory(1, b""),
            Segment::ActionName(b"b"),
            Segment::ActionExt(b"c.d"),
        ]
    );
    let root: Vec<Segment<'_>> = segments(b"/").collect();
    assert_eq!(root, [Segment::ActionName(b"")]);
}

#[test]
fn pairs_keep_everything_after_the_first_equals_sign() {
    let pair = |name, value| Pair { name, value };
    let found: Vec<Pair<'_>> = form(b"a=b=c&&d&=e&f=").collect();
    let expected: [Pair<'_>; 4] =
        [pair(b"a", Some(b"b=c")), pair(b"d", None), pair(b"", Some(b"e")), pair(b"f", Some(b""))];
    assert_eq!(found, expected);
    let found: Vec<Pair<'_>> = cookies(b" a=b ;;c; d = e").collect();
    let expected: [Pair<'_>; 3] =
        [pair(b"a", Some(b"b")), pair(b"c", None), pair(b"d ", Some(b" e"))];
    assert_eq!(found, expected);
}

#[test]
fn json_tokens_come_out_whatever_their_order() {
    let mut scanner = Scanner::new(br#"{"k" : -1.5e3,"a\"b":[true,"x"],w}"#);
    let tokens: Vec<Token<'_>> = scanner.by_ref().collect();
    assert_eq!(
        tokens,
        [
            Token::Object,
            Token::Key(b"k"),
            Token::Scalar,
            Token::Key(br#"a\"b"#),
            Token::Array,
            Token::Scalar,
            Token::Text(b"x"),
            Token::Close,
            Token::Bare(b"w"),
            Token::Close,
        ]
    );
    assert!(scanner.odd);
}

#[test]
fn json_strings_lose_their_escapes() {
    let table: [(&[u8], &str); 5] = [
        (br#"a\"\\\/\n\r\t\b\f"#, "a\"\\/\n\r\t\u{8}\u{c}"),
        (br"\u0041\u00e9", "Aé"),
        (br"\q\u12", r"\q\u12"),
        (br"\", r"\"),
        (b"plain", "plain"),
    ];
    for (text, expected) in table {
        let mut out = Vec::new();
        json::unescape(text, &mut out);
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }
}
