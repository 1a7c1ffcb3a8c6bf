//! One value as the training of a model sees it.

use crate::engine::{Engine, Value};
use crate::judge;
use crate::model::Gram;
use crate::score::to_weight;

/// What tells for or against an attack in one value.
#[derive(Clone, Debug)]
pub struct Evidence<'e> {
    /// Names of the rules that count.
    pub rules: Vec<&'e str>,
    /// What these rules say before the tokens are heard, in the unit of [`crate::rules::Rule::weight`]; an attack from
    /// [`crate::rules::THRESHOLD`] on if the tokens say nothing.
    pub base: f32,
    /// The distinct grams of each window of tokens; empty if the model does not read the value.
    pub windows: Vec<Vec<Gram>>,
}

impl<'e> Evidence<'e> {
    pub(crate) fn of(engine: &'e Engine, value: &Value<'_>) -> Self {
        let rules = value.counted.iter().filter_map(|counted| engine.rule_of(counted));
        let windows = value.context.map(|_| value.windows.grams().collect());
        Evidence {
            rules: rules.map(|(rule, _)| rule.name.as_str()).collect(),
            base: to_weight(judge::firm(judge::strongest(&value.rules))),
            windows: windows.unwrap_or_default(),
        }
    }
}
