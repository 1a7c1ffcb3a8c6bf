//! JSON documents and forms, at the top of a body or inside a value.

use super::extract::Extractor;
use super::names::Names;
use super::value::{How, Value};
use super::{Anomalies, PointId, PointKind};
use crate::parse::json::{Scanner, Token};
use crate::parse::pairs;

/// One open object, array or tag.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    pub(super) point: PointId,
    pub(super) array: bool,
    /// Elements so far.
    pub(super) index: u32,
    /// Number of the object, from 1.
    pub(super) scope: u32,
}

impl Extractor<'_> {
    /// Emits the keys and strings of a document. `document.point` is its `json_doc`. True if that was all of it.
    pub(super) fn json(&mut self, document: Value<'_>) -> bool {
        let point = self.plain_point(document.point, PointKind::HashName);
        let names = Names { point, group: document.group.names(), depth: document.depth, scope: 0 };
        let mut walk = Walk { document, names, key: None, too_deep: 0, objects: 0 };
        let mut scanner = Scanner::new(document.raw);
        self.work.levels.clear();
        for token in scanner.by_ref() {
            if !self.pay(0) {
                break;
            }
            self.token(&mut walk, token);
        }
        self.joined_names(names);
        if scanner.odd {
            // Not what it seemed to be: as one value nothing is torn apart.
            let whole = self.views.fields.len();
            self.value(Value { how: How::Document, ..document });
            self.annotate(Some(whole), Anomalies::BAD_JSON, 0);
        }
        !scanner.odd && !self.done()
    }

    fn token<'a>(&mut self, walk: &mut Walk<'a>, token: Token<'a>) {
        match token {
            Token::Object | Token::Array => self.open(walk, token == Token::Array),
            Token::Close if walk.too_deep > 0 => walk.too_deep -= 1,
            Token::Close => {
                self.work.levels.pop();
                walk.key = None;
            }
            Token::Key(name) => {
                walk.key = Some(name);
                let scope = match walk.too_deep {
                    0 => self.work.levels.last().map_or(0, |level| level.scope),
                    _ => walk.next_object(),
                };
                self.name(name, How::Json, Names { scope, ..walk.names });
            }
            Token::Scalar => self.skip_element(walk),
            Token::Text(raw) | Token::Bare(raw) if raw.is_empty() => self.skip_element(walk),
            Token::Text(raw) | Token::Bare(raw) => {
                let point = self.element(walk);
                self.value(Value { point, raw, how: How::Json, ..walk.document });
            }
        }
    }

    fn open(&mut self, walk: &mut Walk<'_>, array: bool) {
        if walk.too_deep > 0 || self.work.levels.len() >= usize::from(self.limits.nesting) {
            self.too_deep();
            walk.too_deep += 1;
            return;
        }
        let point = self.element(walk);
        let scope = walk.next_object();
        self.work.levels.push(Level { point, array, index: 0, scope });
    }

    /// The point of the element that starts here.
    fn element(&mut self, walk: &mut Walk<'_>) -> PointId {
        let key = walk.key.take();
        let Some(level) = self.work.levels.last().copied() else { return walk.document.point };
        if walk.too_deep > 0 {
            return level.point;
        }
        match key {
            Some(name) => self.named_point(level.point, PointKind::Hash, name),
            None if level.array => {
                self.count_element();
                self.index_point(level.point, PointKind::Array, level.index)
            }
            None => level.point,
        }
    }

    fn skip_element(&mut self, walk: &mut Walk<'_>) {
        walk.key = None;
        if walk.too_deep == 0 {
            self.count_element();
        }
    }

    fn count_element(&mut self) {
        if let Some(level) = self.work.levels.last_mut() {
            level.index = level.index.saturating_add(1);
        }
    }

    /// Emits names and values of a form. `form.point` is the place of the whole form.
    pub(super) fn form(&mut self, form: Value<'_>) {
        let point = self.plain_point(form.point, PointKind::FormUrlencodedName);
        let names = Names { point, group: form.group.names(), depth: form.depth, scope: 0 };
        self.pairs(form, names, PointKind::FormUrlencoded);
    }

    /// Emits names and values of a form or query, `kind` says which.
    pub(super) fn pairs(&mut self, whole: Value<'_>, names: Names, kind: PointKind) {
        let mut odd = false;
        self.work.arrays.clear();
        for pair in pairs::form(whole.raw) {
            if self.done() {
                break;
            }
            odd |= !self.name(pair.name, How::Form, names);
            let raw = pair.value.unwrap_or_default();
            if !raw.is_empty() {
                let point = self.pair_point(whole.point, kind);
                self.value(Value { point, raw, how: How::Form, ..whole });
            }
        }
        if self.joined_names(names) {
            self.pollution(whole, kind);
        }
        if odd {
            // Unencoded `&` or `=` may have torn a value apart.
            self.value(Value { how: How::Form, ..whole });
        }
    }
}

/// The state of one document.
struct Walk<'a> {
    document: Value<'a>,
    names: Names,
    key: Option<&'a [u8]>,
    /// Levels open beyond the limit.
    too_deep: u32,
    objects: u32,
}

impl Walk<'_> {
    fn next_object(&mut self) -> u32 {
        self.objects = self.objects.wrapping_add(1);
        self.objects
    }
}
