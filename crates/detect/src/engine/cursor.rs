//! The walk through views and occurrences, which judges one value after the other.

use super::{Engine, Value, Wanted, VIEW_STEPS};
use crate::judge::{self, SUSPECT};
use crate::limits::Budget;
use crate::matcher::Occurrence;
use crate::model::{Best, Windows};
use crate::score::{Points, Tally, View, ALERT};
use crate::tokens::Context;
use crate::views::{DecoderSet, Reading, Views};

/// Steps for a byte of a value that the model reads.
const READ_STEPS: usize = 4;

/// Maps occurrences to views while both move forward. Neighbouring views of one value are judged together.
pub(super) struct Cursor<'a, S> {
    engine: &'a Engine,
    views: &'a Views,
    tally: &'a mut Tally,
    windows: &'a mut Windows,
    pub(super) spent: &'a mut Budget,
    wanted: Wanted,
    sink: S,
    /// The current view.
    index: u32,
    /// The current view was entered.
    open: bool,
    /// The first and the last view of the current value.
    value: Option<(View<'a>, View<'a>)>,
    /// The budget was too small for the model to read a value.
    pub(super) short: bool,
}

impl<'a, S: FnMut(&Views, Value<'_>)> Cursor<'a, S> {
    pub(super) fn new(
        engine: &'a Engine,
        views: &'a Views,
        (tally, windows): (&'a mut Tally, &'a mut Windows),
        spent: &'a mut Budget,
        wanted: Wanted,
        sink: S,
    ) -> Self {
        let (index, open, value, short) = (0, false, None, false);
        Self { engine, views, tally, windows, spent, wanted, sink, index, open, value, short }
    }

    /// False if the budget is used up.
    pub(super) fn occurrence(&mut self, occurrence: Occurrence) -> bool {
        if !self.skip_to(occurrence.at + 1) {
            return false;
        }
        let Engine { matcher, compiled, .. } = self.engine;
        let (Some(view), Some((literal, rules))) = (self.view(), matcher.rules(occurrence)) else {
            return true;
        };
        rules
            .iter()
            .all(|&rule| self.tally.literal(compiled, rule, view, literal.clone(), self.spent))
    }

    /// Goes on to the view that holds the byte before `end`. False if the budget is used up.
    pub(super) fn skip_to(&mut self, end: u32) -> bool {
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
        match &mut self.value {
            Some((first, last)) if first.field.value == view.field.value => *last = view,
            _ => {
                self.end_value();
                self.tally.next_value();
                self.value = Some((view, view));
            }
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

    /// Judges the current value, which has been walked through.
    pub(super) fn end_value(&mut self) {
        let Some((first, last)) = self.value.take() else { return };
        let (counted, rules) =
            self.tally.end_value(&self.engine.compiled, first.field.group.is_wire());
        let reading = match last.field.reading {
            Reading::Plain if is_cut(first, last) => first.field.reading,
            reading => reading,
        };
        let read = match self.wanted {
            Wanted::Suspect => reading == Reading::Read && judge::strongest(&rules) < ALERT,
            Wanted::Telling => reading == Reading::Read,
            Wanted::All => reading != Reading::Elsewhere,
        };
        let mut reader = Reader { engine: self.engine, views: self.views, windows: self.windows };
        let mut context = None;
        let (mut best, mut shown) = (None, last);
        if read {
            match reader.read(first, last, self.spent) {
                Ok(Some(found)) => (context, best, shown) = (Some(found.0), found.1, found.2),
                Ok(None) => {}
                Err(Exhausted) => self.short = true,
            }
        }
        if context.is_none() && counted.is_empty() {
            return;
        }
        let score = judge::score(&rules, best);
        let wanted = match self.wanted {
            Wanted::Suspect => score >= SUSPECT,
            Wanted::Telling | Wanted::All => context.is_some() || !counted.is_empty(),
        };
        if wanted {
            let (point, plain) = (first.field.point, reading != Reading::Read);
            let windows = &mut *self.windows;
            (self.sink)(
                self.views,
                Value { point, counted, rules, score, context, plain, windows, best, shown },
            );
        }
    }

    pub(super) fn view(&self) -> Option<View<'a>> {
        let field = self.views.fields.get(self.index as usize)?;
        Some(View { views: self.views, field, index: self.index })
    }
}

/// The step budget does not suffice.
struct Exhausted;

/// Has the model read values.
struct Reader<'r, 'a> {
    engine: &'a Engine,
    views: &'a Views,
    windows: &'r mut Windows,
}

/// How a value was read, what its densest window weighs, and the view that this is about.
type Found<'a> = (Context, Option<Best>, View<'a>);

impl<'a> Reader<'_, 'a> {
    /// Reads the last view of a value; the first as well if comments were taken out between: some are comments to one language and text to
    /// another. Nothing if there is no context to read it in.
    fn read(
        &mut self,
        first: View<'a>,
        last: View<'a>,
        spent: &mut Budget,
    ) -> Result<Option<Found<'a>>, Exhausted> {
        if !is_cut(first, last) {
            return self.one(last, spent);
        }
        let whole = self.one(first, spent)?;
        let found = self.one(last, spent)?;
        if weight(&whole) > weight(&found) {
            // The tokens kept are those of the view read last.
            return self.one(first, spent);
        }
        Ok(found)
    }

    fn one(&mut self, view: View<'a>, spent: &mut Budget) -> Result<Option<Found<'a>>, Exhausted> {
        // A line end behind a payload says how it was sent and not what it is.
        let text = self.views.lower_bytes(view.field).trim_ascii_end();
        let Some(context) = judge::place(view.field.group, text) else { return Ok(None) };
        if !spent.spend(text.len().saturating_mul(READ_STEPS)) {
            return Err(Exhausted);
        }
        let model = &self.engine.model;
        self.windows.read(model, context, text);
        Ok(Some((context, self.windows.best(model), view)))
    }
}

/// True if comments were taken out between the two views of a value.
fn is_cut(first: View<'_>, last: View<'_>) -> bool {
    first.index != last.index && last.field.decoders.contains(DecoderSet::COMMENT)
}

fn weight(found: &Option<Found<'_>>) -> Points {
    found.map_or(Points::MIN, |(_, best, _)| best.map_or(0, |best| best.points))
}
