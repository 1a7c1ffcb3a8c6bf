//! The walk through views and occurrences, which judges one value after the other.

use super::{Engine, Value, Wanted, VIEW_STEPS};
use crate::judge::{self, SUSPECT};
use crate::limits::Budget;
use crate::matcher::Occurrence;
use crate::model::Windows;
use crate::score::{Tally, View, ALERT};
use crate::views::{Field, Views};

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
    value: Option<(&'a Field, View<'a>)>,
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
            Some((first, last)) if first.value == view.field.value => *last = view,
            _ => {
                self.end_value();
                self.tally.next_value();
                self.value = Some((view.field, view));
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
        let Engine { compiled, model, .. } = self.engine;
        let (counted, rules) = self.tally.end_value(compiled, first.group.is_wire());
        // A line end behind a payload says how it was sent and not what it is.
        let text = self.views.lower_bytes(last.field).trim_ascii_end();
        let plain = last.field.mute;
        let unread = match self.wanted {
            Wanted::Suspect => plain || judge::strongest(&rules) >= ALERT,
            Wanted::Telling => plain,
            Wanted::All => false,
        };
        let mut context = if unread { None } else { judge::place(first.group, text) };
        if context.is_some() && !self.spent.spend(text.len().saturating_mul(READ_STEPS)) {
            self.short = true;
            context = None;
        }
        if context.is_none() && counted.is_empty() {
            return;
        }
        let best = context.and_then(|context| {
            self.windows.read(model, context, text);
            self.windows.best(model)
        });
        let score = judge::score(&rules, best);
        let wanted = match self.wanted {
            Wanted::Suspect => score >= SUSPECT,
            Wanted::Telling | Wanted::All => context.is_some() || !counted.is_empty(),
        };
        if wanted {
            let (point, windows) = (first.point, &mut *self.windows);
            (self.sink)(
                self.views,
                Value { point, counted, rules, score, context, plain, windows, best, last },
            );
        }
    }

    pub(super) fn view(&self) -> Option<View<'a>> {
        let field = self.views.fields.get(self.index as usize)?;
        Some(View { views: self.views, field, index: self.index })
    }
}
