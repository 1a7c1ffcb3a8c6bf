use std::fmt::Write;

use super::*;

/// What is found in `text`, which is walked through in blocks: start, end and the rules.
fn found(matcher: &Matcher, text: &[u8], block: usize) -> Vec<(u32, u32, Vec<u32>)> {
    let mut occurrences = Vec::new();
    for start in (0..text.len()).step_by(block) {
        matcher.find(text, start..text.len().min(start + block), &mut occurrences);
    }
    assert!(occurrences.is_sorted_by_key(|occurrence| occurrence.at));
    let place = |occurrence: Occurrence| {
        let (range, rules) = matcher.rules(occurrence).unwrap();
        assert!(range.contains(&occurrence.at));
        (range.start, range.end, rules.to_vec())
    };
    let mut found: Vec<_> = occurrences.into_iter().map(place).collect();
    found.sort();
    found
}

/// The same, by comparing each literal at each position.
fn expected(literals: &[String], text: &[u8]) -> Vec<(u32, u32, Vec<u32>)> {
    let mut found = Vec::new();
    for start in 0..text.len() {
        for (literal, rule) in literals.iter().zip(0..) {
            if text[start..].starts_with(literal.as_bytes()) {
                found.push((start as u32, (start + literal.len()) as u32, vec![rule]));
            }
        }
    }
    found.sort();
    found
}

fn matcher(literals: &[String]) -> Matcher {
    let pairs: Vec<(&str, u32)> = literals.iter().map(String::as_str).zip(0..).collect();
    Matcher::new(&pairs)
}

/// Numbers that look random and are the same every time.
fn numbers() -> impl FnMut(usize) -> usize {
    let mut state = 7_u64;
    move |below| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    }
}

/// Literals of two to twelve bytes of a small alphabet, so that they overlap and share windows.
fn literals(count: usize, alphabet: &[u8]) -> Vec<String> {
    let mut next = numbers();
    let mut literals: Vec<String> = (0..count)
        .map(|_| (0..2 + next(11)).map(|_| alphabet[next(alphabet.len())] as char).collect())
        .collect();
    literals.sort();
    literals.dedup();
    literals
}

#[test]
fn overlapping_literals_are_all_found_across_blocks() {
    let matcher = Matcher::new(&[("she", 0), ("he", 1), ("hers", 2), ("he", 3), ("he", 1)]);
    let expected = [(1, 4, vec![0]), (2, 4, vec![1, 3]), (2, 6, vec![2])];
    for block in 1..8 {
        assert_eq!(found(&matcher, b"ushers", block), expected);
    }
}

#[test]
fn exactly_the_literals_that_stand_there_are_found() {
    let literals = literals(300, b"abc<");
    let matcher = matcher(&literals);
    let mut next = numbers();
    for length in 0..200 {
        let text: Vec<u8> = (0..length).map(|_| b"abc<"[next(4)]).collect();
        for block in [3, 8, 64, 4096] {
            assert_eq!(found(&matcher, &text, block), expected(&literals, &text), "{text:?}");
        }
    }
}

#[test]
fn thousands_of_literals_are_found_too() {
    let literals = literals(9000, b"abcdefgh<'");
    let matcher = matcher(&literals);
    assert!(matches!(matcher.filter, Filter::Large(_)));
    let text = literals[..40].concat();
    assert_eq!(found(&matcher, text.as_bytes(), 4096), expected(&literals, text.as_bytes()));
}

#[test]
fn bytes_of_any_value_around_a_literal_do_not_hide_it() {
    let literals: Vec<String> = ["||", "a{b", "select", "é\0"].map(String::from).to_vec();
    let matcher = matcher(&literals);
    for byte in 0..=255_u8 {
        for literal in &literals {
            let text = [&[byte; 3], literal.as_bytes(), &[byte; 2]].concat();
            assert_eq!(found(&matcher, &text, 4096), expected(&literals, &text));
        }
    }
}

#[test]
fn a_separator_keeps_neighbouring_views_apart() {
    let literals = literals(200, b"ab|");
    let matcher = matcher(&literals);
    for literal in &literals {
        for at in 1..literal.len() {
            let (left, right) = literal.as_bytes().split_at(at);
            let text = [left, &[0xFF], right].concat();
            assert!(found(&matcher, &text, 4096)
                .iter()
                .all(|hit| hit.2
                    != [literals.iter().position(|other| other == literal).unwrap() as u32]));
        }
    }
}

#[test]
fn literals_with_one_window_are_told_apart() {
    let literals: Vec<String> =
        ["<script>", "</script>", "javascript:", "script", "crip"].map(String::from).to_vec();
    let matcher = matcher(&literals);
    for literal in &literals {
        for text in [format!("x{literal}y"), literal[..literal.len() - 1].to_owned()] {
            assert_eq!(
                found(&matcher, text.as_bytes(), 4096),
                expected(&literals, text.as_bytes())
            );
        }
    }
}

/// What one byte of hostile text can cost.
#[test]
fn few_literals_share_a_window() {
    let rules = crate::RuleSet::builtin().unwrap();
    let mut all = Vec::new();
    for rule in rules.rules() {
        if let crate::rules::Trigger::Literals { literals, .. } = &rule.trigger {
            all.extend(literals.iter().map(|literal| (literal.as_str(), rule.id)));
        }
    }
    let matcher = Matcher::new(&all);
    let most = matcher.entries.iter().map(|entry| matcher.entries(entry.window.bytes).len()).max();
    assert!(most.unwrap() <= 12, "{most:?}");
}

#[test]
fn no_literals_find_nothing() {
    assert_eq!(found(&Matcher::new(&[]), b"some text", 4), []);
    let mut text = String::new();
    for number in 0..100 {
        let _ = write!(text, "{number} ");
    }
    assert_eq!(found(&matcher(&["||".into()]), text.as_bytes(), 16), []);
}
