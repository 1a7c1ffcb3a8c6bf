//! Values in the format of PHP's `serialize`.

use super::extract::Extractor;
use super::names::Names;
use super::value::{How, Value};
use super::{Anomalies, PointId, PointKind};
use crate::parse::php::{Scanner, Token};

/// An open array or object.
#[derive(Clone, Copy)]
struct Level {
    point: PointId,
    /// Where the value goes whose key was read.
    element: Option<PointId>,
}

impl Extractor<'_> {
    /// Emits keys, classes and strings. `serialised.point` is its `php`.
    pub(super) fn php(&mut self, serialised: Value<'_>) {
        let point = self.plain_point(serialised.point, PointKind::HashName);
        let group = serialised.group.names();
        let names = Names { point, group, depth: serialised.depth, scope: 0 };
        let mut open: Vec<Level> = Vec::new();
        let mut too_deep = 0u32;
        let mut scanner = Scanner::new(serialised.raw);
        let first = self.views.fields.len();
        for token in scanner.by_ref() {
            if !self.pay(0) {
                break;
            }
            match token {
                Token::Open if open.len() >= usize::from(self.limits.nesting) => {
                    self.too_deep();
                    too_deep = too_deep.saturating_add(1);
                }
                Token::Open => {
                    let point = element(&mut open, serialised.point);
                    open.push(Level { point, element: None });
                }
                Token::Close if too_deep > 0 => too_deep -= 1,
                Token::Close => {
                    open.pop();
                }
                Token::Class(raw) => {
                    let point = self.plain_point(serialised.point, PointKind::PhpClass);
                    self.value(Value { point, raw, how: How::Plain, ..serialised });
                }
                Token::Text(raw) => match open.last().copied() {
                    Some(level) if level.element.is_none() && too_deep == 0 => {
                        self.name(raw, How::Plain, names);
                        let point = self.named_point(level.point, PointKind::Hash, raw);
                        set_key(&mut open, point);
                    }
                    _ => {
                        let point = element(&mut open, serialised.point);
                        self.value(Value { point, raw, how: How::Plain, ..serialised });
                    }
                },
                Token::Integer(index) => match open.last().copied() {
                    Some(level) if level.element.is_none() && too_deep == 0 => {
                        let point = self.index_point(level.point, PointKind::Array, index);
                        set_key(&mut open, point);
                    }
                    _ => {
                        element(&mut open, serialised.point);
                    }
                },
                Token::Scalar => {
                    element(&mut open, serialised.point);
                }
            }
        }
        // Keys of different objects may be the same.
        self.work.keys.clear();
        self.joined_names(names);
        if scanner.odd {
            self.annotate(Some(first), Anomalies::BAD_BINARY, 0);
        }
    }
}

fn set_key(open: &mut [Level], point: PointId) {
    if let Some(level) = open.last_mut() {
        level.element = Some(point);
    }
}

/// The place of the value that comes next; a key is due after it.
fn element(open: &mut [Level], top: PointId) -> PointId {
    match open.last_mut() {
        Some(level) => level.element.take().unwrap_or(level.point),
        None => top,
    }
}
