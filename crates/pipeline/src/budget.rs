//! Bounds the temp files that captured bodies keep open.
//!
//! Every such body holds a descriptor and, once NGINX has unlinked the file, disk space: a full descriptor table would
//! stop `accept()`.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::Arc;

/// Descriptors and bytes that may be in flight; taken by the event loop alone, given back by any thread.
pub(crate) struct FileBudget {
    max_files: usize,
    max_bytes: u64,
    files: AtomicUsize,
    bytes: AtomicU64,
}

impl FileBudget {
    pub(crate) fn new(max_files: usize, max_bytes: u64) -> Arc<Self> {
        Arc::new(FileBudget {
            max_files,
            max_bytes,
            files: AtomicUsize::new(0),
            bytes: AtomicU64::new(0),
        })
    }

    /// A permit for a file of `len` bytes. A file above the byte limit passes if no other is in flight: else a body
    /// could hide by being long.
    pub(crate) fn take(self: &Arc<Self>, len: u64) -> Option<FilePermit> {
        let files = self.files.load(Ordering::Acquire);
        let bytes = self.bytes.load(Ordering::Acquire);
        let fits = files == 0 || bytes.saturating_add(len) <= self.max_bytes;
        if files >= self.max_files || !fits {
            return None;
        }
        self.files.fetch_add(1, Ordering::AcqRel);
        self.bytes.fetch_add(len, Ordering::AcqRel);
        Some(FilePermit { budget: Arc::clone(self), len })
    }
}

/// The right to keep one temp file open until it is dropped.
pub struct FilePermit {
    budget: Arc<FileBudget>,
    len: u64,
}

impl Drop for FilePermit {
    fn drop(&mut self) {
        self.budget.bytes.fetch_sub(self.len, Ordering::AcqRel);
        self.budget.files.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_bytes_are_bounded_and_given_back() {
        let budget = FileBudget::new(2, 100);
        let first = budget.take(60).unwrap();
        assert!(budget.take(41).is_none(), "more bytes than the limit");
        let second = budget.take(40).unwrap();
        assert!(budget.take(0).is_none(), "more files than the limit");
        drop(first);
        assert!(budget.take(60).is_some());
        drop(second);
        assert_eq!(budget.files.load(Ordering::Relaxed), 0);
        assert_eq!(budget.bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_file_above_the_byte_limit_passes_alone() {
        let budget = FileBudget::new(2, 100);
        let big = budget.take(1 << 30).unwrap();
        assert!(budget.take(1).is_none());
        drop(big);
        let _small = budget.take(1).unwrap();
        assert!(budget.take(1 << 30).is_none());
    }

    #[test]
    fn no_file_at_all_with_a_limit_of_none() {
        assert!(FileBudget::new(0, 100).take(1).is_none());
    }
}
