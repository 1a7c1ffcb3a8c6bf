//! How well the weights do on a source that they were not learned from.

use std::io::Write;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;
use std::thread;

use super::data::{Data, Labelled};
use super::rounds::{flags, train};
use crate::error::Error;
use crate::score::Score;

/// Trains once for each source of the corpora, without it, and scores it. Prints a table, and the figures of all sources together.
pub(super) fn leave_out(data: &Data, out: &mut impl Write) -> Result<(), Error> {
    let mut sources: Vec<&str> = data.requests.iter().map(source).collect();
    sources.sort_unstable();
    sources.dedup();
    sources.retain(|source| *source != super::values::SOURCE);
    let next = AtomicUsize::new(0);
    let verdicts = Mutex::new(vec![None; data.requests.len()]);
    let work = || {
        while let Some(left_out) = sources.get(next.fetch_add(1, Ordering::Relaxed)) {
            let weights = train(data, |request| source(request) != *left_out);
            let scored =
                data.requests.iter().enumerate().filter(|(_, one)| source(one) == *left_out);
            let scored: Vec<(usize, bool)> =
                scored.map(|(at, request)| (at, flags(data, &weights, request))).collect();
            let mut verdicts = verdicts.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            for (at, flagged) in scored {
                if let Some(verdict) = verdicts.get_mut(at) {
                    *verdict = Some(flagged);
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(work);
        }
    });
    let verdicts = verdicts.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    print(data, &sources, &verdicts, out).map_err(Error::stdout)
}

fn source(request: &Labelled) -> &str {
    request.labels.source.as_deref().unwrap_or_default()
}

fn print(
    data: &Data,
    sources: &[&str],
    verdicts: &[Option<bool>],
    out: &mut impl Write,
) -> std::io::Result<()> {
    let scored = || data.requests.iter().zip(verdicts);
    writeln!(out, "| left out | attacks | TPR | plain | FPR | browser | FPR | hard | FPR |")?;
    writeln!(out, "|---|---|---|---|---|---|---|---|---|")?;
    for left_out in sources.iter().map(Some).chain([None]) {
        let mut score = Score::default();
        for (request, verdict) in scored() {
            let chosen = left_out.is_none_or(|left_out| source(request) == *left_out);
            if let (Some(flagged), true) = (verdict, chosen) {
                score.add(&request.labels, *flagged);
            }
        }
        let figures = score.figures();
        write!(out, "| {} |", left_out.unwrap_or(&"all"))?;
        for group in ["attack", "plain", "browser", "hard"] {
            let found = figures.groups.0.iter().find(|(name, ..)| name == group);
            match found {
                Some((_, share, cases)) if *cases > 0 => {
                    write!(out, " {cases} | {:.2} % |", share * 100.0)?;
                }
                _ => write!(out, " | |")?,
            }
        }
        writeln!(out)?;
        if left_out.is_none() {
            writeln!(out, "\nmicro TPR {}, macro TPR {}", figures.micro_tpr, figures.macro_tpr)?;
        }
    }
    Ok(())
}
