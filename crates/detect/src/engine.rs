//! The engine: extraction, one pass for all literals, confirmation and scoring, put together.

mod build;
mod cursor;
mod report;

use crate::attack::AttackType;
use crate::evidence::Evidence;
use crate::explain::Explanation;
use crate::limits::{Budget, Limits, LimitsHit};
use crate::matcher::{Matcher, Occurrence};
use crate::model::{Best, Model, Windows};
use crate::request::Request;
use crate::rules::{faults, Rule, RuleError, RuleSet};
use crate::score::{Compiled, Counted, Points, Sums, Tally, View, ALERT};
use crate::tokens::Context;
use crate::verdict::{Hit, Verdict};
use crate::views::{Anomalies, PointId, Views};

use cursor::Cursor;
pub(crate) use report::payload_of;

/// Bytes that the matcher walks through before the occurrences are looked at; bounds the memory for them.
const BLOCK: usize = 16 << 10;

/// Steps for moving on to the next view.
const VIEW_STEPS: usize = 48;

/// Compiled rules; immutable and shared by all threads.
#[derive(Debug)]
pub struct Engine {
    number: u64,
    rules: Vec<Rule>,
    compiled: Vec<Compiled>,
    matcher: Matcher,
    /// Rules that an anomaly triggers.
    anomalies: Vec<(Anomalies, u32)>,
    model: Model,
}

/// Buffers of one thread, reused from scan to scan: a clean request allocates nothing once they have grown.
#[derive(Debug, Default)]
pub struct Scratch {
    views: Views,
    found: Vec<Occurrence>,
    tally: Tally,
    windows: Windows,
}

/// One value of a request, judged.
pub(crate) struct Value<'a> {
    pub point: PointId,
    pub counted: &'a [Counted],
    /// What the rules add up to.
    pub rules: Sums,
    pub score: Points,
    /// How the model read the value, if it did: the tokens are in `windows`.
    pub context: Option<Context>,
    /// A scan would not have let the model read it.
    pub plain: bool,
    pub windows: &'a mut Windows,
    pub best: Option<Best>,
    /// The view that the model read; the last one if it read none.
    pub shown: View<'a>,
}

impl Value<'_> {
    /// The bytes of the view read that a window covers, as offsets into [`Views::text`].
    pub(crate) fn seen(&self, window: Best) -> std::ops::Range<u32> {
        let (start, bytes) = (self.shown.field.start, self.windows.bytes(window));
        start + bytes.start..start + bytes.end
    }
}

/// Which values a scan hands out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// Those that are suspect at least.
    Suspect,
    /// Those in which a rule counted or that the model read.
    Telling,
    /// The same, with the model reading plain values too: it is from them that it learns what is ordinary.
    All,
}

impl Engine {
    /// The engine over the rules that are built into the crate.
    ///
    /// # Errors
    ///
    /// When one of the built-in rules is broken, which the tests of this crate rule out.
    pub fn builtin() -> Result<Engine, RuleError> {
        Self::new(RuleSet::builtin()?)
    }

    /// Compiles `rules`, with what is built in of the model.
    ///
    /// # Errors
    ///
    /// With every fault of every rule: ids and names used twice, unknown names, patterns that do not compile or are too large.
    pub fn new(rules: RuleSet) -> Result<Engine, RuleError> {
        let model = Model::builtin().map_err(|error| RuleError::of_table(&error))?;
        Self::with_model(rules, model)
    }

    /// Compiles `rules`, with another model than the one that is built in.
    ///
    /// # Errors
    ///
    /// As [`Self::new`].
    pub fn with_model(rules: RuleSet, model: Model) -> Result<Engine, RuleError> {
        let rules = rules.into_rules();
        let mut problems = faults(&rules);
        let compiled = build::compile(&rules, &mut problems);
        if !problems.is_empty() {
            return Err(RuleError { problems });
        }
        Ok(build::assemble(rules, compiled, model))
    }

    /// The rules that the engine was made of.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Bytes of the tables that find the literals.
    pub fn memory(&self) -> usize {
        self.matcher.memory()
    }

