//! The verdict on one value: what its rules say and what its tokens say, put together.

use crate::attack::AttackType;
use crate::model::{Best, Model, Windows};
use crate::score::{Points, Sums, ALERT};
use crate::tokens::Context;
use crate::verdict;
use crate::views::Group;

/// [`verdict::SUSPECT`] in points.
pub(crate) const SUSPECT: Points = verdict::SUSPECT as Points * 100;

/// Rules and tokens together. What rules convict stays convicted: tokens only speak of what they leave open.
fn combined(rules: Points, window: Option<Best>) -> Points {
    match window {
        Some(best) if rules < ALERT => rules.saturating_add(best.points),
        _ => rules,
    }
}

/// The score of a value: its strongest attack type by rules, and its densest window of tokens.
pub(crate) fn score(rules: &Sums, window: Option<Best>) -> Points {
    combined(strongest(rules), window)
}

/// The highest sum of any attack type.
pub(crate) fn strongest(rules: &Sums) -> Points {
    rules.iter().copied().max().unwrap_or_default()
}

/// The scores by attack type of a value whose score is `score`: the type that most speaks for, and every other one that its rules
/// alone would convict of.
pub(crate) fn by_attack(
    rules: &Sums,
    score: Points,
    window: Option<Best>,
    model: &Model,
    windows: &mut Windows,
) -> Sums {
    // A scan does not read what rules convict, so the tokens of such a value do not name its type when it is explained either.
    let window = window.filter(|_| strongest(rules) < ALERT);
    let support = window.map_or_else(Sums::default, |best| windows.support(model, best));
    let weight = |attack: &AttackType| {
        let of = |sums: &Sums| sums.get(attack.index()).copied().unwrap_or_default();
        of(rules).saturating_add(of(&support))
    };
    // Of equals the first in the order of the types.
    let winner = AttackType::ALL.into_iter().rev().max_by_key(weight);
    let mut scores = Sums::default();
    for (attack, (sum, out)) in AttackType::ALL.into_iter().zip(rules.iter().zip(&mut scores)) {
        if Some(attack) == winner {
            *out = score;
        } else if *sum >= ALERT {
            *out = combined(*sum, window);
        }
    }
    scores
}

/// The context of a value; none for what other values repeat: wire forms, joined plain names, documents that were taken apart. None either for
/// binary files, whose bytes are no tokens.
pub(crate) fn place(group: Group, text: &[u8]) -> Option<Context> {
    let context = Context::of(group)?;
    let told = match group {
        Group::File => !is_binary(text),
        _ if is_names(group) => tells(text, NAME),
        _ => !is_document(text),
    };
    told.then_some(context)
}

/// The context in which the model reads a value; none as well if there is nothing in it that the rules would not see.
pub(crate) fn context(group: Group, text: &[u8]) -> Option<Context> {
    place(group, text).filter(|context| tells(text, 1 << *context as u8))
}

fn is_names(group: Group) -> bool {
    use Group::{BodyName, CookieName, HeaderName, QueryName};
    matches!(group, QueryName | HeaderName | CookieName | BodyName)
}

/// True if any byte is marked with `mark`.
fn tells(text: &[u8], mark: u8) -> bool {
    let marked = |byte: &u8| TELLING.get(usize::from(*byte)).is_some_and(|set| set & mark != 0);
    text.iter().any(marked)
}

/// True for what is no text: control characters near the beginning.
fn is_binary(text: &[u8]) -> bool {
    const LOOK: usize = 512;
    let control = |byte: &u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
    text.iter().take(LOOK).any(control)
}

/// True for the beginning of a JSON document: the parser has taken it apart into values of their own, keys included.
fn is_document(text: &[u8]) -> bool {
    let mut bytes = text.iter().filter(|byte| !byte.is_ascii_whitespace());
    matches!(
        (bytes.next(), bytes.next()),
        (Some(b'{'), Some(b'"')) | (Some(b'['), Some(b'{' | b'"'))
    )
}

/// Marks bytes that do not stand in ordinary names.
const NAME: u8 = 1;

