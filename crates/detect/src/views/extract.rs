//! Walks through a request and emits its views.

use super::{Field, Group, PointId, PointKind, Views, SEPARATOR};
use crate::limits::{Budget, Limits, LimitsHit};
use crate::request::{Request, Scope};
use crate::views::{Anomalies, DecoderSet};

pub(super) fn extract(
    views: &mut Views,
    request: &Request<'_>,
    limits: &Limits,
    spent: &mut Budget,
    hit: &mut LimitsHit,
) {
    let most = limits.view_budget(request.len());
    let mut extractor = Extractor { views, spent, hit, most };
    if request.scope == Scope::Whole {
        extractor.target(request.uri);
        extractor.headers(request);
    }
    let post = extractor.views.points.plain(None, PointKind::Post);
    extractor.view(post, Group::RawBody, request.body);
}

struct Extractor<'v> {
    views: &'v mut Views,
    spent: &'v mut Budget,
    hit: &'v mut LimitsHit,
    most: usize,
}

impl Extractor<'_> {
    fn target(&mut self, uri: &[u8]) {
        let point = self.views.points.plain(None, PointKind::Uri);
        self.view(point, Group::Uri, uri);
        let (path, query) = match memchr::memchr(b'?', uri) {
            Some(at) => uri.split_at(at),
            None => (uri, &b""[..]),
        };
        self.view(point, Group::Path, path);
        for pair in query.strip_prefix(b"?").unwrap_or(query).split(|byte| *byte == b'&') {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = halves.next().unwrap_or_default();
            let value = halves.next().unwrap_or_default();
            let point = self.views.points.named(None, PointKind::Get, name);
            self.view(point, Group::Query, value);
        }
    }

    fn headers(&mut self, request: &Request<'_>) {
        for header in request.headers.iter().filter(|header| !header.helper) {
            let point = self.views.points.named(None, PointKind::Header, header.name);
            self.view(point, Group::Header, header.value);
        }
    }

    /// Appends one view; false if there is no room left.
    fn view(&mut self, point: PointId, group: Group, bytes: &[u8]) -> bool {
        if bytes.is_empty() {
            return true;
        }
        if !self.spent.spend(bytes.len()) {
            self.hit.overlimit_res = true;
            return false;
        }
        let text = &mut self.views.text;
        if text.len() + bytes.len() >= self.most {
            self.hit.view_bytes = true;
            return false;
        }
        let start = text.len() as u32;
        text.extend_from_slice(bytes);
        let end = text.len() as u32;
        text.push(SEPARATOR);
        self.views.fields.push(Field {
            point,
            start,
            end,
            decoders: DecoderSet::NONE,
            anomalies: Anomalies::NONE,
            group,
            rounds: 0,
        });
        true
    }
}
