//! What makes a command fail, worded to follow the program's name on standard error.

use std::fmt;
use std::io::{self, Write};

use wallarm_detect::{ModelError, RuleError};

use crate::input::ParseError;

#[derive(Debug)]
pub(crate) enum Error {
    Usage(lexopt::Error),
    /// The named input cannot be read.
    Read(String, io::Error),
    /// The named input is not what it should be.
    Input(String, ParseError),
    /// The named output cannot be written.
    Write(String, io::Error),
    Rules(RuleError),
    /// The named table of weights is broken.
    Model(String, ModelError),
}

impl Error {
    /// An error of writing to standard output.
    pub(crate) fn stdout(error: io::Error) -> Self {
        Self::Write("(standard output)".to_owned(), error)
    }

    /// Tells the user. A closed pipe is no news: whoever closed it has read enough.
    pub(crate) fn report(&self) {
        if matches!(self, Self::Write(_, error) if error.kind() == io::ErrorKind::BrokenPipe) {
            return;
        }
        // there is nowhere left to complain to
        let _ = writeln!(io::stderr(), "wallarm-mirror: {self}");
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(error) => write!(f, "{error}\nTry 'wallarm-mirror --help'."),
            Self::Read(name, error) | Self::Write(name, error) => write!(f, "{name}: {error}"),
            Self::Input(name, ParseError { place, fault }) => {
                write!(f, "{}: {fault}", place.within(name))
            }
            Self::Rules(error) => write!(f, "{error}"),
            Self::Model(name, ModelError { line, message }) => {
                write!(f, "{name}:{line}: {message}")
            }
        }
    }
}
