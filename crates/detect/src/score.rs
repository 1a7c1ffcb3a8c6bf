//! Adds up what was found in one value: each rule counts once, each attack type has a sum of its own.

use std::ops::Range;

use crate::attack::AttackType;
use crate::confirm::{stands_alone, Pattern, States};
use crate::limits::Budget;
use crate::rules::{Places, Rule, Word, THRESHOLD};
use crate::views::{Field, Views};

/// Sums are kept in hundredths, so that the order of adding never matters.
pub(crate) type Points = i32;

/// One sum per attack type, in the order of [`AttackType::ALL`].
pub(crate) type Sums = [Points; AttackType::ALL.len()];

/// Steps for looking at one literal for one rule.
const HIT_STEPS: usize = 8;

/// Steps for starting a regex, and for each byte that it reads: it waits for its tables at every one.
const SEARCH_STEPS: usize = 48;
const SEARCH_BYTE_STEPS: usize = 2;

pub(crate) fn to_points(weight: f32) -> Points {
    (weight * 100.0).round() as Points
}

pub(crate) fn to_weight(points: Points) -> f32 {
    points as f32 / 100.0
}

/// The sum from which a value is an attack.
pub(crate) const ALERT: Points = THRESHOLD as Points * 100;

/// A rule ready for use. Some stand for one of the literals that another rule wants as well; they have no weight.
#[derive(Debug)]
pub(crate) struct Compiled {
    /// Index of the rule in the set.
    pub rule: u32,
    pub helper: bool,
    pub attack: AttackType,
    pub points: Points,
    pub places: Places,
    pub word: Word,
    pub regex: Option<Pattern>,
    pub window: (u32, u32),
    /// Indexes of the compiled rules that must count in the same value.
    pub requires: Vec<u32>,
    /// It may matter in the wire form of several values: alone, or to a rule that counts there.
    pub in_wire: bool,
}

/// A rule that counts, and where it was seen first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    pub compiled: u32,
    /// Index of the view.
    pub field: u32,
    /// The literal, as offsets into [`Views::text`].
    pub start: u32,
    pub end: u32,
}

/// What is known of one rule in the current value.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    /// The value that this is about; anything else is out of date.
    value: u32,
    counted: bool,
    /// Bytes in which the regex is still to be searched, and the literal that asked for it first.
    pending: Option<Pending>,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    from: u32,
    to: u32,
    literal: (u32, u32),
}

/// The state of scoring; reused from request to request.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    value: u32,
    marks: Vec<Mark>,
    counted: Vec<Counted>,
    /// Rules with a pending regex in the current view.
    waiting: Vec<u32>,
    states: States,
    /// The engine that marks and states belong to.
    engine: u64,
}

/// A view and its index.
#[derive(Clone, Copy)]
pub(crate) struct View<'v> {
    pub views: &'v Views,
    pub field: &'v Field,
    pub index: u32,
}

impl Tally {
    /// Starts a scan with the engine numbered `engine`, which has this many compiled rules.
    pub(crate) fn begin(&mut self, engine: u64, rules: usize) {
        if self.engine != engine {
            self.engine = engine;
            self.states.clear();
            self.reset(rules);
        }
        self.states.trim();
    }

    fn reset(&mut self, rules: usize) {
        self.marks.clear();
        self.marks.resize(rules, Mark::default());
        self.value = 0;
    }

    /// Starts the next value.
    pub(crate) fn next_value(&mut self) {
        if self.value == u32::MAX {
            self.reset(self.marks.len());
        }
        self.value += 1;
        self.counted.clear();
        self.waiting.clear();
    }

    /// A literal of `rule` stands at `literal`, in bytes of [`Views::lower`]. False if the budget is used up.
    pub(crate) fn literal(
        &mut self,
        rules: &[Compiled],
        index: u32,
        view: View<'_>,
        literal: Range<u32>,
        spent: &mut Budget,
    ) -> bool {
        if !spent.spend(HIT_STEPS) {
            return false;
        }
        let (Some(rule), Some(mark)) = (rules.get(index as usize), self.mark(index)) else {
            return true;
        };
        let skipped = view.field.group.is_wire() && !rule.in_wire;
        if skipped || mark.counted || !rule.looks_at(view, &literal) {
            return true;
        }
        if rule.regex.is_none() {
            self.count(index, view, (literal.start, literal.end));
            return true;
        }
        self.ask(rule, index, view, literal, spent)
    }

    /// Decoding found something odd about the view.
    pub(crate) fn anomaly(&mut self, rules: &[Compiled], index: u32, view: View<'_>) {
        let (Some(rule), Some(mark)) = (rules.get(index as usize), self.mark(index)) else {
            return;
        };
        if !mark.counted && rule.holds(view) {
            self.count(index, view, (view.field.start, view.field.end));
        }
    }

