//! A count of things that ended, which can be closed.
//!
//! At exit the pipeline counts what is still under way as dropped, and leaves threads behind that may be in the middle
//! of it. Whoever ends something asks the ledger first: after it was closed the thing has been counted already.

use std::sync::atomic::{AtomicU64, Ordering};

const CLOSED: u64 = 1 << 63;

#[derive(Default)]
pub(crate) struct Ledger(AtomicU64);

impl Ledger {
    /// Enters one end. False: the books are closed, count nothing.
    #[must_use]
    pub(crate) fn enter(&self) -> bool {
        self.0.fetch_add(1, Ordering::AcqRel) & CLOSED == 0
    }

    /// Closes the books and returns how many ends were entered before. To be called once.
    pub(crate) fn close(&self) -> u64 {
        self.0.fetch_or(CLOSED, Ordering::AcqRel) & !CLOSED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_entered_after_close() {
        let ledger = Ledger::default();
        assert!(ledger.enter());
        assert!(ledger.enter());
        assert_eq!(ledger.close(), 2);
        assert!(!ledger.enter());
        assert!(!ledger.enter());
    }
}
