//! One value as the training of a model sees it.

use crate::engine::Value;
use crate::judge;
use crate::model::Gram;
use crate::score::to_weight;

/// What tells for or against an attack in one value.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// What the rules say before the tokens are heard, in the unit of [`crate::rules::Rule::weight`]; an attack whatever the tokens are
    /// from [`crate::rules::THRESHOLD`] on.
    pub base: f32,
    /// The distinct grams of each window of tokens; empty for the wire form of other values.
    pub windows: Vec<Vec<Gram>>,
    /// The value is so plain that a scan does not let the model read it: it shows what is ordinary, and can never be an attack by its tokens.
    pub plain: bool,
}

impl Evidence {
    pub(crate) fn of(value: &Value<'_>) -> Self {
        let windows = value.context.map(|_| value.windows.grams().collect());
        Evidence {
            base: to_weight(judge::strongest(&value.rules)),
            windows: windows.unwrap_or_default(),
            plain: value.plain,
        }
    }
}
