//! Faults that keep a set of rules from being used. Those of regexes come up when they are compiled.

use std::collections::HashMap;

use super::{Problem, Rule, Trigger};
use crate::views::Anomalies;

/// Longest literal, in bytes: longer ones cost memory and find nothing more.
const LONGEST_LITERAL: usize = 64;

/// Most bytes that a window may reach before or behind the literal.
const WIDEST_WINDOW: u32 = 1024;

/// Everything that forbids to compile `rules`, rule by rule.
pub(crate) fn faults(rules: &[Rule]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let names = unique(rules, &mut problems);
    for rule in rules {
        let mut report = |message: String| problems.push(Problem::of(rule, message));
        if !(-100.0..=100.0).contains(&rule.weight) {
            report(format!("weight {} is not within -100 and 100", rule.weight));
        }
        trigger(&rule.trigger, &mut report);
        for literal in &rule.all {
            literal_fault(literal, 2, &mut report);
        }
        for required in &rule.requires {
            requirement(rule, names.get(required.as_str()).copied(), required, &mut report);
        }
    }
    problems
}

/// Rules by name; ids and names that occur twice become problems.
fn unique<'r>(rules: &'r [Rule], problems: &mut Vec<Problem>) -> HashMap<&'r str, &'r Rule> {
    let mut ids: HashMap<u32, &Rule> = HashMap::new();
    let mut names: HashMap<&str, &Rule> = HashMap::new();
    for rule in rules {
        let at = |other: &Rule| format!("{}:{}", other.origin.file, other.origin.line);
        if let Some(other) = ids.insert(rule.id, rule) {
            problems.push(Problem::of(rule, format!("id is taken by {}", at(other))));
        }
        if let Some(other) = names.insert(&rule.name, rule) {
            problems.push(Problem::of(rule, format!("name is taken by {}", at(other))));
        }
    }
    names
}

fn trigger(trigger: &Trigger, report: &mut impl FnMut(String)) {
    let (literals, regex, window) = match trigger {
        Trigger::Anomaly(name) => {
            if Anomalies::parse(name).is_none() {
                report(format!("unknown anomaly \"{name}\""));
            }
            return;
        }
        Trigger::Literals { literals, regex, window, .. } => (literals, regex, window),
    };
    if literals.is_empty() {
        report("\"literals\" is empty: the rule would never hit".into());
    }
    for literal in literals {
        // Two letters stand everywhere; a regex would be searched for nothing in half of all values.
        let common = literal.bytes().any(|byte| byte.is_ascii_alphanumeric());
        let least = if regex.is_some() && common { 3 } else { 2 };
        literal_fault(literal, least, report);
    }
    if window.0.max(window.1) > WIDEST_WINDOW {
        report(format!("window {}, {} is wider than {WIDEST_WINDOW}", window.0, window.1));
    }
}

fn literal_fault(literal: &str, least: usize, report: &mut impl FnMut(String)) {
    let length = literal.len();
    if !(least..=LONGEST_LITERAL).contains(&length) {
        report(format!(
            "literal \"{literal}\" has {length} bytes, not {least} to {LONGEST_LITERAL}"
        ));
    }
    if literal.bytes().any(|byte| byte.is_ascii_uppercase()) {
        report(format!("literal \"{literal}\" is not in lower case"));
    }
}

fn requirement(rule: &Rule, required: Option<&Rule>, name: &str, report: &mut impl FnMut(String)) {
    match required {
        None => report(format!("requires the unknown rule \"{name}\"")),
        Some(other) if other.id == rule.id => report("requires itself".into()),
        Some(other) if !other.requires.is_empty() => {
            report(format!("requires \"{name}\", which has requirements of its own"));
        }
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::RuleSet;

    fn faults(text: &str) -> Vec<String> {
        let set = RuleSet::parse("f.toml", text).unwrap();
        super::faults(set.rules()).iter().map(ToString::to_string).collect()
    }

    fn rule(id: u32, name: &str, rest: &str) -> String {
        format!("[[rule]]\nid = {id}\nname = '{name}'\nattack = 'sqli'\nweight = 1\n{rest}\n")
    }

    #[test]
    fn each_fault_is_reported_once_with_its_line() {
        let good = rule(1, "good", "literals = ['ab']");
        let cases = [
            (
                rule(1, "other", "literals = ['ab']"),
                "f.toml:8: rule 1 \"other\": id is taken by f.toml:1",
            ),
            (
                rule(2, "good", "literals = ['ab']"),
                "f.toml:8: rule 2 \"good\": name is taken by f.toml:1",
            ),
            (rule(2, "x", "literals = []"), "is empty"),
            (rule(2, "x", "literals = ['a']"), "literal \"a\" has 1 bytes, not 2 to 64"),
            (
                rule(2, "x", "literals = ['ab']\nregex = 'abc'"),
                "literal \"ab\" has 2 bytes, not 3 to 64",
            ),
            (rule(2, "x", "literals = ['Abc']"), "not in lower case"),
            (rule(2, "x", "literals = ['abc']\nall = ['B!']"), "not in lower case"),
            (rule(2, "x", "literals = ['abc']\nwindow = [0, 5000]"), "wider than 1024"),
            (rule(2, "x", "literals = ['abc']\nrequires = ['y']"), "unknown rule \"y\""),
            (rule(2, "x", "literals = ['abc']\nrequires = ['x']"), "requires itself"),
            (rule(2, "x", "anomaly = 'odd'"), "unknown anomaly \"odd\""),
        ];
        assert_eq!(faults(&good), Vec::<String>::new());
        for (bad, message) in cases {
            let found = faults(&format!("{good}\n{bad}"));
            assert_eq!(found.len(), 1, "{bad}: {found:?}");
            assert!(found[0].contains(message), "{bad}: {found:?}");
        }
    }

    #[test]
    fn requirements_have_no_chains() {
        let text = [
            rule(1, "a", "literals = ['ab']"),
            rule(2, "b", "literals = ['ab']\nrequires = ['a']"),
            rule(3, "c", "literals = ['ab']\nrequires = ['b']"),
        ]
        .join("\n");
        assert_eq!(faults(&text).len(), 1);
    }
}
