//! `eval`: the engine's verdicts on a labelled corpus, scored and timed.
//!
//! A case counts as flagged if the engine alerts on it. Only the engine is timed, on the one
//! thread there is, in the order of the file; reading and parsing are left out.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde::Serialize;
use wallarm_detect::{Engine, Limits, Scratch, Verdict};

use crate::args::{Eval, Source};
use crate::error::Error;
use crate::input::corpus::{self, Labels};
use crate::input::{Fault, Message, ParseError, Place};
use crate::rules;
use crate::score::{Figures, Score, Shares};

#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    figures: Figures,
    requests: usize,
    /// Sum of all scans.
    scan_seconds: f64,
    p50_us: f64,
    p99_us: f64,
}

pub(crate) fn run(args: &Eval, out: &mut impl Write) -> Result<ExitCode, Error> {
    let cases = cases(&args.corpus)?;
    let mut flagged = Flagged::create(args.flagged.as_deref())?;
    let mut scanner = Scanner::new(rules::engine(&args.knowledge)?);
    let mut score = Score::default();
    let mut progress = Progress::new();

    for case in cases {
        let (number, message, labels) = case?;
        let verdict = scanner.scan(&message);
        let attack = !verdict.hits.is_empty();
        score.add(&labels, attack);
        if attack {
            flagged.add(number)?;
        } else {
            score.add_unflagged(&labels, verdict.suspect);
        }
        progress.show(scanner.times.len());
    }
    progress.clear();
    flagged.finish()?;
    print(&scanner.report(score), args.json, out).map_err(Error::stdout)?;
    Ok(ExitCode::SUCCESS)
}

/// The labelled requests of a corpus, each with the zero-based number of its line; blank lines are passed over.
pub(crate) fn cases(
    source: &Source,
) -> Result<impl Iterator<Item = Result<(u64, Message, Labels), Error>>, Error> {
    let name = source.name();
    let corpus = open(source).map_err(|error| Error::Read(name.clone(), error))?;
    let blank =
        |line: &io::Result<Vec<u8>>| line.as_ref().is_ok_and(|line| line.trim_ascii().is_empty());
    let lines = Lines(corpus).zip(0..).filter(move |(line, _)| !blank(line));
    Ok(lines.map(move |(line, number)| {
        let line = line.map_err(|error| Error::Read(name.clone(), error))?;
        let (message, labels) = labelled(&line, Place::Line(number + 1))
            .map_err(|error| Error::Input(name.clone(), error))?;
        Ok((number, message, labels))
    }))
}

fn labelled(line: &[u8], place: Place) -> Result<(Message, Labels), ParseError> {
    match corpus::parse_line(line, place) {
        Ok((_, Labels { label: None, .. })) => Err(ParseError { place, fault: Fault::Unlabelled }),
        Ok(case) => Ok(case),
        Err(fault) => Err(ParseError { place, fault }),
    }
}

fn open(source: &Source) -> io::Result<Box<dyn BufRead>> {
    Ok(match source {
        Source::Stdin => Box::new(io::stdin().lock()),
        Source::File(path) => Box::new(BufReader::new(File::open(path)?)),
    })
}

/// The lines of a file as bytes, with their ends.
struct Lines(Box<dyn BufRead>);

impl Iterator for Lines {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Vec::new();
        match self.0.read_until(b'\n', &mut line) {
            Ok(0) => None,
            Ok(_) => Some(Ok(line)),
            Err(error) => Some(Err(error)),
        }
    }
}

/// The engine and how long it took for each request.
struct Scanner {
    engine: Engine,
    limits: Limits,
    scratch: Scratch,
    times: Vec<Duration>,
}

impl Scanner {
    fn new(engine: Engine) -> Self {
        let (limits, scratch) = (Limits::default(), Scratch::default());
        Self { engine, limits, scratch, times: Vec::new() }
    }

    fn scan(&mut self, message: &Message) -> Verdict {
        let headers = message.headers();
        let request = message.request(&headers);
        let start = Instant::now();
        let verdict = self.engine.scan(&request, &self.limits, &mut self.scratch);
        self.times.push(start.elapsed());
        verdict
    }

    fn report(mut self, score: Score) -> Report {
        self.times.sort_unstable();
        let total: Duration = self.times.iter().sum();
        Report {
            figures: score.figures(),
            requests: self.times.len(),
            scan_seconds: rounded(total.as_secs_f64(), 6),
            p50_us: rounded(percentile(&self.times, 50), 3),
            p99_us: rounded(percentile(&self.times, 99), 3),
        }
    }
}

