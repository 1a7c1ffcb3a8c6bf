//! `rules check`, and the choice of rules for the other commands.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use wallarm_detect::rules::{self, Origin, Problem};
use wallarm_detect::{Engine, Model, RuleError, RuleSet};

use crate::args::{Knowledge, RulesCheck};
use crate::error::Error;

/// The exit status when there is something to complain about.
const PROBLEMS: u8 = 1;

pub(crate) fn run(args: &RulesCheck, out: &mut impl Write) -> Result<ExitCode, Error> {
    let (rules, problems) = match load(args.path.as_deref())? {
        Ok(set) => (set.rules().len(), rules::check(&set)),
        Err(error) => (0, error.problems),
    };
    print(rules, &problems, out).map_err(Error::stdout)?;
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(PROBLEMS) })
}

fn print(rules: usize, problems: &[Problem], out: &mut impl Write) -> io::Result<()> {
    if problems.is_empty() {
        return writeln!(out, "{rules} rules, no problems");
    }
    problems.iter().try_for_each(|problem| writeln!(out, "{problem}"))
}

/// The engine over the given rules and weights, or over the built-in ones.
pub(crate) fn engine(knowledge: &Knowledge) -> Result<Engine, Error> {
    let rules = load(knowledge.rules.as_deref())?.map_err(Error::Rules)?;
    let Some(path) = &knowledge.model else {
        return Engine::new(rules).map_err(Error::Rules);
    };
    let name = path.display().to_string();
    let table = fs::read_to_string(path).map_err(|error| Error::Read(name.clone(), error))?;
    let model = Model::parse(&table).map_err(|error| Error::Model(name, error))?;
    Engine::with_model(rules, model).map_err(Error::Rules)
}

/// The rules at `path`; the inner error is about their content.
fn load(path: Option<&Path>) -> Result<Result<RuleSet, RuleError>, Error> {
    match path {
        None => Ok(RuleSet::builtin()),
        Some(path) if path.is_dir() => directory(path),
        Some(path) => file(path),
    }
}

/// A file adds to the built-in rules and replaces those whose ids it has, as in the module.
fn file(path: &Path) -> Result<Result<RuleSet, RuleError>, Error> {
    let parsed = parse(&[path.to_owned()])?;
    Ok(parsed.and_then(|own| {
        let mut set = RuleSet::builtin()?;
        set.merge(own);
        Ok(set)
    }))
}

/// A directory is a set of its own, as the one that is built in.
fn directory(path: &Path) -> Result<Result<RuleSet, RuleError>, Error> {
    let unreadable = |error| Error::Read(path.display().to_string(), error);
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        if file.extension().is_some_and(|extension| extension == "toml") {
            files.push(file);
        }
    }
    if files.is_empty() {
        return Err(unreadable(io::Error::other("no *.toml file in this directory")));
    }
    files.sort();
    parse(&files)
}

/// All rules of `files`. Ids must be unique here already: merging would hide the first of two.
fn parse(files: &[PathBuf]) -> Result<Result<RuleSet, RuleError>, Error> {
    let (mut set, mut problems) = (RuleSet::default(), Vec::new());
    let mut ids = HashMap::new();
    for path in files {
        let name = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|error| Error::Read(name.clone(), error))?;
        match RuleSet::parse(&name, &text) {
            Ok(rules) => {
                problems.extend(taken(&rules, &mut ids));
                set.merge(rules);
            }
            Err(error) => problems.extend(error.problems),
        }
    }
    Ok(if problems.is_empty() { Ok(set) } else { Err(RuleError { problems }) })
}

fn taken(rules: &RuleSet, ids: &mut HashMap<u32, Origin>) -> Vec<Problem> {
    let conflicts = rules.rules().iter().filter_map(|rule| {
        let first = ids.insert(rule.id, rule.origin.clone())?;
        Some(Problem {
            origin: rule.origin.clone(),
            rule: Some((rule.id, rule.name.clone())),
            message: format!("id is taken by {}:{}", first.file, first.line),
        })
    });
    conflicts.collect()
}
