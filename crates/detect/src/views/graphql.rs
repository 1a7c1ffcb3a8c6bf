//! GraphQL documents: strings and comments as values, names together, nothing of a schema.

use super::extract::Extractor;
use super::names::Names;
use super::value::{How, Value};
use super::{Anomalies, PointId, PointKind};
use crate::parse::graphql::{Scanner, Token};

struct Walk<'a> {
    document: Value<'a>,
    /// The operation or fragment that is being read.
    operation: PointId,
    /// The keyword that began it, until its brace opens.
    keyword: Option<PointKind>,
    /// The name read last, and the one before a colon inside parentheses.
    name: &'a [u8],
    argument: &'a [u8],
    selections: u32,
    parentheses: u32,
    aliases: u32,
    odd: bool,
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
        let mut walk = Walk {
            document,
            operation: document.point,
            keyword: None,
            name: &[],
            argument: &[],
            selections: 0,
            parentheses: 0,
            aliases: 0,
            odd: false,
        };
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
        match token {
            Token::Name(name) => self.graphql_name(walk, name),
            Token::Text(raw) => {
                let point = match (walk.parentheses, walk.argument) {
                    (0, _) | (_, []) => walk.operation,
                    (_, name) => self.named_point(walk.operation, PointKind::GqlArg, name),
                };
                self.value(Value { point, raw, how: How::Json, ..walk.document });
            }
            Token::Comment(raw) => {
                let point = walk.operation;
                self.value(Value { point, raw, how: How::Document, ..walk.document });
            }
            Token::Sign(sign) => self.graphql_sign(walk, sign),
            Token::Spread | Token::Number => {}
        }
    }

    fn graphql_name<'a>(&mut self, walk: &mut Walk<'a>, name: &'a [u8]) {
        let keyword = match name {
            b"query" => Some(PointKind::GqlQuery),
            b"mutation" => Some(PointKind::GqlMutation),
            b"subscription" => Some(PointKind::GqlSubscription),
            b"fragment" => Some(PointKind::GqlFragment),
            _ => None,
        };
        let top = walk.selections + walk.parentheses == 0;
        if top && keyword.is_some() {
            walk.keyword = keyword;
            walk.name = &[];
            return;
        }
        if let (true, Some(kind)) = (top, walk.keyword.take()) {
            walk.operation = self.named_point(walk.document.point, kind, name);
        }
        walk.name = name;
        self.work.names.extend_from_slice(name);
        self.work.names.push(b'&');
    }

    fn graphql_sign(&mut self, walk: &mut Walk<'_>, sign: u8) {
        match sign {
            b'{' if walk.parentheses == 0 => {
                if walk.selections == 0 && walk.operation == walk.document.point {
                    let kind = walk.keyword.unwrap_or(PointKind::GqlQuery);
                    walk.operation = self.plain_point(walk.document.point, kind);
                }
                walk.keyword = None;
                walk.selections = walk.selections.saturating_add(1);
                if walk.selections == u32::from(self.limits.nesting) + 1 {
                    self.too_deep();
                }
            }
            b'}' if walk.parentheses == 0 => {
                walk.odd |= walk.selections == 0;
                walk.selections = walk.selections.saturating_sub(1);
                if walk.selections == 0 {
                    walk.operation = walk.document.point;
                }
            }
            b'(' => walk.parentheses = walk.parentheses.saturating_add(1),
            b')' => {
                walk.odd |= walk.parentheses == 0;
                walk.parentheses = walk.parentheses.saturating_sub(1);
                walk.argument = &[];
            }
            b':' if walk.parentheses > 0 => walk.argument = walk.name,
            b':' => {
                walk.aliases = walk.aliases.saturating_add(1);
                if walk.aliases == self.limits.fan_out + 1 {
                    self.too_many();
                }
            }
            _ => {}
        }
    }
}