/// The smallest time, in µs, that `percent` of the sorted times do not exceed; 0 without times.
fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    let time = sorted.get(rank.saturating_sub(1));
    time.map_or(0.0, |time| time.as_secs_f64() * 1e6)
}

fn rounded(value: f64, decimals: i32) -> f64 {
    let factor = 10f64.powi(decimals);
    (value * factor).round() / factor
}

/// The file that names the flagged lines, if one is wanted.
struct Flagged<'a> {
    file: Option<(BufWriter<File>, &'a Path)>,
}

impl<'a> Flagged<'a> {
    fn create(path: Option<&'a Path>) -> Result<Self, Error> {
        let Some(path) = path else { return Ok(Self { file: None }) };
        let file = File::create(path).map_err(|error| unwritable(path, error))?;
        Ok(Self { file: Some((BufWriter::new(file), path)) })
    }

    fn add(&mut self, number: u64) -> Result<(), Error> {
        let Some((file, path)) = &mut self.file else { return Ok(()) };
        writeln!(file, "{number}").map_err(|error| unwritable(path, error))
    }

    fn finish(self) -> Result<(), Error> {
        let Some((mut file, path)) = self.file else { return Ok(()) };
        file.flush().map_err(|error| unwritable(path, error))
    }
}

fn unwritable(path: &Path, error: io::Error) -> Error {
    Error::Write(path.display().to_string(), error)
}

/// A counter on standard error, for somebody who waits at a terminal.
struct Progress {
    terminal: bool,
}

impl Progress {
    /// Requests between two updates.
    const STEP: usize = 500;

    fn new() -> Self {
        Self { terminal: io::stderr().is_terminal() }
    }

    fn show(&mut self, requests: usize) {
        if self.terminal && requests % Self::STEP == 0 {
            let _ = write!(io::stderr(), "\r{requests} requests");
        }
    }

    fn clear(&self) {
        if self.terminal {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn print(report: &Report, json: bool, out: &mut impl Write) -> io::Result<()> {
    if json {
        serde_json::to_writer(&mut *out, report)?;
        return writeln!(out);
    }
    let f = &report.figures;
    let numbers = [
        ("micro_tpr", f.micro_tpr),
        ("macro_tpr", f.macro_tpr),
        ("fpr", f.fpr),
        ("fpr_plain", f.fpr_plain),
        ("fpr_browser", f.fpr_browser),
        ("fpr_hard", f.fpr_hard),
        ("balanced", f.balanced),
        ("macro_balanced", f.macro_balanced),
    ];
    for (name, number) in numbers {
        writeln!(out, "{name:18} {number}")?;
    }
    write!(out, "{:18} ", "suspect")?;
    print_row(&f.suspect, out)?;
    print_shares("groups", &f.groups, out)?;
    print_shares("class", &f.class, out)?;
    print_shares("attack_source", &f.attack_source, out)?;
    print_shares("benign_source_fpr", &f.benign_source_fpr, out)?;
    print_shares("benign_kind_fpr", &f.benign_kind_fpr, out)?;
    writeln!(out, "{:18} {}", "requests", report.requests)?;
    writeln!(out, "{:18} {}", "scan_seconds", report.scan_seconds)?;
    writeln!(out, "{:18} {}", "p50_us", report.p50_us)?;
    writeln!(out, "{:18} {}", "p99_us", report.p99_us)
}

fn print_shares(name: &str, shares: &Shares, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{name}")?;
    write!(out, "  ")?;
    print_row(shares, out)
}

fn print_row(shares: &Shares, out: &mut impl Write) -> io::Result<()> {
    let cells = shares.0.iter().map(|(key, share, cases)| format!("{key} {share}/{cases}"));
    writeln!(out, "{}", cells.collect::<Vec<_>>().join("  "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let times: Vec<Duration> = (1..=200).map(Duration::from_micros).collect();
        let micros = |percent| rounded(percentile(&times, percent), 3);
        assert_eq!((micros(50), micros(99), micros(100)), (100.0, 198.0, 200.0));
        assert_eq!(percentile(&[], 50), 0.0);
        assert_eq!(rounded(percentile(&times[..1], 99), 3), 1.0);
    }
}
