//! Rules into an engine.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Engine;
use crate::confirm::Pattern;
use crate::matcher::Matcher;
use crate::model::Model;
use crate::rules::{Problem, Rule, Trigger};
use crate::score::Compiled;
use crate::views::Anomalies;

/// Numbers engines from 1, so that a [`super::Scratch`] notices when it comes to another one.
static ENGINES: AtomicU64 = AtomicU64::new(1);

/// Compiles each rule by itself; a pattern that cannot be used becomes a problem.
pub(super) fn compile(rules: &[Rule], problems: &mut Vec<Problem>) -> Vec<Compiled> {
    let names: HashMap<&str, u32> =
        rules.iter().zip(0..).map(|(rule, index)| (rule.name.as_str(), index)).collect();
    let mut compile_one = |(rule, index): (&Rule, u32)| {
        let mut compiled = Compiled::of(rule, index);
        let required = rule.requires.iter().filter_map(|name| names.get(name.as_str()).copied());
        compiled.requires.extend(required);
        if let Trigger::Literals { word, regex, window, .. } = &rule.trigger {
            compiled.word = *word;
            compiled.window = *window;
            match regex.as_deref().map(Pattern::new).transpose() {
                Ok(pattern) => compiled.regex = pattern,
                Err(message) => problems.push(Problem::of(rule, message)),
            }
        }
        compiled
    };
    rules.iter().zip(0..).map(&mut compile_one).collect()
}

/// Puts compiled rules together; `compiled` is parallel to `rules` and gets a helper for each literal of an `all`.
pub(super) fn assemble(rules: Vec<Rule>, mut compiled: Vec<Compiled>, model: Model) -> Engine {
    let mut anomalies = Vec::new();
    let mut pairs: Vec<(&str, u32)> = Vec::new();
    for (rule, index) in rules.iter().zip(0_u32..) {
        match &rule.trigger {
            Trigger::Literals { literals, .. } => {
                pairs.extend(literals.iter().map(|literal| (literal.as_str(), index)));
            }
            Trigger::Anomaly(name) => {
                anomalies.extend(Anomalies::parse(name).map(|anomaly| (anomaly, index)));
            }
        }
        for literal in &rule.all {
            let helper = compiled.len() as u32;
            compiled.push(Compiled::helper(rule, index));
            pairs.push((literal, helper));
            if let Some(owner) = compiled.get_mut(index as usize) {
                owner.requires.push(helper);
            }
        }
    }
    mark_wire(&mut compiled);
    let matcher = Matcher::new(&pairs);
    let number = ENGINES.fetch_add(1, Ordering::Relaxed);
    Engine { number, compiled, matcher, anomalies, rules, model }
}

/// Marks the rules whose literals are worth a look in wire forms.
fn mark_wire(compiled: &mut [Compiled]) {
    let alone = compiled.iter().zip(0..).filter(|(rule, _)| rule.stands_alone());
    let marked: Vec<u32> =
        alone.flat_map(|(rule, index)| rule.requires.iter().copied().chain([index])).collect();
    for index in marked {
        if let Some(rule) = compiled.get_mut(index as usize) {
            rule.in_wire = true;
        }
    }
}