    /// Looks for attacks in one request. Never fails; what a limit kept from being scanned is in [`Verdict::limits`].
    pub fn scan(&self, request: &Request<'_>, limits: &Limits, scratch: &mut Scratch) -> Verdict {
        let mut verdict = Verdict::default();
        let mut hits = Vec::new();
        let mut spent = limits.budget(request.len());
        let limit_hits = &mut verdict.limits;
        let mut suspect = false;
        let sink = |views: &Views, value: Value<'_>| {
            suspect |= value.score < ALERT;
            self.report(&mut hits, views, value, limits.payload);
        };
        let last =
            self.run(request, limits, scratch, &mut spent, limit_hits, Wanted::Suspect, sink);
        // Rules know what they have found. What only the tokens suggest beside it is mostly the same payload, seen from afar.
        if hits.iter().any(|hit: &Hit| !hit.rules.is_empty()) {
            hits.retain(|hit| !hit.rules.is_empty());
        }
        hits.extend(verdict.limits.attacks().map(|(attack, used_up)| {
            let point = match attack {
                AttackType::DataBomb => scratch.views.bomb(),
                _ => last,
            };
            let point = point.map(|point| scratch.views.point_name(point));
            Hit::of_limit(attack, used_up, point)
        }));
        hits.sort_by_key(|hit: &Hit| hit.attack);
        verdict.suspect = suspect && hits.is_empty();
        verdict.hits = hits;
        verdict.steps = spent.spent();
        verdict
    }

    /// The same scan, with everything that led to the verdict.
    pub fn explain(&self, request: &Request<'_>, limits: &Limits) -> Explanation {
        let mut scratch = Scratch::default();
        let mut explanation = Explanation::default();
        let mut spent = limits.budget(request.len());
        let mut hit = LimitsHit::default();
        let sink = |views: &Views, value: Value<'_>| explanation.value(self, views, value);
        self.run(request, limits, &mut scratch, &mut spent, &mut hit, Wanted::Telling, sink);
        explanation.finish(&scratch.views, hit, spent.spent());
        explanation
    }

    /// What a model is trained on: hands out every value in which something tells for or against an attack.
    pub fn evidence(
        &self,
        request: &Request<'_>,
        limits: &Limits,
        scratch: &mut Scratch,
        mut sink: impl FnMut(Evidence),
    ) {
        let mut spent = limits.budget(request.len());
        let mut hit = LimitsHit::default();
        let each = |_: &Views, value: Value<'_>| sink(Evidence::of(&value));
        self.run(request, limits, scratch, &mut spent, &mut hit, Wanted::All, each);
    }

    /// What was learned.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The rule behind an entry of [`Value::counted`], and its weight.
    pub(crate) fn rule_of(&self, counted: &Counted) -> Option<(&Rule, Points)> {
        let compiled = self.compiled.get(counted.compiled as usize)?;
        Some((self.rules.get(compiled.rule as usize)?, compiled.points))
    }

    /// Hands the values that are wanted to `sink`, and returns the place that was reached last.
    #[allow(clippy::too_many_arguments)] // one caller each for scanning, explaining, collecting
    fn run(
        &self,
        request: &Request<'_>,
        limits: &Limits,
        scratch: &mut Scratch,
        spent: &mut Budget,
        hit: &mut LimitsHit,
        wanted: Wanted,
        sink: impl FnMut(&Views, Value<'_>),
    ) -> Option<PointId> {
        let Scratch { views, found, tally, windows } = scratch;
        // Half is kept for matching: a request that is costly to take apart must not go unmatched.
        let half = spent.left() / 2;
        let mut reading = Budget::new(half);
        views.extract(request, limits, &mut reading, hit);
        spent.grant(reading.granted() - half);
        let _ = spent.spend(usize::try_from(reading.spent()).unwrap_or(usize::MAX));
        let views = &*views;
        tally.begin(self.number, self.compiled.len());
        let mut cursor = Cursor::new(self, views, (tally, windows), spent, wanted, sink);
        let mut whole = true;
        for start in (0..views.lower.len()).step_by(BLOCK) {
            let block = start..views.lower.len().min(start + BLOCK);
            found.clear();
            whole = cursor.spent.spend(block.len())
                && cursor.spent.spend(self.matcher.find(&views.lower, block, found))
                && found.iter().all(|occurrence| cursor.occurrence(*occurrence));
            if !whole {
                break;
            }
        }
        hit.overlimit_res |= !(whole && cursor.skip_to(u32::MAX));
        let last = cursor.view().map(|view| view.field).or(views.fields.last());
        cursor.end_value();
        hit.overlimit_res |= cursor.short;
        last.map(|field| field.point)
    }
}
