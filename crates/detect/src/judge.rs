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

/// The context in which the model reads a value; none for wire forms, which repeat others, and for binary files, whose bytes are no tokens.
pub(crate) fn place(group: Group, text: &[u8]) -> Option<Context> {
    Context::of(group).filter(|_| group != Group::File || !is_binary(text))
}

/// True for what is no text: control characters near the beginning.
fn is_binary(text: &[u8]) -> bool {
    const LOOK: usize = 512;
    let control = |byte: &u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
    text.iter().take(LOOK).any(control)
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
    fn wire_forms_and_binary_files_are_not_read() {
        for (group, text, read) in [
            (Group::Uri, "/?a='", false),
            (Group::RawBody, "'", false),
            (Group::File, "\u{1}'", false),
            (Group::File, "a\n'", true),
            (Group::Query, "\u{1}'", true),
        ] {
            assert_eq!(place(group, text.as_bytes()).is_some(), read, "{text}");
        }
    }
}