    /// Puts off the regex search, so that neighbouring windows are searched together: no byte is read twice for one rule.
    fn ask(
        &mut self,
        rule: &Compiled,
        index: u32,
        view: View<'_>,
        literal: Range<u32>,
        spent: &mut Budget,
    ) -> bool {
        let from = literal.start.saturating_sub(rule.window.0).max(view.field.start);
        let to = literal.end.saturating_add(rule.window.1).min(view.field.end);
        let fresh = Pending { from, to, literal: (literal.start, literal.end) };
        let Some(mark) = self.mark(index) else { return true };
        match &mut mark.pending {
            None => {
                mark.pending = Some(fresh);
                self.waiting.push(index);
            }
            // Literals come in the order of their fragments, so the next window may begin a little before the last.
            Some(pending) if from <= pending.to && pending.from <= to => {
                pending.from = pending.from.min(from);
                pending.to = pending.to.max(to);
            }
            Some(pending) => {
                let last = std::mem::replace(pending, fresh);
                return self.confirm(rule, index, view, last, spent);
            }
        }
        true
    }

    /// The view is over: searches what was put off. False if the budget is used up.
    pub(crate) fn end_view(
        &mut self,
        rules: &[Compiled],
        view: View<'_>,
        spent: &mut Budget,
    ) -> bool {
        while let Some(index) = self.waiting.pop() {
            let pending = self.mark(index).and_then(|mark| mark.pending.take());
            let (Some(pending), Some(rule)) = (pending, rules.get(index as usize)) else {
                continue;
            };
            if !self.confirm(rule, index, view, pending, spent) {
                return false;
            }
        }
        true
    }

    fn confirm(
        &mut self,
        rule: &Compiled,
        index: u32,
        view: View<'_>,
        pending: Pending,
        spent: &mut Budget,
    ) -> bool {
        let (Some(regex), false) = (&rule.regex, self.mark(index).is_none_or(|mark| mark.counted))
        else {
            return true;
        };
        let bytes = (pending.to - pending.from) as usize;
        if !spent.spend(SEARCH_STEPS + bytes * SEARCH_BYTE_STEPS) {
            return false;
        }
        let base = view.field.start;
        let window = (pending.from - base) as usize..(pending.to - base) as usize;
        if self.states.confirm(index, regex, view.views.lower_bytes(view.field), window) {
            self.count(index, view, pending.literal);
        }
        true
    }

    fn count(&mut self, index: u32, view: View<'_>, (start, end): (u32, u32)) {
        if let Some(mark) = self.mark(index) {
            mark.counted = true;
            self.counted.push(Counted { compiled: index, field: view.index, start, end });
        }
    }

    /// The mark of a rule, brought up to the current value.
    fn mark(&mut self, index: u32) -> Option<&mut Mark> {
        let value = self.value;
        let mark = self.marks.get_mut(index as usize)?;
        if mark.value != value {
            *mark = Mark { value, ..Mark::default() };
        }
        Some(mark)
    }

    /// The value is over: drops what lacks a requirement and adds up the rest. In the `wire` form of several
    /// values what is weak alone has no company: it may stand in another value.
    pub(crate) fn end_value(&mut self, rules: &[Compiled], wire: bool) -> (&[Counted], Sums) {
        let mut sums = Sums::default();
        if self.counted.is_empty() {
            return (&[], sums);
        }
        let (marks, value) = (&self.marks, self.value);
        let holds = |index: &u32| {
            marks.get(*index as usize).is_some_and(|mark| mark.value == value && mark.counted)
        };
        self.counted.retain(|counted| {
            let rule = rules.get(counted.compiled as usize);
            rule.is_some_and(|rule| {
                !rule.helper && rule.requires.iter().all(holds) && (!wire || rule.stands_alone())
            })
        });
        for counted in &self.counted {
            let Some(rule) = rules.get(counted.compiled as usize) else { continue };
            if let Some(sum) = sums.get_mut(rule.attack.index()) {
                *sum = sum.saturating_add(rule.points);
            }
        }
        (&self.counted, sums)
    }
}

impl Compiled {
    /// A rule without its word boundaries, pattern and requirements.
    pub(crate) fn of(rule: &Rule, index: u32) -> Self {
        let points = to_points(rule.weight);
        Self { helper: false, points, ..Self::helper(rule, index) }
    }

    /// What stands for one literal of `all`: no conditions but the rule's places.
    pub(crate) fn helper(rule: &Rule, index: u32) -> Self {
        Self {
            rule: index,
            helper: true,
            attack: rule.attack,
            points: 0,
            places: rule.places.clone(),
            word: Word::None,
            regex: None,
            window: (0, 0),
            requires: Vec::new(),
            in_wire: false,
        }
    }

    /// True if the rule needs no company to convict. Those that speak against an attack may always do so.
    pub(crate) fn stands_alone(&self) -> bool {
        self.points < 0 || self.points >= ALERT && self.requires.is_empty()
    }

    fn looks_at(&self, view: View<'_>, literal: &Range<u32>) -> bool {
        let range = literal.start as usize..literal.end as usize;
        self.holds(view) && stands_alone(self.word, &view.views.lower, &range)
    }

    fn holds(&self, view: View<'_>) -> bool {
        self.places.hold(view.field.group, || view.views.header_name(view.field.point))
    }
}
