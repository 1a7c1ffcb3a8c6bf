//! Events and counters as a reader of the attack log and the status page sees them.

use std::path::Path;

use serde_json::Value;

/// One line of the attack log.
#[derive(Debug)]
pub(crate) struct Event(pub(crate) Value);

impl Event {
    /// Every whole line of a log; a line without its newline is still being written.
    pub(crate) fn read(path: &Path) -> Vec<Self> {
        let text = std::fs::read(path).unwrap_or_default();
        let text = String::from_utf8(text).expect("the attack log is UTF-8");
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let parse = |line: &str| {
            Self(serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line:?}")))
        };
        whole.lines().map(parse).collect()
    }

    /// A text field; a missing one is an error of the event.
    pub(crate) fn str(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or_else(|| panic!("no text {name:?} in {self:#?}"))
    }

    pub(crate) fn num(&self, name: &str) -> i64 {
        self.0[name].as_i64().unwrap_or_else(|| panic!("no number {name:?} in {self:#?}"))
    }

    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        let list =
            self.0[name].as_array().unwrap_or_else(|| panic!("no list {name:?} in {self:#?}"));
        list.iter().map(|value| value.as_str().unwrap()).collect()
    }

    /// The part of the id that all events of one request share.
    pub(crate) fn request(&self) -> &str {
        self.str("event_id").rsplit_once('-').unwrap().0
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }
}

/// The JSON of `wallarm_status`.
#[derive(Debug)]
pub(crate) struct Status(pub(crate) Value);

impl Status {
    pub(crate) fn parse(body: &[u8]) -> Self {
        Self(serde_json::from_slice(body).expect("the status is JSON"))
    }

    /// A counter, by its path: `count("dropped.queue_full")`.
    pub(crate) fn count(&self, path: &str) -> u64 {
        let value = path.split('.').fold(&self.0, |value, name| &value[name]);
        value.as_u64().unwrap_or_else(|| panic!("no counter {path:?} in {self:?}"))
    }

    /// The sum of all counters below `name`.
    pub(crate) fn sum(&self, name: &str) -> u64 {
        let reasons = self.0[name].as_object().unwrap_or_else(|| panic!("no {name:?} in {self:?}"));
        reasons.values().map(|value| value.as_u64().unwrap()).sum()
    }

    pub(crate) fn is_settled(&self) -> bool {
        let gone = self.count("events_written") + self.sum("events_lost");
        self.count("in_flight") == 0 && self.count("events") == gone
    }

    /// Whether nothing was counted in between.
    pub(crate) fn same_as(&self, before: &Self) -> bool {
        let counters = ["seen", "scanned", "events", "events_written"];
        counters.iter().all(|name| self.0[*name] == before.0[*name])
    }

    /// Every captured request is in exactly one counter.
    pub(crate) fn assert_identity(&self) {
        let found = self.count("scanned") + self.sum("dropped") + self.count("in_flight");
        assert_eq!(
            self.count("seen"),
            found,
            "seen = scanned + dropped + in_flight does not hold: {self:?}"
        );
    }
}
