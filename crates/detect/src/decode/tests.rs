//! Decoders by table, and the properties that hold for any input.

use proptest::prelude::*;

use super::{base64, fully, percent, Buffers, Classes, Outcome, Rounds};
use crate::limits::Budget;
use crate::views::{Anomalies, DecoderSet, ParserSet};

const ROUNDS: Rounds = Rounds { most: 6, encoded_before: false, disabled: ParserSet::NONE };

fn decode(value: &[u8]) -> (Vec<u8>, Outcome) {
    let mut buffers = Buffers::default();
    let mut budget = Budget::new(u64::MAX);
    let outcome = fully(value, Classes::of(value), &mut buffers, ROUNDS, &mut budget).unwrap();
    let changed = !outcome.decoders.is_empty();
    (if changed { buffers.decoded().to_vec() } else { value.to_vec() }, outcome)
}

#[track_caller]
fn decodes(table: &[(&[u8], &str)], decoder: DecoderSet) {
    for (value, expected) in table {
        let (decoded, outcome) = decode(value);
        assert_eq!(String::from_utf8_lossy(&decoded), *expected, "{}", value.escape_ascii());
        assert!(outcome.decoders.contains(decoder), "{}: {outcome:?}", value.escape_ascii());
    }
}

#[track_caller]
fn keeps(table: &[&[u8]]) {
    for value in table {
        let (decoded, outcome) = decode(value);
        assert_eq!(decoded, *value, "{}", value.escape_ascii());
        assert!(outcome.decoders.is_empty(), "{}: {outcome:?}", value.escape_ascii());
    }
}

#[test]
fn percent_encoding_is_undone_to_the_last_layer() {
    let table: [(&[u8], &str); 6] = [
        (b"%41", "A"),
        (b"a%2", "a%2"),
        (b"%2527", "'"),
        (b"%25252e%25252E", ".."),
        (b"%%32%65", "."),
        (b"100%%20sure", "100% sure"),
    ];
    for (value, expected) in table {
        assert_eq!(decode(value).0, expected.as_bytes(), "{}", value.escape_ascii());
    }
    keeps(&[b"100%bgcolor", b"%", b"%4", b"%zz", b"%u00"]);
}

#[test]
fn unicode_percent_encoding_is_undone() {
    decodes(
        &[(b"%u003cb%U003E", "<b>"), (b"%uff1c", "<"), (b"%uEFC8", "\\")],
        DecoderSet::PERCENT_U,
    );
    assert!(decode(b"%u0041").1.anomalies.contains(Anomalies::ESCAPED_ALNUM));
    assert!(decode(b"%uF025").1.anomalies.contains(Anomalies::BEST_FIT));
}

#[test]
fn utf7_is_undone_where_it_hides_signs() {
    decodes(
        &[
            (b"+ADw-script+AD4-alert(1)", "<script>alert(1)"),
            (b"+ADwAcwA+-x", "<s>x"),
            (b"x+ACI 1", "x\" 1"),
            (b"%2BADw-b", "<b"),
        ],
        DecoderSet::UTF7,
    );
    assert!(decode(b"+ADw-").1.anomalies.contains(Anomalies::UTF7));
    keeps(&[b"a+AND b", b"1 +ABC- 2", b"x+AEE-", b"+AAA-", b"+A", b"+AD", b"c++ x", b"+4912345 6"]);
}

#[test]
fn layers_are_counted_and_named() {
    let (_, once) = decode(b"%27");
    assert_eq!((once.rounds, once.anomalies), (1, Anomalies::NONE));
    let (_, twice) = decode(b"%2527");
    assert_eq!((twice.rounds, twice.anomalies), (2, Anomalies::DOUBLE_ENCODED));
    let deep = format!("%{}27", "25".repeat(20));
    assert!(decode(deep.as_bytes()).1.anomalies.contains(Anomalies::DEEP_ENCODING));
}

#[test]
fn character_references_are_undone() {
    decodes(
        &[
            (b"&lt;b&gt;", "<b>"),
            (b"&LT;b&gt", "<b>"),
            (b"&#60;&#x3C;&#X3c", "<<<"),
            (b"&#0000060b", "<b"),
            (b"java&Tab;script&colon;alert&lpar;1&rpar;", "java\tscript:alert(1)"),
            (b"&amp;lt;", "<"),
            (b"%26%2360;", "<"),
        ],
        DecoderSet::HTML,
    );
    keeps(&[b"a&b", b"&lt=1", b"&colon", b"&#", b"&#x", b"&#xzz;", b"&#1114112;", b"AT&T"]);
}

