//! A path as the server resolves it: no dot segments, doubled slashes, backslashes or path parameters.

use super::Step;
use crate::views::{Anomalies, DecoderSet};

/// True if [`normalise`] may change the path.
pub(crate) fn may_change(path: &[u8]) -> bool {
    memchr::memchr2(b';', b'\\', path).is_some()
        || memchr::memchr_iter(b'/', path).any(|at| matches!(path.get(at + 1), Some(b'/' | b'.')))
}

/// Resolves a decoded path; segments above the root are left out.
pub(crate) fn normalise(path: &[u8], out: &mut Vec<u8>) -> Step {
    let mut step = Step::default();
    out.clear();
    let mut rest = path;
    let slash = |byte: &u8| matches!(byte, b'/' | b'\\');
    loop {
        let end = rest.iter().position(slash);
        let segment = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let name = segment.split(|byte| *byte == b';').next().unwrap_or_default();
        match name {
            b".." => out.truncate(out.iter().rposition(|byte| *byte == b'/').unwrap_or(0)),
            b"" | b"." if end.is_some() => {}
            b"." => out.push(b'/'),
            name => {
                out.push(b'/');
                out.extend_from_slice(name);
            }
        }
        match end {
            Some(end) => rest = rest.get(end + 1..).unwrap_or_default(),
            None => break,
        }
    }
    if out.strip_prefix(b"/").unwrap_or(out) != path.strip_prefix(b"/").unwrap_or(path) {
        step.note(DecoderSet::PATH, Anomalies::NONE);
    }
    step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_resolved() {
        let table: [(&str, &str); 14] = [
            ("/a/./b", "/a/b"),
            ("/a//b///c", "/a/b/c"),
            ("/a/../b", "/b"),
            ("/../../etc/x", "/etc/x"),
            ("/a;x=1/b;y", "/a/b"),
            ("/a/..;x/b", "/b"),
            ("\\a\\..\\b", "/b"),
            ("/a/b/..", "/a"),
            ("/a/.", "/a/"),
            ("/a/", "/a/"),
            ("/", "/"),
            ("/a/.b/..c", "/a/.b/..c"),
            ("/..", ""),
            ("", "/"),
        ];
        for (path, expected) in table {
            let mut out = Vec::new();
            normalise(path.as_bytes(), &mut out);
            assert_eq!(String::from_utf8_lossy(&out), expected, "{path}");
        }
    }

    #[test]
    fn ordinary_paths_do_not_change() {
        for path in ["/", "/a", "/a/b.c", "/a/b/", "/.well-known/x", "a/b"] {
            assert!(!normalise(path.as_bytes(), &mut Vec::new()).changed(), "{path}");
        }
        assert!(!may_change(b"/a/b.c/d"));
    }
}
