//! Target, headers and cookies.

use super::extract::Extractor;
use super::names::Names;
use super::value::{How, Value};
use super::{DecoderSet, Group, ParserSet, PointId, PointKind};
use crate::decode::base64;
use crate::parse::{pairs, target};
use crate::request::Header;

/// Methods that need no look.
const COMMON_METHODS: [&[u8]; 7] =
    [b"GET", b"POST", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"PATCH"];

impl Extractor<'_> {
    pub(super) fn target(&mut self, method: &[u8], uri: &[u8]) {
        if !COMMON_METHODS.contains(&method) {
            let point = self.views.points.plain(None, PointKind::Method);
            self.value(Value::head(point, Group::Method, method, How::Plain));
        }
        let point = self.views.points.plain(None, PointKind::Uri);
        self.lone_view(point, Group::Uri, uri, DecoderSet::NONE);
        let parts = target::split(uri);
        self.value(Value::head(point, Group::Path, parts.path, How::Url));
        self.segments(point, parts.path);
        self.query(point, parts.query);
        self.read_pending();
    }

    /// Segments name the place of an attack more precisely; what a plain one says is seen in the whole path as well, unless it is
    /// base64.
    fn segments(&mut self, uri: PointId, path: &[u8]) {
        for segment in target::segments(path) {
            if self.done() {
                return;
            }
            let (target::Segment::Directory(_, raw)
            | target::Segment::ActionName(raw)
            | target::Segment::ActionExt(raw)) = segment;
            let plain = raw.iter().all(|byte| is_plain_path(*byte));
            let base64 = !self.off(ParserSet::BASE64)
                && base64::may_be_text(raw)
                && base64::decode(raw, &mut self.work.unpacked);
            if plain && !base64 {
                continue;
            }
            let point = match segment {
                _ if !self.room_for_point() => uri,
                target::Segment::Directory(i, _) => {
                    self.views.points.index(None, PointKind::Path, i)
                }
                target::Segment::ActionName(_) => {
                    self.views.points.plain(None, PointKind::ActionName)
                }
                target::Segment::ActionExt(_) => {
                    self.views.points.plain(None, PointKind::ActionExt)
                }
            };
            self.value(Value::head(point, Group::Path, raw, How::Url));
        }
    }

    fn query(&mut self, uri: PointId, query: &[u8]) {
        let point = self.views.points.plain(None, PointKind::GetName);
        let names = Names { point, group: Group::QueryName, depth: 0, scope: 0 };
        self.pairs(Value::head(uri, Group::Query, query, How::Form), names, PointKind::Get);
    }

    pub(super) fn headers(&mut self, headers: &[Header<'_>]) {
        let point = self.views.points.plain(None, PointKind::HeaderName);
        let names = Names { point, group: Group::HeaderName, depth: 0, scope: 0 };
        let cookies = !self.off(ParserSet::COOKIE);
        for header in headers.iter().filter(|header| !header.helper) {
            if self.done() {
                return;
            }
            self.name(header.name, How::Plain, names);
            let own = cookies && is_cookie(header);
            if !header.value.is_empty() && !own {
                let point = self.top_point(names.point, PointKind::Header, header.name);
                self.value(Value::head(point, Group::Header, header.value, How::Plain));
            }
        }
        self.joined_names(names);
        let cookies =
            headers.iter().filter(|header| cookies && !header.helper && is_cookie(header));
        for header in cookies {
            let point = self.top_point(names.point, PointKind::Header, header.name);
            self.cookies(point, header.value);
        }
        self.read_pending();
    }

    fn cookies(&mut self, header: PointId, value: &[u8]) {
        let point = self.plain_point(header, PointKind::CookieName);
        let names = Names { point, group: Group::CookieName, depth: 0, scope: 0 };
        let mut odd = false;
        for pair in pairs::cookies(value) {
            if self.done() {
                break;
            }
            odd |= !self.name(pair.name, How::Url, names);
            let raw = pair.value.unwrap_or_default();
            if !raw.is_empty() {
                let point = self.named_point(header, PointKind::Cookie, pair.name);
                self.value(Value::head(point, Group::Cookie, raw, How::Url));
            }
        }
        self.joined_names(names);
        if odd {
            // A semicolon may have torn a value apart.
            self.value(Value::head(header, Group::Cookie, value, How::Url));
        }
    }
}

impl<'a> Value<'a> {
    /// A value that no other parser stands above.
    fn head(point: PointId, group: Group, raw: &'a [u8], how: How) -> Value<'a> {
        Value { point, group, raw, how, depth: 0, decoders: DecoderSet::NONE }
    }
}

fn is_cookie(header: &Header<'_>) -> bool {
    header.name.eq_ignore_ascii_case(b"cookie")
}

fn is_plain_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'_' | b'-' | b'~')
}
