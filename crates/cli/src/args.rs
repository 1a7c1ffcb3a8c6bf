//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::prelude::*;

use crate::help;

#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    /// Print this text and succeed.
    Show(String),
    Scan(Scan),
    Eval(Eval),
    Explain(Explain),
    RulesCheck(RulesCheck),
    Train(Train),
}

/// What the engine is made of, where it is not what is built in.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Knowledge {
    pub(crate) rules: Option<PathBuf>,
    /// A table of weights.
    pub(crate) model: Option<PathBuf>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Scan {
    pub(crate) sources: Vec<Source>,
    /// `None`: found out for each file.
    pub(crate) format: Option<Format>,
    pub(crate) knowledge: Knowledge,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Eval {
    pub(crate) corpus: Source,
    pub(crate) flagged: Option<PathBuf>,
    pub(crate) json: bool,
    pub(crate) knowledge: Knowledge,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Explain {
    pub(crate) source: Source,
    pub(crate) format: Option<Format>,
    pub(crate) knowledge: Knowledge,
}

#[derive(Debug, PartialEq)]
pub(crate) struct RulesCheck {
    /// `None`: the rules that are compiled in.
    pub(crate) path: Option<PathBuf>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Train {
    pub(crate) corpora: Vec<PathBuf>,
    /// A directory of training values.
    pub(crate) values: Option<PathBuf>,
    /// `None`: standard output.
    pub(crate) out: Option<PathBuf>,
    /// Score every source by weights learned from the others, instead of writing weights.
    pub(crate) leave_out: bool,
}

/// Where input comes from; `-` on the command line means standard input.
#[derive(Debug, PartialEq)]
pub(crate) enum Source {
    Stdin,
    File(PathBuf),
}

impl Source {
    /// The name that messages about this input start with.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdin => "(standard input)".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }
}

impl From<OsString> for Source {
    fn from(argument: OsString) -> Self {
        if argument == "-" {
            Self::Stdin
        } else {
            Self::File(argument.into())
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Format {
    Raw,
    Har,
    Jsonl,
}

/// Reads the arguments that follow the program's name.
pub(crate) fn parse<I>(arguments: I) -> Result<Command, lexopt::Error>
where
    I: IntoIterator<Item = OsString>,
{
    let mut parser = lexopt::Parser::from_args(arguments);
    let Some(first) = parser.next()? else {
        return Err("expected a command: scan, eval, explain, rules or train".into());
    };
    match first {
        Value(name) if name == "scan" => scan(parser),
        Value(name) if name == "eval" => eval(parser),
        Value(name) if name == "explain" => explain(parser),
        Value(name) if name == "rules" => rules(parser),
        Value(name) if name == "train" => train(parser),
        Value(name) => Err(format!("unknown command {:?}", name.to_string_lossy()).into()),
        other => common(other, help::MAIN),
    }
}

fn scan(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let (mut sources, mut format, mut knowledge) = (Vec::new(), None, Knowledge::default());
    while let Some(argument) = parser.next()? {
        match argument {
            Short('f') | Long("format") => format = format_name(&parser.value()?)?,
            Short('r') | Long("rules") => knowledge.rules = Some(parser.value()?.into()),
            Short('m') | Long("model") => knowledge.model = Some(parser.value()?.into()),
            Value(file) => sources.push(file.into()),
            other => return common(other, help::SCAN),
        }
    }
    if sources.is_empty() {
        sources.push(Source::Stdin);
    }
    Ok(Command::Scan(Scan { sources, format, knowledge }))
}

fn eval(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let (mut corpus, mut flagged, mut json) = (None, None, false);
    let mut knowledge = Knowledge::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("flagged") => flagged = Some(parser.value()?.into()),
            Long("json") => json = true,
            Short('r') | Long("rules") => knowledge.rules = Some(parser.value()?.into()),
            Short('m') | Long("model") => knowledge.model = Some(parser.value()?.into()),
            Value(file) if corpus.is_none() => corpus = Some(file.into()),
            other => return common(other, help::EVAL),
        }
    }
    let corpus = corpus.ok_or("expected the file to evaluate")?;
    Ok(Command::Eval(Eval { corpus, flagged, json, knowledge }))
}

fn explain(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let (mut source, mut format, mut knowledge) = (None, None, Knowledge::default());
    while let Some(argument) = parser.next()? {
        match argument {
            Short('f') | Long("format") => format = format_name(&parser.value()?)?,
            Short('r') | Long("rules") => knowledge.rules = Some(parser.value()?.into()),
            Short('m') | Long("model") => knowledge.model = Some(parser.value()?.into()),
            Value(file) if source.is_none() => source = Some(file.into()),
            other => return common(other, help::EXPLAIN),
        }
    }
    let source = source.ok_or("expected the file to explain")?;
    Ok(Command::Explain(Explain { source, format, knowledge }))
}

fn rules(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    match parser.next()? {
        Some(Value(name)) if name == "check" => rules_check(parser),
        Some(Value(name)) => {
            Err(format!("unknown command \"rules {}\"", name.to_string_lossy()).into())
        }
        Some(other) => common(other, help::RULES),
        None => Err("expected \"rules check\"".into()),
    }
}

fn rules_check(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut path = None;
    while let Some(argument) = parser.next()? {
        match argument {
            Value(file) if path.is_none() => path = Some(file.into()),
            other => return common(other, help::RULES),
        }
    }
    Ok(Command::RulesCheck(RulesCheck { path }))
}

fn train(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let (mut corpora, mut values, mut out, mut leave_out) = (Vec::new(), None, None, false);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("values") => values = Some(parser.value()?.into()),
            Short('o') | Long("out") => out = Some(parser.value()?.into()),
            Long("leave-out") => leave_out = true,
            Value(file) => corpora.push(file.into()),
            other => return common(other, help::TRAIN),
        }
    }
    if corpora.is_empty() && values.is_none() {
        return Err("expected a file to learn from".into());
    }
    if leave_out && out.is_some() {
        return Err("--leave-out writes no weights, so --out makes no sense".into());
    }
    Ok(Command::Train(Train { corpora, values, out, leave_out }))
}

/// The options that every command has.
fn common(argument: lexopt::Arg<'_>, help: &str) -> Result<Command, lexopt::Error> {
    match argument {
        Short('h') | Long("help") => Ok(Command::Show(help.to_owned())),
        Short('V') | Long("version") => Ok(Command::Show(help::version())),
        other => Err(other.unexpected()),
    }
}

fn format_name(name: &OsString) -> Result<Option<Format>, lexopt::Error> {
    match name.to_string_lossy().as_ref() {
        "auto" => Ok(None),
        "raw" => Ok(Some(Format::Raw)),
        "har" => Ok(Some(Format::Har)),
        "jsonl" => Ok(Some(Format::Jsonl)),
        other => Err(format!("unknown format {other:?}: expected auto, raw, har or jsonl").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(OsString::from)).map_err(|error| error.to_string())
    }

    #[test]
    fn commands_take_their_options_in_any_order() {
        let file = |name: &str| Source::File(name.into());
        let scan = |sources, format| {
            let knowledge = Knowledge::default();
            Command::Scan(Scan { sources, format, knowledge })
        };
        let cases = [
            ("scan", scan(vec![Source::Stdin], None)),
            (
                "scan a -f raw - --format=har",
                scan(vec![file("a"), Source::Stdin], Some(Format::Har)),
            ),
            ("scan -- -f", scan(vec![file("-f")], None)),
            (
                "eval --json c --rules dir --flagged out",
                Command::Eval(Eval {
                    corpus: file("c"),
                    flagged: Some("out".into()),
                    json: true,
                    knowledge: Knowledge { rules: Some("dir".into()), model: None },
                }),
            ),
            (
                "explain --format auto r -r own.toml -m w",
                Command::Explain(Explain {
                    source: file("r"),
                    format: None,
                    knowledge: Knowledge {
                        rules: Some("own.toml".into()),
                        model: Some("w".into()),
                    },
                }),
            ),
            ("rules check", Command::RulesCheck(RulesCheck { path: None })),
            ("rules check p", Command::RulesCheck(RulesCheck { path: Some("p".into()) })),
            (
                "train a b --values v -o t",
                Command::Train(Train {
                    corpora: vec!["a".into(), "b".into()],
                    values: Some("v".into()),
                    out: Some("t".into()),
                    leave_out: false,
                }),
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(parsed(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn every_command_has_help_and_version() {
        let helps = [
            ("", help::MAIN),
            ("scan", help::SCAN),
            ("eval", help::EVAL),
            ("explain", help::EXPLAIN),
            ("rules", help::RULES),
            ("rules check", help::RULES),
            ("train", help::TRAIN),
        ];
        for (command, text) in helps {
            assert_eq!(parsed(&format!("{command} --help")), Ok(Command::Show(text.to_owned())));
            assert_eq!(parsed(&format!("{command} -h")), Ok(Command::Show(text.to_owned())));
            assert_eq!(parsed(&format!("{command} -V")), Ok(Command::Show(help::version())));
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let lines = [
            "",
            "scna",
            "rules",
            "rules lint",
            "eval",
            "eval a b",
            "explain",
            "explain a b",
            "scan --format xml",
            "scan --format",
            "scan --json",
            "eval -f raw c",
            "--nope",
            "rules check a b",
            "eval --flagged",
            "train",
            "train --leave-out -o t c",
            "train --values",
        ];
        for line in lines {
            assert!(parsed(line).is_err(), "{line}");
        }
    }
}
