//! What was learned: the weights of grams. `docs/model.md` describes it.
//!
//! A *gram* is two or three neighbouring tokens of a value. The score of a value is what its rules say plus the sum over the distinct grams of
//! its densest window of 34 tokens, so that text before and after a payload neither hides nor builds up an attack.

mod file;
mod grams;
mod window;

pub use grams::Gram;
pub(crate) use grams::Grams;
pub(crate) use window::{Best, Windows};

use crate::tokens::Words;

/// The learned part of an engine.
#[derive(Debug)]
pub struct Model {
    pub(crate) words: Words,
    pub(crate) grams: Grams,
}

/// Why a table of weights cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelError {
    /// Line of the table, from 1; 0 for the vocabulary.
    pub line: usize,
    pub message: String,
}

impl std::fmt::Display for ModelError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for ModelError {}

impl Model {
    /// The table that is compiled into the crate.
    ///
    /// # Errors
    ///
    /// When the table is broken, which the tests of this crate rule out.
    pub fn builtin() -> Result<Model, ModelError> {
        Self::parse(include_str!("../model/weights.tsv"))
    }

    /// A model that knows nothing: the rules alone decide.
    ///
    /// # Errors
    ///
    /// When the built-in vocabulary is broken, which the tests of this crate rule out.
    pub fn empty() -> Result<Model, ModelError> {
        Self::parse("")
    }

    /// Reads a table as `wallarm-mirror train` writes it.
    ///
    /// # Errors
    ///
    /// At the first line that is none: unknown attack type or token, a weight that is no number, or something twice.
    pub fn parse(text: &str) -> Result<Model, ModelError> {
        let words = Words::builtin().map_err(|message| ModelError { line: 0, message })?;
        file::parse(text, words)
    }

    /// How a gram is spelled in the table: its tokens, separated by spaces.
    pub fn spell(&self, gram: Gram) -> String {
        gram.spell(&self.words)
    }

    /// Grams in the table.
    pub fn len(&self) -> usize {
        self.grams.len()
    }

    /// True if nothing was learned.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
