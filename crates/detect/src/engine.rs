//! The engine: extraction, one automaton pass, confirmation and scoring, put together.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::attack::AttackType;
use crate::confirm::Pattern;
use crate::explain::Explanation;
use crate::limits::{Budget, Limits, LimitsHit};
use crate::matcher::{Matcher, Occurrence};
use crate::request::Request;
use crate::rules::{faults, Problem, Rule, RuleError, RuleSet, Trigger};
use crate::score::{to_weight, Compiled, Counted, Sums, Tally, View, ALERT};
use crate::verdict::{excerpt, Hit, Verdict};
use crate::views::{Anomalies, Field, PointId, Views};

/// Bytes that the automaton walks through before the occurrences are looked at; bounds the memory for them.
const BLOCK: usize = 16 << 10;

/// Steps for moving on to the next view.
const VIEW_STEPS: usize = 8;

/// Numbers engines from 1, so that a [`Scratch`] notices when it comes to another one.
static ENGINES: AtomicU64 = AtomicU64::new(1);

/// Compiled rules; immutable and shared by all threads.
#[derive(Debug)]
pub struct Engine {
    number: u64,
    rules: Vec<Rule>,
    compiled: Vec<Compiled>,
    matcher: Matcher,
    /// Rules that an anomaly triggers.
    anomalies: Vec<(Anomalies, u32)>,
}

/// Buffers of one thread, reused from scan to scan: a clean request allocates nothing once they have grown.
#[derive(Debug, Default)]
pub struct Scratch {
    views: Views,
    found: Vec<Occurrence>,
    tally: Tally,
}

