//! A request of plain parts, for the tests and benches that make many.

use wallarm_detect::{Header, Request, Scope};

#[derive(Clone, Debug, Default)]
pub(crate) struct Sample {
    pub(crate) uri: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Sample {
    /// Calls `uses` with the request, which is a GET if there is no body.
    pub(crate) fn with<T>(&self, uses: impl FnOnce(&Request<'_>) -> T) -> T {
        let headers: Vec<Header<'_>> = self
            .headers
            .iter()
            .map(|(name, value)| Header {
                name: name.as_bytes(),
                value: value.as_bytes(),
                helper: false,
            })
            .collect();
        uses(&Request {
            method: if self.body.is_empty() { b"GET" } else { b"POST" },
            uri: self.uri.as_bytes(),
            protocol: b"HTTP/1.1",
            headers: &headers,
            body: &self.body,
            body_truncated: false,
            scope: Scope::Whole,
        })
    }
}
