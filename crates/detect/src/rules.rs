//! The rules: what a signature says, before it is compiled into an engine. `docs/rules.md` describes the file format.
//!
//! A [`RuleSet`] comes from the files built into the crate ([`RuleSet::builtin`]) or from text that the caller has read
//! ([`RuleSet::parse`]); [`check`] lints it and runs the examples that each rule carries.

mod builtin;
mod check;
mod file;
mod lint;
mod places;

use std::fmt;
use std::sync::Arc;

use crate::attack::AttackType;
use crate::model::ModelError;

pub use check::check;
pub(crate) use lint::faults;
pub use places::Places;

/// The score at which a value is reported, in the unit of [`Rule::weight`].
pub const THRESHOLD: f32 = 10.0;

/// Bytes before and after a literal in which a regex is searched, unless the rule says otherwise.
pub const WINDOW: (u32, u32) = (48, 128);

/// Where a rule was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub file: Arc<str>,
    /// Line of the `[[rule]]` header, from 1.
    pub line: u32,
}

/// One signature.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The stamp that events carry; unique in a set.
    pub id: u32,
    /// Name of the indicator; unique in a set.
    pub name: String,
    pub attack: AttackType,
    /// Added once to the score of (attack, value); from -100 to 100.
    pub weight: f32,
    pub trigger: Trigger,
    pub places: Places,
    /// Each of these lower-case literals must occur in the same value too.
    pub all: Vec<String>,
    /// Names of rules that must hit the same value.
    pub requires: Vec<String>,
    /// Values that the rule must hit, and must not hit.
    pub examples: Examples,
    pub origin: Origin,
}

/// What makes a rule look closer at a value.
#[derive(Clone, Debug)]
pub enum Trigger {
    /// Any of these lower-case literals, confirmed by a word boundary and a regex if there are any.
    Literals {
        literals: Vec<String>,
        word: Word,
        /// Searched in the lower-cased value, `window` bytes around the literal.
        regex: Option<String>,
        window: (u32, u32),
    },
    /// The name of an anomaly that decoding found.
    Anomaly(String),
}

/// Sides on which a literal must end at a boundary of `[a-z0-9_]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Word {
    #[default]
    None,
    Start,
    End,
    Both,
}

#[derive(Clone, Debug, Default)]
pub struct Examples {
    pub hit: Vec<String>,
    pub miss: Vec<String>,
}

/// Rules in the order of their files.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    rules: Vec<Rule>,
}

impl RuleSet {
    /// The rules that are compiled into the crate.
    ///
    /// # Errors
    ///
    /// When one of the files is broken, which the tests of this crate rule out.
    pub fn builtin() -> Result<Self, RuleError> {
        let mut set = Self::default();
        for (name, text) in builtin::FILES {
            set.rules.extend(Self::parse(name, text)?.rules);
        }
        Ok(set)
    }

    /// The rules of one file; `name` is used in messages alone.
    ///
    /// # Errors
    ///
    /// When the text is not TOML, or a rule has an unknown key or value, or lacks one.
    pub fn parse(name: &str, text: &str) -> Result<Self, RuleError> {
        file::parse(name, text).map(|rules| Self { rules })
    }

    /// Adds the rules of `other`; one that has the id of a rule here takes its place.
    pub fn merge(&mut self, other: RuleSet) {
        for rule in other.rules {
            match self.rules.iter_mut().find(|known| known.id == rule.id) {
                Some(known) => *known = rule,
                None => self.rules.push(rule),
            }
        }
    }

    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    pub(crate) fn into_rules(self) -> Vec<Rule> {
        self.rules
    }
}

/// One fault, with the place to look for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub origin: Origin,
    /// Id and name of the rule, if the fault belongs to one.
    pub rule: Option<(u32, String)>,
    pub message: String,
}

impl Problem {
    pub(crate) fn of(rule: &Rule, message: impl Into<String>) -> Self {
        Self {
            origin: rule.origin.clone(),
            rule: Some((rule.id, rule.name.clone())),
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.origin.file, self.origin.line)?;
        if let Some((id, name)) = &self.rule {
            write!(f, "rule {id} \"{name}\": ")?;
        }
        f.write_str(&self.message)
    }
}

/// Why a set of rules cannot be used; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    pub problems: Vec<Problem>,
}

impl RuleError {
    /// A fault of the table of weights.
    pub(crate) fn of_table(error: &ModelError) -> Self {
        let origin = Origin { file: "model/weights.tsv".into(), line: error.line as u32 };
        Self { problems: vec![Problem { origin, rule: None, message: error.message.clone() }] }
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for RuleError {}
