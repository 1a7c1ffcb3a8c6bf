//! XML documents: text, attributes, comments, instructions and document types as values, and the document as a whole.

use super::document::Level;
use super::extract::Extractor;
use super::value::{How, Value};
use super::{Anomalies, PointId, PointKind};
use crate::parse::entities::Entities;
use crate::parse::xml::{Scanner, Token};

/// Where a document stands, and what is counted in it.
struct Walk<'a> {
    document: Value<'a>,
    /// Tags open beyond the limit.
    too_deep: u32,
    comments: u32,
    instructions: u32,
    doctype: Option<PointId>,
    declared: u32,
    entities: Entities<'a>,
    /// An end tag without a start tag.
    odd: bool,
}

impl Extractor<'_> {
    /// Emits a document. `document.point` is its `xml`.
    pub(super) fn xml(&mut self, document: Value<'_>) {
        let whole = self.views.fields.len();
        self.value(Value { how: How::Xml, ..document });
        self.work.levels.clear();
        let mut walk = Walk {
            document,
            too_deep: 0,
            comments: 0,
            instructions: 0,
            doctype: None,
            declared: 0,
            entities: Entities::default(),
            odd: false,
        };
        let mut scanner = Scanner::new(document.raw);
        for token in scanner.by_ref() {
            if !self.pay(0) {
                return;
            }
            self.markup(&mut walk, token);
        }
        if scanner.odd || walk.odd || !self.work.levels.is_empty() {
            self.annotate(Some(whole), Anomalies::BAD_XML, 0);
        }
        self.entity_bomb(&mut walk, whole);
    }

    fn markup<'a>(&mut self, walk: &mut Walk<'a>, token: Token<'a>) {
        match token {
            Token::Open(name) => self.open_tag(walk, name),
            Token::Close if walk.too_deep > 0 => walk.too_deep -= 1,
            Token::Close => walk.odd |= self.work.levels.pop().is_none(),
            // Names of schemas are URLs and no values.
            Token::Attribute { name, .. } if name.starts_with(b"xmlns") => {}
            Token::Attribute { value: [], .. } => {}
            Token::Attribute { name, value } => {
                let tag = self.innermost(walk);
                let point = self.named_point(tag, PointKind::XmlAttr, name);
                self.text(walk, point, value);
            }
            Token::Text(text) => {
                let point = self.innermost(walk);
                self.text(walk, point, text);
            }
            Token::Comment(text) => {
                let tag = self.innermost(walk);
                let point = self.index_point(tag, PointKind::XmlComment, walk.comments);
                walk.comments = walk.comments.saturating_add(1);
                self.text(walk, point, text);
            }
            Token::Instruction(text) if is_plain_declaration(text) => {}
            Token::Instruction(text) => {
                let tag = self.innermost(walk);
                let point = self.index_point(tag, PointKind::XmlPi, walk.instructions);
                walk.instructions = walk.instructions.saturating_add(1);
                self.text(walk, point, text);
            }
            Token::Doctype(text) => {
                let point = self.plain_point(walk.document.point, PointKind::XmlDtd);
                walk.doctype = Some(point);
                if !text.eq_ignore_ascii_case(b"html") {
                    self.text(walk, point, text);
                }
            }
            Token::Entity { name, value } => self.entity(walk, name, value),
        }
    }

    fn text(&mut self, walk: &Walk<'_>, point: PointId, raw: &[u8]) {
        self.value(Value { point, raw, how: How::XmlText, ..walk.document });
    }

    fn entity<'a>(&mut self, walk: &mut Walk<'a>, name: &'a [u8], value: &'a [u8]) {
        let dtd = walk.doctype.unwrap_or(walk.document.point);
        let point = self.index_point(dtd, PointKind::XmlDtdEntity, walk.declared);
        walk.declared = walk.declared.saturating_add(1);
        self.text(walk, point, value);
        if walk.entities.len() < self.limits.fan_out as usize {
            walk.entities.declare(name, value);
        } else {
            self.too_many();
        }
    }

    /// Nothing is expanded, but whoever does would run out of memory.
    fn entity_bomb(&mut self, walk: &mut Walk<'_>, whole: usize) {
        if walk.entities.len() == 0 {
            return;
        }
        let document = walk.document.raw;
        let most = u64::from(self.limits.inflated_bytes);
        let fits = walk.entities.measure(most, |bytes| self.pay(bytes));
        let expanded = walk.entities.expanded(document);
        let ratio = (document.len() as u64).saturating_mul(super::body::BOMB_RATIO as u64);
        if !fits || (expanded > most && expanded > ratio) {
            self.annotate(Some(whole), Anomalies::ENTITY_BOMB, 0);
            self.bomb(walk.document.point);
        }
    }

    fn open_tag(&mut self, walk: &mut Walk<'_>, name: &[u8]) {
        if walk.too_deep > 0 || self.work.levels.len() >= usize::from(self.limits.nesting) {
            self.too_deep();
            walk.too_deep += 1;
            return;
        }
        let parent = self.innermost(walk);
        let point = self.named_point(parent, PointKind::XmlTag, name);
        self.work.levels.push(Level { point, array: false, index: 0, scope: 0 });
    }

    fn innermost(&self, walk: &Walk<'_>) -> PointId {
        self.work.levels.last().map_or(walk.document.point, |level| level.point)
    }
}

/// True for an XML declaration in which nothing else stands.
fn is_plain_declaration(text: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b" =\"'.-_\t\r\n".contains(byte);
    text.starts_with(b"xml ") && text.iter().all(plain)
}
