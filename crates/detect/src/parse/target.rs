//! The request target: path, query, segments.

/// A request target cut into its parts; percent-encoding untouched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    /// Without scheme and authority.
    pub(crate) path: &'a [u8],
    /// Without the question mark.
    pub(crate) query: &'a [u8],
}

/// Splits a target in origin form (`/a?b`) or absolute form (`http://host/a?b`).
pub(crate) fn split(uri: &[u8]) -> Target<'_> {
    let (path, query) = match memchr::memchr(b'?', uri) {
        Some(at) => {
            let (path, query) = uri.split_at(at);
            (path, query.get(1..).unwrap_or_default())
        }
        None => (uri, &b""[..]),
    };
    Target { path: without_authority(path), query }
}

fn without_authority(path: &[u8]) -> &[u8] {
    if path.starts_with(b"/") {
        return path;
    }
    let Some(at) = memchr::memmem::find(path, b"://") else { return path };
    let authority = path.get(at + 3..).unwrap_or_default();
    let slash = memchr::memchr(b'/', authority).unwrap_or(authority.len());
    authority.get(slash..).unwrap_or_default()
}

/// One segment of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Segment<'a> {
    /// Any but the last, counted from 0.
    Directory(u32, &'a [u8]),
    /// The last one up to its first dot.
    ActionName(&'a [u8]),
    /// The last one after its first dot.
    ActionExt(&'a [u8]),
}

/// The segments of a path.
pub(crate) fn segments(path: &[u8]) -> impl Iterator<Item = Segment<'_>> {
    let path = path.strip_prefix(b"/").unwrap_or(path);
    let (directories, action) = match memchr::memrchr(b'/', path) {
        Some(at) => {
            let (directories, action) = path.split_at(at);
            (Some(directories), action.get(1..).unwrap_or_default())
        }
        None => (None, path),
    };
    let (name, ext) = match memchr::memchr(b'.', action) {
        Some(at) => (action.get(..at).unwrap_or_default(), action.get(at + 1..)),
        None => (action, None),
    };
    let directories = directories.into_iter().flat_map(|all| all.split(|byte| *byte == b'/'));
    (0..)
        .zip(directories)
        .map(|(i, segment)| Segment::Directory(i, segment))
        .chain(std::iter::once(Segment::ActionName(name)))
        .chain(ext.map(Segment::ActionExt))
}
