//! Accuracy figures of verdicts on a labelled corpus.
//!
//! The definitions, in which a case is a labelled request and a share of nothing is not a number:
//!
//! - micro TPR: share of the attacks that were flagged;
//! - macro TPR: mean of the shares of all (class, source) cells with at least ten attacks, so that
//!   a long list of one kind does not swamp the rest;
//! - FPR: share of the benign cases that were flagged; `browser`: of recorded browser traffic;
//!   `hard`: of manuals, code and SQL that are posted as content; `plain`: of all that is not hard;
//! - suspect: share of the attacks, and of the benign cases, that were not flagged;
//! - balanced: (micro TPR + 1 - FPR) / 2; macro balanced: (macro TPR + 1 - plain FPR) / 2.

use std::collections::HashMap;
use std::hash::Hash;

use serde::ser::Serializer;
use serde::Serialize;

use crate::input::corpus::Labels;

/// Starts of the `sub` of benign cases that are attack-like by nature.
const HARD: [&str; 3] = ["cms-html", "markdown-json", "hard-"];
/// Cells with fewer attacks do not count for the macro TPR.
const CELL_MIN: u64 = 10;

/// Collects verdicts.
#[derive(Default)]
pub(crate) struct Score {
    groups: Table<&'static str>,
    classes: Table<String>,
    sources: Table<String>,
    cells: Table<(String, String)>,
    benign_sources: Table<String>,
    benign_kinds: Table<String>,
    suspects: Table<&'static str>,
}

impl Score {
    /// Counts one case.
    pub(crate) fn add(&mut self, labels: &Labels, flagged: bool) {
        let source = labels.source.clone().unwrap_or_default();
        if labels.is_attack() {
            self.add_attack(labels, source, flagged);
        } else {
            self.add_benign(labels, source, flagged);
        }
    }

    /// Counts whether a case that was not flagged is suspect.
    pub(crate) fn add_unflagged(&mut self, labels: &Labels, suspect: bool) {
        self.suspects.add(if labels.is_attack() { "attack" } else { "benign" }, suspect);
    }

    fn add_attack(&mut self, labels: &Labels, source: String, flagged: bool) {
        let class = labels.class.clone().unwrap_or_else(|| "None".to_owned());
        self.classes.add(class.clone(), flagged);
        self.sources.add(source.clone(), flagged);
        self.cells.add((class, source), flagged);
        self.groups.add("attack", flagged);
        match labels.seen {
            Some(true) => self.groups.add("attack seen in dev", flagged),
            Some(false) => self.groups.add("attack unseen", flagged),
            None => {}
        }
    }

    fn add_benign(&mut self, labels: &Labels, source: String, flagged: bool) {
        let sub = labels.sub.as_deref().unwrap_or_default();
        let kind = sub.split('/').next().unwrap_or_default();
        let name = if kind.is_empty() { &source } else { kind };
        self.benign_kinds.add(name.to_owned(), flagged);
        self.groups.add("benign", flagged);
        let hard = HARD.iter().any(|start| kind.starts_with(start));
        self.groups.add(if hard { "hard" } else { "plain" }, flagged);
        if kind.starts_with("browser") {
            self.groups.add("browser", flagged);
        }
        self.benign_sources.add(source, flagged);
    }

    pub(crate) fn figures(mut self) -> Figures {
        let mut share = |group| self.groups.share(group);
        let (tpr, fpr, plain) = (share("attack"), share("benign"), share("plain"));
        let (browser, hard) = (share("browser"), share("hard"));
        // Both have a row, even if it stays empty.
        for label in ["attack", "benign"] {
            self.suspects.share(label);
        }
        let cells: Vec<f64> = self.cells.large(CELL_MIN).collect();
        let macro_tpr = cells.iter().sum::<f64>() / cells.len() as f64;
        Figures {
            micro_tpr: round5(tpr),
            macro_tpr: round5(macro_tpr),
            fpr: round5(fpr),
            fpr_plain: round5(plain),
            fpr_browser: round5(browser),
            fpr_hard: round5(hard),
            balanced: round5((tpr + 1.0 - fpr) / 2.0),
            macro_balanced: round5((macro_tpr + 1.0 - plain) / 2.0),
            groups: self.groups.shares(),
            class: self.classes.shares(),
            attack_source: self.sources.shares(),
            benign_source_fpr: self.benign_sources.shares(),
            benign_kind_fpr: self.benign_kinds.shares(),
            suspect: self.suspects.shares(),
        }
    }
}

/// The figures, in the order in which they are printed. NaN becomes `null` in JSON.
#[derive(Serialize)]
pub(crate) struct Figures {
    pub(crate) micro_tpr: f64,
    pub(crate) macro_tpr: f64,
    pub(crate) fpr: f64,
    pub(crate) fpr_plain: f64,
    pub(crate) fpr_browser: f64,
    pub(crate) fpr_hard: f64,
    pub(crate) balanced: f64,
    pub(crate) macro_balanced: f64,
    pub(crate) groups: Shares,
    pub(crate) class: Shares,
    pub(crate) attack_source: Shares,
    pub(crate) benign_source_fpr: Shares,
    pub(crate) benign_kind_fpr: Shares,
    /// The suspect share of what was not flagged.
    pub(crate) suspect: Shares,
}

/// Name, flagged share and size of each group, largest first.
pub(crate) struct Shares(pub(crate) Vec<(String, f64, u64)>);

impl Serialize for Shares {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, share, cases)| (name, (share, cases))))
    }
}

