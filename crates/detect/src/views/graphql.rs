//! GraphQL documents: strings and comments as values, names together, nothing of a schema.

use super::document::Level;
use super::extract::Extractor;
use super::names::Names;
use super::value::{How, Value};
use super::{Anomalies, PointId, PointKind};
use crate::parse::graphql::{Scanner, Token};

struct Walk<'a> {
    document: Value<'a>,
    /// The operation or fragment that is being read, and the types that it was narrowed to.
    place: PointId,
    /// The keyword that began it, until its brace opens.
    keyword: Option<PointKind>,
    /// The name read last.
    name: &'a [u8],
    before: Before,
    /// The type after `on`, until its brace opens.
    condition: &'a [u8],
    /// What the next string stands in, from the outside in: see [`PARTS`].
    parts: [Part<'a>; PARTS.len()],
    selections: u32,
    parentheses: u32,
    aliases: u32,
    odd: bool,
}

/// The token just read, as far as it says what the next one means.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Before {
    #[default]
    Other,
    Sign(u8),
    Spread,
    /// The word before the type of a fragment.
    On,
}

/// Elements of a string's point below the operation.
const PARTS: [PointKind; 4] =
    [PointKind::GqlAlias, PointKind::GqlVar, PointKind::GqlDir, PointKind::GqlArg];
const ALIAS: usize = 0;
const VARIABLE: usize = 1;
const DIRECTIVE: usize = 2;
const ARGUMENT: usize = 3;

/// One of them; without a name it is not there. Its point is made once, however many strings stand in it.
#[derive(Clone, Copy, Default)]
struct Part<'a> {
    name: &'a [u8],
    point: Option<PointId>,
}

impl<'a> Walk<'a> {
    fn new(document: Value<'a>) -> Walk<'a> {
        Walk {
            document,
            place: document.point,
            keyword: None,
            name: &[],
            before: Before::Other,
            condition: &[],
            parts: Default::default(),
            selections: 0,
            parentheses: 0,
            aliases: 0,
            odd: false,
        }
    }

    /// Enters a part, or leaves it if the name is empty, and leaves those inside it.
    fn enter(&mut self, part: usize, name: &'a [u8]) {
        let parts = self.parts.get_mut(part..).unwrap_or_default();
        parts.fill(Part::default());
        if let Some(first) = parts.first_mut() {
            first.name = name;
        }
    }

    fn is_in(&self, part: usize) -> bool {
        self.parts.get(part).is_some_and(|part| !part.name.is_empty())
    }
}

impl Extractor<'_> {
    /// Emits a document. `document.point` is its `gql`.
    pub(super) fn graphql(&mut self, document: Value<'_>) {
        let names = Names {
            point: document.point,
            group: document.group.names(),
            depth: document.depth,
            scope: 0,
        };
        let mut walk = Walk::new(document);
        self.work.levels.clear();
        let mut scanner = Scanner::new(document.raw);
        for token in scanner.by_ref() {
            if !self.pay(0) {
                break;
            }
            self.graphql_token(&mut walk, token);
        }
        self.joined_names(names);
        if scanner.odd || walk.odd || walk.selections + walk.parentheses > 0 {
            // Not what it seemed to be: as one value nothing is torn apart.
            let whole = self.views.fields.len();
            self.value(Value { how: How::Document, ..document });
            self.annotate(Some(whole), Anomalies::BAD_GRAPHQL, 0);
        }
    }

