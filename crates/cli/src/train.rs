//! `train`: learns the table of weights from labelled requests. `docs/model.md` says how and why.
//!
//! Reproducible: the same files in the same order give the same table, byte for byte.

mod data;
mod fit;
mod rounds;
mod sources;
mod table;
mod values;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use wallarm_detect::{Engine, Model, RuleSet};

use crate::args::{Source, Train};
use crate::error::Error;
use crate::eval::cases;

use data::Data;

pub(crate) fn run(args: &Train, out: &mut impl Write) -> Result<ExitCode, Error> {
    let data = read(args)?;
    // nothing depends on whether anybody reads it
    let _ = writeln!(
        io::stderr(),
        "{} requests, {} distinct values, {} features",
        data.requests.len(),
        data.rows.len(),
        data.features.len()
    );
    if args.leave_out {
        sources::leave_out(&data, out)?;
        return Ok(ExitCode::SUCCESS);
    }
    let weights = rounds::train(&data, |_| true);
    match &args.out {
        None => table::write(&data, &weights, out).map_err(Error::stdout)?,
        Some(path) => {
            let failed = |error: io::Error| Error::Write(path.display().to_string(), error);
            let mut file = BufWriter::new(File::create(path).map_err(failed)?);
            table::write(&data, &weights, &mut file).map_err(failed)?;
            file.flush().map_err(failed)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Collects what the engine sees in each request; the rules have the weights of their authors.
fn read(args: &Train) -> Result<Data, Error> {
    let rules = RuleSet::builtin().map_err(Error::Rules)?;
    let model = Model::empty().map_err(|error| Error::Model("model".to_owned(), error))?;
    let engine = Engine::with_model(rules, model).map_err(Error::Rules)?;
    let mut data = data::Collector::new(engine);
    for path in &args.corpora {
        for case in cases(&Source::File(path.clone()))? {
            let (_, message, labels) = case?;
            data.add(&message, labels);
        }
    }
    if let Some(path) = &args.values {
        values::read(path, &mut data)?;
    }
    Ok(data.finish())
}