/// One value of a request in which something counted.
pub(crate) struct Value<'a> {
    pub point: PointId,
    pub counted: &'a [Counted],
    pub sums: Sums,
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

    /// Compiles `rules`.
    ///
    /// # Errors
    ///
    /// With every fault of every rule: ids and names used twice, unknown names, patterns that do not compile or are too large.
    pub fn new(rules: RuleSet) -> Result<Engine, RuleError> {
        let rules = rules.into_rules();
        let mut problems = faults(&rules);
        let compiled = compile(&rules, &mut problems);
        if !problems.is_empty() {
            return Err(RuleError { problems });
        }
        assemble(rules, compiled)
    }

    /// The rules that the engine was made of.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Bytes of the automaton that finds the literals.
    pub fn memory(&self) -> usize {
        self.matcher.memory()
    }

    /// Looks for attacks in one request. Never fails; what a limit kept from being scanned is in [`Verdict::limits`].
    pub fn scan(&self, request: &Request<'_>, limits: &Limits, scratch: &mut Scratch) -> Verdict {
        let mut verdict = Verdict::default();
        let mut hits = Vec::new();
        let mut spent = limits.budget(request.len());
        let limit_hits = &mut verdict.limits;
        let last = self.run(request, limits, scratch, &mut spent, limit_hits, |views, value| {
            self.report(&mut hits, views, &value, limits.payload);
        });
        hits.extend(verdict.limits.attacks().map(|(attack, used_up)| {
            let point = match attack {
                AttackType::DataBomb => scratch.views.bomb(),
                _ => last,
            };
            let point = point.map(|point| scratch.views.point_name(point));
            Hit::of_limit(attack, used_up, point)
        }));
        hits.sort_by_key(|hit: &Hit| hit.attack);
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
        self.run(request, limits, &mut scratch, &mut spent, &mut hit, |views, value| {
            explanation.value(self, views, &value);
        });
        explanation.finish(&scratch.views, hit, spent.spent());
        explanation
    }

    /// The rule behind an entry of [`Value::counted`].
    pub(crate) fn rule_of(&self, counted: &Counted) -> Option<&Rule> {
        let compiled = self.compiled.get(counted.compiled as usize)?;
        self.rules.get(compiled.rule as usize)
    }

    /// Hands every value in which something counted to `sink`, and returns the place that was reached last.
    fn run(
        &self,
        request: &Request<'_>,
        limits: &Limits,
        scratch: &mut Scratch,
        spent: &mut Budget,
        hit: &mut LimitsHit,
        sink: impl FnMut(&Views, Value<'_>),
    ) -> Option<PointId> {
        let Scratch { views, found, tally } = scratch;
        // Half is kept for matching: a request that is costly to take apart must not go unmatched.
        let mut reading = Budget::new(spent.left() / 2);
        views.extract(request, limits, &mut reading, hit);
        let _ = spent.spend(usize::try_from(reading.spent()).unwrap_or(usize::MAX));
        let views = &*views;
        tally.begin(self.number, self.compiled.len());
        let mut cursor = Cursor::new(self, views, tally, spent, sink);
        let mut position = self.matcher.begin();
        let mut whole = true;
        for block in views.lower.chunks(BLOCK) {
            found.clear();
            whole = cursor.spent.spend(block.len());
            if !whole {
                break;
            }
            self.matcher.advance(&mut position, block, found);
            whole = found.iter().all(|occurrence| cursor.occurrence(*occurrence));
            if !whole {
                break;
            }
        }
        hit.overlimit_res |= !(whole && cursor.skip_to(u32::MAX));
        let last = cursor.view().map(|view| view.field).or(views.fields.last());
        cursor.end_value();
        last.map(|field| field.point)
    }

    /// Adds a value to the hits of the attack types whose sum is high enough.
    fn report(&self, hits: &mut Vec<Hit>, views: &Views, value: &Value<'_>, payload: usize) {
        for (attack, &sum) in AttackType::ALL.into_iter().zip(&value.sums) {
            if sum < ALERT {
                continue;
            }
            let known = hits.iter().position(|hit| hit.attack == attack);
            let index = known.unwrap_or_else(|| {
                hits.push(Hit::empty(attack));
                hits.len() - 1
            });
            let Some(hit) = hits.get_mut(index) else { continue };
            hit.score = hit.score.max(to_weight(sum));
            self.describe(hit, views, value, payload);
        }
    }

    fn describe(&self, hit: &mut Hit, views: &Views, value: &Value<'_>, payload: usize) {
        let mut best: Option<(&Counted, f32)> = None;
        for counted in value.counted {
            let Some(rule) = self.rule_of(counted).filter(|rule| rule.attack == hit.attack) else {
                continue;
            };
            if best.is_none_or(|(_, weight)| rule.weight > weight) {
                best = Some((counted, rule.weight));
            }
            if let Err(at) = hit.rules.binary_search(&rule.id) {
                hit.rules.insert(at, rule.id);
                hit.indicators.insert(at, (rule.name.clone(), rule.weight));
            }
            let field = views.fields.get(counted.field as usize);
            for name in field.into_iter().flat_map(|field| field.decoders.names()) {
                if !hit.decoders.contains(&name) {
                    hit.decoders.push(name);
                }
            }
        }
        let Some((counted, _)) = best else { return };
        if hit.points.len() >= Hit::MOST_POINTS {
            (hit.points_cut, hit.payloads_cut) = (true, true);
            return;
        }
        let whole = views.fields.get(counted.field as usize).map_or(0, |field| field.range().len());
        let payload = payload_of(views, counted, payload);
        hit.payloads_cut |= payload.len() < whole;
        hit.points.push(views.point_name(value.point));
        hit.payloads.push(payload.to_vec());
    }
}

/// Up to `most` bytes of the view around what counted.
pub(crate) fn payload_of<'v>(views: &'v Views, counted: &Counted, most: usize) -> &'v [u8] {
    let Some(field) = views.fields.get(counted.field as usize) else { return &[] };
    let start = counted.start.saturating_sub(field.start) as usize;
    let end = counted.end.saturating_sub(field.start) as usize;
    excerpt(views.bytes(field), start..end, most)
}

/// Maps occurrences to views while both move forward. Neighbouring views of one value are judged together.
struct Cursor<'a, S> {
    engine: &'a Engine,
    views: &'a Views,
    tally: &'a mut Tally,
    spent: &'a mut Budget,
    sink: S,
    /// The current view.
    index: u32,
    /// The current view was entered.
    open: bool,
    /// The first view of the current value.
    value: Option<&'a Field>,
}

