//! `explain`: what led to the verdict on each request of a file.

use std::io::{self, Write};
use std::process::ExitCode;

use wallarm_detect::{Engine, Limits};

use crate::args::Explain;
use crate::error::Error;
use crate::input::{self, Message};
use crate::rules;

pub(crate) fn run(args: &Explain, out: &mut impl Write) -> Result<ExitCode, Error> {
    let name = args.source.name();
    let bytes = input::read(&args.source).map_err(|error| Error::Read(name.clone(), error))?;
    let engine = rules::engine(&args.knowledge)?;
    for (message, number) in input::parse(&bytes, args.format).zip(1u64..) {
        let message = message.map_err(|error| Error::Input(name.clone(), error))?;
        explain(&engine, number, &message, out).map_err(Error::stdout)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn explain(
    engine: &Engine,
    number: u64,
    message: &Message,
    out: &mut impl Write,
) -> io::Result<()> {
    let headers = message.headers();
    let explanation = engine.explain(&message.request(&headers), &Limits::default());
    let line = [&*message.method, b" ", &*message.uri].concat();
    writeln!(out, "request {number}: {}", line.escape_ascii())?;
    writeln!(out, "{explanation}")
}