    fn graphql_token<'a>(&mut self, walk: &mut Walk<'a>, token: Token<'a>) {
        let before = std::mem::take(&mut walk.before);
        match token {
            Token::Name(name) => self.graphql_name(walk, name, before),
            Token::Text(raw) => {
                let point = self.graphql_point(walk);
                self.value(Value { point, raw, how: How::Json, ..walk.document });
            }
            Token::Comment(raw) => {
                let point = walk.place;
                self.value(Value { point, raw, how: How::Document, ..walk.document });
                walk.before = before;
            }
            Token::Sign(sign) => {
                self.graphql_sign(walk, sign);
                walk.before = Before::Sign(sign);
            }
            Token::Spread => walk.before = Before::Spread,
            Token::Number => {}
        }
    }

    /// The point of a string that stands here.
    fn graphql_point(&mut self, walk: &mut Walk<'_>) -> PointId {
        let mut point = walk.place;
        if walk.parentheses == 0 {
            return point;
        }
        let there = walk.parts.iter_mut().zip(PARTS).filter(|(part, _)| !part.name.is_empty());
        for (part, kind) in there {
            let outer = point;
            point = *part.point.get_or_insert_with(|| self.named_point(outer, kind, part.name));
        }
        point
    }

    fn graphql_name<'a>(&mut self, walk: &mut Walk<'a>, name: &'a [u8], before: Before) {
        let top = walk.selections + walk.parentheses == 0;
        let keyword = if top { operation(name) } else { None };
        if keyword.is_some() {
            walk.keyword = keyword;
            walk.name = &[];
            return;
        }
        let keyword = if top && before == Before::Other { walk.keyword.take() } else { None };
        if let Some(kind) = keyword {
            walk.place = self.named_point(walk.document.point, kind, name);
        }
        match before {
            Before::On => walk.condition = name,
            Before::Sign(b'@') => walk.enter(DIRECTIVE, name),
            Before::Sign(b'$') if walk.selections == 0 => walk.enter(VARIABLE, name),
            // The field that an alias stands for.
            Before::Sign(b':') => {}
            Before::Spread if name == b"on" => walk.before = Before::On,
            Before::Other if name == b"on" && top && keyword.is_none() => walk.before = Before::On,
            _ if walk.parentheses == 0 => walk.enter(ALIAS, &[]),
            _ => {}
        }
        walk.name = name;
        self.work.names.extend_from_slice(name);
        self.work.names.push(b'&');
    }

    fn graphql_sign(&mut self, walk: &mut Walk<'_>, sign: u8) {
        match sign {
            b'{' if walk.parentheses == 0 => self.open_selection(walk),
            b'}' if walk.parentheses == 0 => self.close_selection(walk),
            b'(' => {
                self.begin_operation(walk);
                walk.parentheses = walk.parentheses.saturating_add(1);
            }
            b')' => {
                walk.odd |= walk.parentheses == 0;
                walk.parentheses = walk.parentheses.saturating_sub(1);
                walk.enter(if walk.parentheses == 0 { VARIABLE } else { DIRECTIVE }, &[]);
            }
            // The type of a variable is no argument, nor are the keys of its default.
            b':' if walk.is_in(VARIABLE) && !walk.is_in(DIRECTIVE) => {}
            b':' if walk.parentheses > 0 => walk.enter(ARGUMENT, walk.name),
            b':' => {
                walk.enter(ALIAS, walk.name);
                walk.aliases = walk.aliases.saturating_add(1);
                if walk.aliases == self.limits.fan_out + 1 {
                    self.too_many();
                }
            }
            _ => {}
        }
    }

    /// Names an operation that has no name of its own.
    fn begin_operation(&mut self, walk: &mut Walk<'_>) {
        if walk.selections == 0 && walk.parentheses == 0 && walk.place == walk.document.point {
            let kind = walk.keyword.take().unwrap_or(PointKind::GqlQuery);
            walk.place = self.plain_point(walk.document.point, kind);
        }
    }

    fn open_selection(&mut self, walk: &mut Walk<'_>) {
        self.begin_operation(walk);
        walk.keyword = None;
        walk.enter(ALIAS, &[]);
        walk.selections = walk.selections.saturating_add(1);
        if walk.selections == u32::from(self.limits.nesting) + 1 {
            self.too_deep();
        }
        let condition = std::mem::take(&mut walk.condition);
        if !condition.is_empty() && self.work.levels.len() < usize::from(self.limits.nesting) {
            let (point, index) = (walk.place, walk.selections);
            self.work.levels.push(Level { point, array: false, index, scope: 0 });
            walk.place = self.named_point(walk.place, PointKind::GqlType, condition);
        }
    }

    fn close_selection(&mut self, walk: &mut Walk<'_>) {
        walk.odd |= walk.selections == 0;
        walk.enter(ALIAS, &[]);
        if let Some(level) = self.work.levels.last().filter(|l| l.index == walk.selections) {
            walk.place = level.point;
            self.work.levels.pop();
        }
        walk.selections = walk.selections.saturating_sub(1);
        if walk.selections == 0 {
            walk.place = walk.document.point;
        }
    }
}

/// The kind of operation that a keyword begins.
fn operation(name: &[u8]) -> Option<PointKind> {
    match name {
        b"query" => Some(PointKind::GqlQuery),
        b"mutation" => Some(PointKind::GqlMutation),
        b"subscription" => Some(PointKind::GqlSubscription),
        b"fragment" => Some(PointKind::GqlFragment),
        _ => None,
    }
}