impl<'a, S: FnMut(&Views, Value<'_>)> Cursor<'a, S> {
    fn new(
        engine: &'a Engine,
        views: &'a Views,
        tally: &'a mut Tally,
        spent: &'a mut Budget,
        sink: S,
    ) -> Self {
        Self { engine, views, tally, spent, sink, index: 0, open: false, value: None }
    }

    /// False if the budget is used up.
    fn occurrence(&mut self, occurrence: Occurrence) -> bool {
        if !self.skip_to(occurrence.end) {
            return false;
        }
        let Some(view) = self.view() else { return true };
        let Engine { matcher, compiled, .. } = self.engine;
        if !self.spent.spend(matcher.candidates(occurrence)) {
            return false;
        }
        let range = view.field.start..view.field.end;
        let mut literals = matcher.literals(occurrence, &self.views.lower, range);
        literals.all(|(literal, rules)| {
            let mut rules = rules.iter();
            rules.all(|&rule| self.tally.literal(compiled, rule, view, literal.clone(), self.spent))
        })
    }

    /// Goes on to the view that holds the byte before `end`. False if the budget is used up.
    fn skip_to(&mut self, end: u32) -> bool {
        while let Some(view) = self.view() {
            if !self.open && !self.enter(view) {
                return false;
            }
            if end <= view.field.end {
                return true;
            }
            if !self.tally.end_view(&self.engine.compiled, view, self.spent) {
                return false;
            }
            self.index += 1;
            self.open = false;
        }
        true
    }

    fn enter(&mut self, view: View<'a>) -> bool {
        if !self.spent.spend(VIEW_STEPS) {
            return false;
        }
        if self.value.is_none_or(|first| first.value != view.field.value) {
            self.end_value();
            self.tally.next_value();
            self.value = Some(view.field);
        }
        self.open = true;
        if !view.field.anomalies.is_empty() {
            for &(anomaly, rule) in &self.engine.anomalies {
                if view.field.anomalies.contains(anomaly) {
                    self.tally.anomaly(&self.engine.compiled, rule, view);
                }
            }
        }
        true
    }

    fn end_value(&mut self) {
        let Some(first) = self.value.take() else { return };
        let compiled = &self.engine.compiled;
        if let Some((counted, sums)) = self.tally.end_value(compiled, first.group.is_wire()) {
            (self.sink)(self.views, Value { point: first.point, counted, sums });
        }
    }

    fn view(&self) -> Option<View<'a>> {
        let field = self.views.fields.get(self.index as usize)?;
        Some(View { views: self.views, field, index: self.index })
    }
}

/// Compiles each rule by itself; a pattern that cannot be used becomes a problem.
fn compile(rules: &[Rule], problems: &mut Vec<Problem>) -> Vec<Compiled> {
    let names: HashMap<&str, u32> =
        rules.iter().zip(0..).map(|(rule, index)| (rule.name.as_str(), index)).collect();
    let mut compile_one = |(rule, index): (&Rule, u32)| {
        let mut compiled = Compiled::of(rule, index);
        let required = rule.requires.iter().filter_map(|name| names.get(name.as_str()).copied());
        compiled.requires.extend(required);
        if let Trigger::Literals { word, regex, window, .. } = &rule.trigger {
            compiled.word = *word;
            compiled.window = *window;
            match regex.as_deref().map(Pattern::new).transpose() {
                Ok(pattern) => compiled.regex = pattern,
                Err(message) => problems.push(Problem::of(rule, message)),
            }
        }
        compiled
    };
    rules.iter().zip(0..).map(&mut compile_one).collect()
}

/// Puts compiled rules together; `compiled` is parallel to `rules` and gets a helper for each literal of an `all`.
fn assemble(rules: Vec<Rule>, mut compiled: Vec<Compiled>) -> Result<Engine, RuleError> {
    let mut anomalies = Vec::new();
    let mut pairs: Vec<(&str, u32)> = Vec::new();
    for (rule, index) in rules.iter().zip(0_u32..) {
        match &rule.trigger {
            Trigger::Literals { literals, .. } => {
                pairs.extend(literals.iter().map(|literal| (literal.as_str(), index)));
            }
            Trigger::Anomaly(name) => {
                anomalies.extend(Anomalies::parse(name).map(|anomaly| (anomaly, index)));
            }
        }
        for literal in &rule.all {
            let helper = compiled.len() as u32;
            compiled.push(Compiled::helper(rule, index));
            pairs.push((literal, helper));
            if let Some(owner) = compiled.get_mut(index as usize) {
                owner.requires.push(helper);
            }
        }
    }
    let matcher = Matcher::new(&pairs).map_err(|error| too_large(&rules, &error.to_string()))?;
    let number = ENGINES.fetch_add(1, Ordering::Relaxed);
    Ok(Engine { number, compiled, matcher, anomalies, rules })
}

fn too_large(rules: &[Rule], message: &str) -> RuleError {
    let problem = |rule| Problem::of(rule, format!("the literals do not fit together: {message}"));
    RuleError { problems: rules.last().map(problem).into_iter().collect() }
}