/// Flagged and all cases by key, in the order in which the keys first came.
struct Table<K> {
    rows: Vec<(K, Tally)>,
    index: HashMap<K, usize>,
}

#[derive(Clone, Copy, Default)]
struct Tally {
    flagged: u64,
    cases: u64,
}

impl Tally {
    fn share(self) -> f64 {
        self.flagged as f64 / self.cases as f64
    }
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self { rows: Vec::new(), index: HashMap::new() }
    }
}

impl<K: Clone + Eq + Hash> Table<K> {
    fn add(&mut self, key: K, flagged: bool) {
        self.update(key, |tally| {
            tally.flagged += u64::from(flagged);
            tally.cases += 1;
        });
    }

    /// The flagged share of `key`, which gets a row if it has none.
    fn share(&mut self, key: K) -> f64 {
        let mut share = f64::NAN;
        self.update(key, |tally| share = tally.share());
        share
    }

    fn update(&mut self, key: K, change: impl FnOnce(&mut Tally)) {
        let at = *self.index.entry(key.clone()).or_insert_with(|| {
            self.rows.push((key, Tally::default()));
            self.rows.len() - 1
        });
        if let Some((_, tally)) = self.rows.get_mut(at) {
            change(tally);
        }
    }

    /// The shares of the rows with at least `min` cases.
    fn large(&self, min: u64) -> impl Iterator<Item = f64> + '_ {
        self.rows.iter().filter(move |(_, t)| t.cases >= min).map(|(_, tally)| tally.share())
    }
}

impl<K: Clone + Eq + Hash + ToString> Table<K> {
    fn shares(&self) -> Shares {
        let mut rows: Vec<&(K, Tally)> = self.rows.iter().collect();
        rows.sort_by_key(|(_, tally)| std::cmp::Reverse(tally.cases));
        Shares(rows.iter().map(|(k, t)| (k.to_string(), round5(t.share()), t.cases)).collect())
    }
}

/// The nearest number of five decimals, ties of its exact value to even.
fn round5(value: f64) -> f64 {
    format!("{value:.5}").parse().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(label: &str, class: &str, source: &str, sub: &str) -> Labels {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Labels {
            label: text(label),
            class: text(class),
            source: text(source),
            sub: text(sub),
            seen: None,
        }
    }

    #[test]
    fn small_cells_do_not_count_for_the_macro_rate() {
        let mut score = Score::default();
        for n in 0..10 {
            score.add(&labels("attack", "sqli", "a", ""), n < 9);
            score.add(&labels("attack", "xss", "a", "list"), n < 4);
        }
        for _ in 0..9 {
            score.add(&labels("attack", "xss", "b", ""), false);
        }
        score.add(&labels("benign", "", "c", ""), false);
        let figures = score.figures();
        assert_eq!(figures.micro_tpr, 0.44828); // 13 of 29
        assert_eq!(figures.macro_tpr, 0.65); // (9/10 + 4/10) / 2
        assert_eq!(figures.macro_balanced, 0.825);
        assert_eq!(figures.class.0[0], ("xss".to_owned(), 0.21053, 19));
        assert_eq!(figures.attack_source.0[1], ("b".to_owned(), 0.0, 9));
    }

    #[test]
    fn benign_cases_are_plain_hard_or_browser_by_their_sub() {
        let mut score = Score::default();
        let subs = ["browser-nav/1", "browser", "hard-sql", "markdown-json/x", "cms-html", "", "x"];
        for (n, sub) in subs.into_iter().enumerate() {
            score.add(&labels("benign", "", "s", sub), n % 2 == 0);
        }
        let figures = score.figures();
        assert_eq!(figures.fpr, 0.57143); // 4 of 7
        assert_eq!(figures.fpr_browser, 0.5);
        assert_eq!(figures.fpr_hard, 0.66667);
        assert_eq!(figures.fpr_plain, 0.5);
        assert!(figures.micro_tpr.is_nan() && figures.macro_tpr.is_nan());
        let kinds: Vec<_> = figures.benign_kind_fpr.0.iter().map(|row| row.0.as_str()).collect();
        assert_eq!(
            kinds,
            ["browser-nav", "browser", "hard-sql", "markdown-json", "cms-html", "s", "x"]
        );
    }

    #[test]
    fn suspects_are_a_share_of_what_was_not_flagged() {
        let mut score = Score::default();
        let (attack, benign) = (labels("attack", "", "s", ""), labels("benign", "", "s", ""));
        for (labels, suspect) in
            [(&attack, true), (&attack, false), (&benign, false), (&benign, false), (&benign, true)]
        {
            score.add(labels, false);
            score.add_unflagged(labels, suspect);
        }
        score.add(&attack, true);
        let shares = score.figures().suspect.0;
        let row = |name: &str, share, cases| (name.to_owned(), share, cases);
        assert_eq!(shares, [row("benign", 0.33333, 3), row("attack", 0.5, 2)]);
    }

    #[test]
    fn attacks_known_from_development_are_a_group_of_their_own() {
        let mut score = Score::default();
        for (seen, flagged) in [(Some(true), true), (Some(false), false), (None, true)] {
            score.add(&Labels { seen, ..labels("attack", "", "s", "") }, flagged);
        }
        let json = serde_json::to_string(&score.figures().groups).unwrap();
        let expected =
            r#"{"attack":[0.66667,3],"attack seen in dev":[1.0,1],"attack unseen":[0.0,1],"#;
        assert!(json.starts_with(expected), "{json}");
    }
}
