//! The names of the engine that this crate uses, in one place.

use std::sync::Arc;

pub(crate) use wallarm_detect::{
    Engine, Header, Limits, ParserSet, Request, Scope, Scratch, Verdict,
};

/// What a scan thread runs on every request. The engine is the only one outside tests.
pub(crate) trait Inspect: Send + Sync {
    /// `disabled`: parsers that the request's location switched off.
    fn inspect(&self, request: &Request<'_>, disabled: ParserSet, scratch: &mut Scratch)
        -> Verdict;
}

/// The engine with the limits of this configuration.
pub(crate) struct Rules {
    pub(crate) engine: Arc<Engine>,
    pub(crate) limits: Limits,
}

impl Inspect for Rules {
    fn inspect(
        &self,
        request: &Request<'_>,
        disabled: ParserSet,
        scratch: &mut Scratch,
    ) -> Verdict {
        let limits = Limits { disabled, ..self.limits.clone() };
        self.engine.scan(request, &limits, scratch)
    }
}
