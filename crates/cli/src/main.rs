//! `wallarm-mirror`: the engine of the module on recorded requests, without NGINX.
//!
//! Each command is a file of its own; `input` turns every format into the same requests.
#![forbid(unsafe_code)]

mod args;
mod error;
mod eval;
mod explain;
mod help;
mod input;
mod rules;
mod scan;
mod score;
mod time;
mod train;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use args::Command;
use error::Error;

/// The exit status of errors; commands use 0 and 1.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    let command = args::parse(std::env::args_os().skip(1)).map_err(Error::Usage);
    match command.and_then(|command| run(&command)) {
        Ok(status) => status,
        Err(error) => {
            error.report();
            ExitCode::from(FAILED)
        }
    }
}

fn run(command: &Command) -> Result<ExitCode, Error> {
    let mut out = BufWriter::new(io::stdout().lock());
    let status = match command {
        Command::Show(text) => {
            out.write_all(text.as_bytes()).map_err(Error::stdout)?;
            ExitCode::SUCCESS
        }
        Command::Scan(args) => scan::run(args, &mut out)?,
        Command::Eval(args) => eval::run(args, &mut out)?,
        Command::Explain(args) => explain::run(args, &mut out)?,
        Command::RulesCheck(args) => rules::run(args, &mut out)?,
        Command::Train(args) => train::run(args, &mut out)?,
    };
    out.flush().map_err(Error::stdout)?;
    Ok(status)
}
