//! XML documents: text and attributes as values, and the document as a whole.

use super::document::Level;
use super::extract::Extractor;
use super::value::{How, Value};
use super::{PointId, PointKind};
use crate::parse::xml::{Scanner, Token};

impl Extractor<'_> {
    /// Emits a document. `document.point` is its `xml`.
    pub(super) fn xml(&mut self, document: Value<'_>) {
        self.value(Value { how: How::Xml, ..document });
        self.work.levels.clear();
        let mut too_deep = 0u32;
        for token in Scanner::new(document.raw) {
            if !self.pay(0) {
                return;
            }
            match token {
                Token::Open(name) => self.open_tag(&mut too_deep, name, document.point),
                Token::Close if too_deep > 0 => too_deep -= 1,
                Token::Close => {
                    self.work.levels.pop();
                }
                // Names of schemas are URLs and no values.
                Token::Attribute { name, .. } if name.starts_with(b"xmlns") => {}
                Token::Attribute { value: [], .. } => {}
                Token::Attribute { name, value } => {
                    let tag = self.innermost(document.point);
                    let point = self.named_point(tag, PointKind::XmlAttr, name);
                    self.value(Value { point, raw: value, how: How::XmlText, ..document });
                }
                Token::Text(text) => {
                    let point = self.innermost(document.point);
                    self.value(Value { point, raw: text, how: How::XmlText, ..document });
                }
            }
        }
    }

    fn open_tag(&mut self, too_deep: &mut u32, name: &[u8], document: PointId) {
        if *too_deep > 0 || self.work.levels.len() >= usize::from(self.limits.nesting) {
            self.too_deep();
            *too_deep += 1;
            return;
        }
        let parent = self.innermost(document);
        let point = self.named_point(parent, PointKind::XmlTag, name);
        self.work.levels.push(Level { point, array: false, index: 0, scope: 0 });
    }

    fn innermost(&self, document: PointId) -> PointId {
        self.work.levels.last().map_or(document, |level| level.point)
    }
}