#[test]
fn string_escapes_are_undone() {
    decodes(
        &[
            (br"\u003cb\x3e", "<b>"),
            (br"\u{3c}\u{00003c}", "<<"),
            (br"\057etc\057", "/etc/"),
            (br#"\'\"\/"#, "'\"/"),
            (br"\\u0027", "'"),
            (br"\3c img \0065xpression\28 1\29", "<img expression(1)"),
            (br"scr\0ipt", "script"),
            (br"x\r\ny: \nid", "x\r\ny: \nid"),
        ],
        DecoderSet::ESCAPE,
    );
    keeps(&[
        br"C:\new\table",
        br"\u00",
        br"\u{}",
        br"\xg0",
        br"C:\cafe\2024",
        br"..\..\boot.ini",
        br"\",
    ]);
}

#[test]
fn overlong_and_malformed_utf8_is_read_as_lenient_decoders_do() {
    decodes(
        &[
            (b"\xC0\xAE\xC0\xAF", "./"),
            (b"\xE0\x80\xAF", "/"),
            (b"\xF0\x80\x80\xAF", "/"),
            (b"\xF8\x80\x80\x80\xAF", "/"),
            (b"\xFC\x80\x80\x80\x80\xAF", "/"),
            (b"%c0%2f", "/"),
            (b"%c1%8s", "\\"),
            (b"%c0%qf", "/"),
            (b"..%bg%qfetc", "../etc"),
            (b"\xED\xA0\xBD\xED\xB8\x80", "\u{1F600}"),
        ],
        DecoderSet::OVERLONG,
    );
    assert!(decode(b"%c0%ae").1.anomalies.contains(Anomalies::OVERLONG_UTF8));
    keeps(&[b"\xC0", b"\xBD", "é".as_bytes(), "日本語".as_bytes(), b"\xC3", b"\xFF\xFE\x80"]);
}

#[test]
fn look_alikes_become_ascii() {
    let table: [(&str, &str); 8] = [
        ("＜ｓｃｒｉｐｔ＞", "<script>"),
        ("ſcript", "script"),
        ("¼script¾", "<script>"),
        ("⑯ ①②⑦", "⑯ 127"),
        ("ⓔⓧⓐⓜⓟⓛⓔ", "example"),
        ("𝐀𝓫𝟙", "Ab1"),
        ("‥∕etc", "../etc"),
        ("a\u{a0}b", "a b"),
    ];
    for (value, expected) in table {
        assert_eq!(String::from_utf8_lossy(&decode(value.as_bytes()).0), expected);
    }
    keeps(&["Grüße – “ça va” …".as_bytes()]);
}

#[test]
fn what_nobody_sees_is_removed() {
    decodes(
        &[(b"un\0ion", "union"), ("se\u{200b}lect\u{feff}".as_bytes(), "select"), (b"a%00b", "ab")],
        DecoderSet::INVISIBLE,
    );
    assert!(decode(b"<\0b\0>\0").1.anomalies.contains(Anomalies::UTF16));
    assert!(decode(b"a\x01b").1.anomalies.contains(Anomalies::CONTROL));
}

#[test]
fn comments_become_a_space() {
    decodes(
        &[
            (b"union/**/select", "union select"),
            (b"/*!50000union*/ select/*x*/1", " union  select 1"),
            (b"/*!union select", " union select"),
            (b"un/**/ion/*", "un ion/*"),
        ],
        DecoderSet::COMMENT,
    );
    keeps(&[b"*/*;q=0.8", b"2*3*/4", b"/*", b"a/*b"]);
}

#[test]
fn a_second_form_encoding_is_undone() {
    decodes(&[(b"1+or+1=1", "1 or 1=1"), (b";+cat+/etc", "; cat /etc")], DecoderSet::PLUS);
    keeps(&[b"1+1", b"a b+c+d", b"'a'+'b'+'c'", b"c++", b"++++"]);
}

#[test]
fn path_characters_written_as_numbers_are_read() {
    let (decoded, outcome) = decode(b"0x2e0x2E0x2Fetc0x5cx");
    assert_eq!(decoded, b"../etc\\x");
    assert!(outcome.anomalies.contains(Anomalies::HEX_PATH));
    keeps(&[b"0x20", b"x2f", b"0x"]);
}

#[test]
fn one_decoding_of_a_query_is_exact() {
    let table: [(&[u8], bool, &[u8], Anomalies); 6] = [
        (b"a+b%2Bc", true, b"a b+c", Anomalies::NONE),
        (b"a+b%2Bc", false, b"a+b+c", Anomalies::NONE),
        (b"%2527", true, b"%27", Anomalies::NONE),
        (b"%zz%41", true, b"%zzA", Anomalies::BAD_PERCENT.union(Anomalies::PERCENT_ALNUM)),
        (b"%u0041+", true, b"%u0041 ", Anomalies::NONE),
        (b"%", true, b"%", Anomalies::BAD_PERCENT),
    ];
    for (value, plus, expected, anomalies) in table {
        let mut out = Vec::new();
        let step = percent::once(value, &mut out, plus);
        assert_eq!(out, expected, "{}", value.escape_ascii());
        assert_eq!(step.anomalies, anomalies, "{}", value.escape_ascii());
    }
}

#[test]
fn base64_is_accepted_only_if_it_is_text() {
    let mut out = Vec::new();
    let texts: [(&[u8], &[u8]); 6] = [
        (b"JyBPUiAxPTE=", b"' OR 1=1"),
        (b"JyBPUiAxPTE", b"' OR 1=1"),
        (b"PD9waHAg\r\nZWNobw==", b"<?php echo"),
        (b"PGE_Pz8-", b"<a?\x3f?>"),
        (b"PHNjcgBpcHQ+MQ", b"<scr\0ipt>1"),
        ("R3LDvMOfZSDigJMgw6RoIPCfmYI".as_bytes(), "Grüße – äh 🙂".as_bytes()),
    ];
    for (value, expected) in texts {
        assert!(base64::may_be_text(value), "{}", value.escape_ascii());
        assert!(base64::decode(value, &mut out), "{}", value.escape_ascii());
        assert_eq!(out, expected);
    }
    for value in
        [&b"administrator"[..], b"deadbeefcafe0123", b"YQ==", b"", b"====", b"JyBPUiAxPTEa?"]
    {
        assert!(!base64::decode(value, &mut out), "{}", value.escape_ascii());
    }
}

#[test]
fn an_exhausted_budget_ends_decoding() {
    let mut buffers = Buffers::default();
    let value = b"%2541".repeat(100);
    assert_eq!(
        fully(&value, Classes::of(&value), &mut buffers, ROUNDS, &mut Budget::new(100)),
        None
    );
}

/// Bytes rich in what starts an encoding.
fn encoded() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "%", "%25", "%2", "%u00", "%c0%", "27", "&", "&#", "&#x3c", "&lt", ";", "\\", "\\u00",
            "\\x2", "0x2", "f", "e", "/*", "*/", "/*!", "\0", "＜", "\u{200b}", "a", "+", "u", "{",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 1..4),
        prop::sample::select(vec![
            &b"\xC0"[..],
            b"\xAE",
            b"\xE0\x80",
            b"\xED\xA0\xBD",
            b"\xED\xB8"
        ])
        .prop_map(<[u8]>::to_vec),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn decoding_never_grows_a_value(value in encoded()) {
        let (decoded, outcome) = decode(&value);
        prop_assert!(decoded.len() <= value.len());
        prop_assert!(outcome.rounds <= ROUNDS.most);
    }

    #[test]
    fn a_fixpoint_is_its_own_decoded_form(value in encoded()) {
        let (decoded, outcome) = decode(&value);
        if !outcome.anomalies.contains(Anomalies::DEEP_ENCODING) {
            let (again, outcome) = decode(&decoded);
            prop_assert!(outcome.decoders.is_empty(), "{:?}", outcome);
            prop_assert_eq!(again, decoded);
        }
    }

    #[test]
    fn a_changed_value_differs(value in encoded()) {
        let (decoded, outcome) = decode(&value);
        if outcome.rounds == 1 {
            prop_assert_ne!(decoded, value);
        }
    }

    #[test]
    fn percent_encoding_of_anything_is_reversed(value in prop::collection::vec(any::<u8>(), 0..64)) {
        let encoded: String = value.iter().map(|byte| format!("%{byte:02X}")).collect();
        let mut out = Vec::new();
        percent::once(encoded.as_bytes(), &mut out, true);
        prop_assert_eq!(out, value);
    }

    #[test]
    fn base64_never_panics(value in prop::collection::vec(any::<u8>(), 0..64)) {
        let mut out = Vec::new();
        base64::may_be_text(&value);
        base64::decode(&value, &mut out);
        prop_assert!(out.len() <= value.len());
    }
}
