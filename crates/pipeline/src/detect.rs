//! The names of the engine that this crate uses, in one place.

use std::sync::Arc;

pub(crate) use wallarm_detect::{Engine, Header, Limits, Request, Scope, Scratch, Verdict};

/// What a scan thread runs on every request. The engine is the only one outside tests.
pub(crate) trait Inspect: Send + Sync {
    fn inspect(&self, request: &Request<'_>, scratch: &mut Scratch) -> Verdict;
}

/// The engine with the limits of this configuration.
pub(crate) struct Rules {
    pub(crate) engine: Arc<Engine>,
    pub(crate) limits: Limits,
}

impl Inspect for Rules {
    fn inspect(&self, request: &Request<'_>, scratch: &mut Scratch) -> Verdict {
        self.engine.scan(request, &self.limits, scratch)
    }
}