/// The contexts in which a byte makes a value worth reading, as bits of [`Context`]. Elsewhere it stands in nearly every value: spaces in
/// headers, slashes in paths.
const TELLING: [u8; 256] = telling();

const fn telling() -> [u8; 256] {
    let mut table = [0; 256];
    let mut rest: &mut [u8] = &mut table;
    let mut byte = 0u8;
    while let Some((entry, after)) = rest.split_first_mut() {
        let (path, args, header, cookie, file) = (2, 4, 8, 16, 32);
        *entry = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => 0,
            b'_' | b'.' | b'/' | b':' | b',' | b'@' | b'~' | b'-' | b'%' => 0,
            b'\'' | b'"' | b'<' | b'>' | b'`' | b'$' | b'\\' | b'{' | b'}' | b'|' | b'^' | b'['
            | b']' | b'#' => path | args | header | cookie | file,
            _ => path | args | cookie | file,
        };
        if *entry != 0 && !matches!(byte, b'&' | b'[' | b']' | b'$') {
            *entry |= NAME;
        }
        byte = byte.wrapping_add(1);
        rest = after;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    const XSS: usize = 0;
    const SQLI: usize = 1;

    fn sums(xss: Points, sqli: Points) -> Sums {
        let mut sums = Sums::default();
        (sums[XSS], sums[SQLI]) = (xss, sqli);
        sums
    }

    #[test]
    fn tokens_add_to_rules_that_do_not_convict() {
        let mut windows = Windows::default();
        let mut judged = |rules: Sums, tokens: Points| {
            let table = format!("sqli\t{}\tname word\n", tokens as f32 / 100.0);
            let model = Model::parse(&table).unwrap();
            windows.read(&model, Context::Args, b"x1 word");
            score(&rules, windows.best(&model))
        };
        assert_eq!(judged(sums(400, 1000), -9000), 1000);
        assert_eq!(judged(sums(400, 1000), 500), 1000);
        assert_eq!(judged(sums(400, 999), -600), 399);
        assert_eq!(judged(sums(0, 600), 400), 1000);
        assert_eq!(judged(sums(0, 0), 0), 0);
    }

    #[test]
    fn a_value_is_of_its_strongest_type_and_of_those_that_convict() {
        let model = Model::empty().unwrap();
        let mut windows = Windows::default();
        let mut judged =
            |rules: Sums| by_attack(&rules, score(&rules, None), None, &model, &mut windows);
        assert_eq!(judged(sums(1000, 400)), sums(1000, 0));
        assert_eq!(judged(sums(1000, 1100)), sums(1000, 1100));
        assert_eq!(judged(sums(300, 0)), sums(300, 0));
    }

    #[test]
    fn tokens_do_not_name_the_type_of_what_rules_convict() {
        let model = Model::parse("sqli\t5.0\tname word\n").unwrap();
        let mut windows = Windows::default();
        windows.read(&model, Context::Args, b"x1 word");
        let best = windows.best(&model);
        let mut judged =
            |rules: Sums| by_attack(&rules, score(&rules, best), best, &model, &mut windows);
        assert_eq!(judged(sums(1000, 900)), sums(1000, 0));
        assert_eq!(judged(sums(600, 500)), sums(0, 1100));
    }

    #[test]
    fn plain_values_are_not_read() {
        for (group, text) in [
            (Group::Path, "/a/b-c_d.html"),
            (Group::Query, "2024-01-01T10:20:30,5"),
            (Group::Header, "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
            (Group::Cookie, "GA1.2.1234.5678"),
            (Group::QueryName, "id&filter[name]&$top"),
            (Group::Body, " {\n\"a\": [1, 2]}"),
            (Group::Uri, "/?a='"),
        ] {
            assert_eq!(context(group, text.as_bytes()), None, "{text}");
        }
        for (group, text) in [
            (Group::Path, "/a b"),
            (Group::Query, "a b"),
            (Group::Header, "'"),
            (Group::Cookie, "a=b"),
            (Group::QueryName, "id&x'"),
        ] {
            assert_eq!(context(group, text.as_bytes()), Context::of(group), "{text}");
        }
    }
}
