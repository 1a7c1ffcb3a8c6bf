//! Reads the TOML of one rule file. Faults name the file and the line.

use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use super::{Examples, Origin, Places, Problem, Rule, RuleError, Trigger, Word, WINDOW};
use crate::attack::AttackType;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<Spanned<Entry>>,
}

/// A rule as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: u32,
    name: String,
    attack: String,
    weight: f32,
    literals: Option<Vec<String>>,
    anomaly: Option<String>,
    word: Option<Word>,
    regex: Option<String>,
    window: Option<(u32, u32)>,
    #[serde(rename = "in")]
    within: Option<Vec<String>>,
    #[serde(default)]
    not_in: Vec<String>,
    #[serde(default)]
    all: Vec<String>,
    #[serde(default)]
    requires: Vec<String>,
    #[serde(default, rename = "match")]
    hit: Vec<String>,
    #[serde(default, rename = "no_match")]
    miss: Vec<String>,
}

pub(super) fn parse(name: &str, text: &str) -> Result<Vec<Rule>, RuleError> {
    let file: Arc<str> = name.into();
    let lines = Lines::new(text);
    let entries: File = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| lines.number(span.start));
        let origin = Origin { file: file.clone(), line };
        RuleError {
            problems: vec![Problem { origin, rule: None, message: error.message().into() }],
        }
    })?;

    let (mut rules, mut problems) = (Vec::new(), Vec::new());
    for entry in entries.rule {
        let origin = Origin { file: file.clone(), line: lines.number(entry.span().start) };
        match entry.into_inner().into_rule(origin) {
            Ok(rule) => rules.push(rule),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        Ok(rules)
    } else {
        Err(RuleError { problems })
    }
}

impl Entry {
    fn into_rule(self, origin: Origin) -> Result<Rule, Problem> {
        let rule = Some((self.id, self.name.clone()));
        self.convert(origin.clone()).map_err(|message| Problem { origin, rule, message })
    }

    fn convert(self, origin: Origin) -> Result<Rule, String> {
        let attack = AttackType::parse(&self.attack)
            .ok_or_else(|| format!("unknown attack type \"{}\"", self.attack))?;
        let places = Places::parse(self.within.as_deref(), &self.not_in)?;
        let trigger = match (self.literals, self.anomaly) {
            (Some(literals), None) => Trigger::Literals {
                literals,
                word: self.word.unwrap_or_default(),
                regex: self.regex,
                window: self.window.unwrap_or(WINDOW),
            },
            (None, Some(_)) if self.regex.is_some() || self.word.is_some() => {
                return Err("\"regex\" and \"word\" need \"literals\"".into())
            }
            (None, Some(anomaly)) => Trigger::Anomaly(anomaly),
            _ => return Err("needs either \"literals\" or \"anomaly\"".into()),
        };
        Ok(Rule {
            id: self.id,
            name: self.name,
            attack,
            weight: self.weight,
            trigger,
            places,
            all: self.all,
            requires: self.requires,
            examples: Examples { hit: self.hit, miss: self.miss },
            origin,
        })
    }
}

/// Byte offset to line number.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Self {
        Self(
            text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect(),
        )
    }

    fn number(&self, offset: usize) -> u32 {
        let before = self.0.partition_point(|end| *end < offset);
        u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        parse("rules/x.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn reads_a_rule_with_its_defaults() {
        let text = "# head\n\n[[rule]]\nid = 7\nname = 'a'\nattack = 'sqli'\nweight = 2.5\nliterals = ['ab']\n";
        let rules = parse("f", text).unwrap();
        let rule = &rules[0];
        assert_eq!((rule.id, rule.weight, rule.origin.line), (7, 2.5, 3));
        assert!(matches!(
            &rule.trigger,
            Trigger::Literals { word: Word::None, regex: None, window: WINDOW, .. }
        ));
    }

    #[test]
    fn faults_name_file_and_line() {
        let head = "[[rule]]\nid = 7\nname = 'a'\nattack = 'sqli'\nweight = 1\n";
        let cases = [
            ("[[rule]]\nid = 'x'\n".to_owned(), "rules/x.toml:2: "),
            (format!("{head}literal = ['a']\n"), "rules/x.toml:6: unknown field `literal`"),
            (
                head.to_owned(),
                "rules/x.toml:1: rule 7 \"a\": needs either \"literals\" or \"anomaly\"",
            ),
            (
                format!("{head}literals = ['ab']\nin = ['boddy']\n"),
                "rules/x.toml:1: rule 7 \"a\": unknown group \"boddy\"",
            ),
            (
                head.replace("sqli", "sql"),
                "rules/x.toml:1: rule 7 \"a\": unknown attack type \"sql\"",
            ),
            (
                format!("{head}anomaly = 'nul'\nword = 'both'\n"),
                "rules/x.toml:1: rule 7 \"a\": \"regex\" and \"word\" need \"literals\"",
            ),
        ];
        for (text, message) in cases {
            assert!(fault(&text).starts_with(message), "{text}: {}", fault(&text));
        }
    }
}
