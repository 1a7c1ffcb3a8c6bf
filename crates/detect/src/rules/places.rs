//! Where a rule looks: groups of views, and single headers by name.

use crate::views::Group;

/// The names of the groups in rule files.
const GROUPS: [(&str, Group); 14] = [
    ("uri", Group::Uri),
    ("path", Group::Path),
    ("query-name", Group::QueryName),
    ("query", Group::Query),
    ("header-name", Group::HeaderName),
    ("header", Group::Header),
    ("cookie-name", Group::CookieName),
    ("cookie", Group::Cookie),
    ("body-name", Group::BodyName),
    ("body", Group::Body),
    ("file-name", Group::FileName),
    ("file", Group::File),
    ("raw-body", Group::RawBody),
    ("method", Group::Method),
];

/// The views that a rule looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    within: Side,
    not_in: Side,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Side {
    /// Bits of [`Group::bit`].
    groups: u16,
    /// Header names in upper case, as points spell them.
    headers: Vec<Vec<u8>>,
}

impl Places {
    /// Reads `in` and `not_in`; no `in` means every group.
    pub(super) fn parse(within: Option<&[String]>, not_in: &[String]) -> Result<Self, String> {
        let within = match within {
            Some([]) => return Err("\"in\" is empty: the rule would never look anywhere".into()),
            Some(names) => Side::parse(names)?,
            None => Side { groups: u16::MAX, headers: Vec::new() },
        };
        Ok(Self { within, not_in: Side::parse(not_in)? })
    }

    /// True if the rule looks at views of `group`; `header` yields the header's name in upper case.
    pub(crate) fn hold<'a>(&self, group: Group, header: impl Fn() -> Option<&'a [u8]>) -> bool {
        self.within.holds(group, &header) && !self.not_in.holds(group, &header)
    }

    /// Where an example of the rule is put: a query parameter if the rule looks there.
    pub(super) fn example(&self) -> (Group, Option<&[u8]>) {
        let preferred = [Group::Query, Group::Body, Group::Cookie, Group::Header, Group::Path];
        let groups = preferred.into_iter().chain(Group::ALL);
        let open = |group: &Group| self.within.groups & !self.not_in.groups & group.bit() != 0;
        match (groups.clone().find(open), self.within.headers.first()) {
            (Some(group), _) => (group, None),
            (None, header) => (Group::Header, header.map(Vec::as_slice)),
        }
    }
}

impl Side {
    fn parse(names: &[String]) -> Result<Self, String> {
        let mut side = Self::default();
        for name in names {
            if let Some(header) = name.strip_prefix("header:") {
                side.headers.push(header.to_ascii_uppercase().into_bytes());
                continue;
            }
            let known = GROUPS.iter().find(|(known, _)| known == name);
            let (_, group) = known.ok_or_else(|| format!("unknown group \"{name}\""))?;
            side.groups |= group.bit();
        }
        Ok(side)
    }

    fn holds<'a>(&self, group: Group, header: &impl Fn() -> Option<&'a [u8]>) -> bool {
        if self.groups & group.bit() != 0 {
            return true;
        }
        if self.headers.is_empty() || group != Group::Header {
            return false;
        }
        header().is_some_and(|name| self.headers.iter().any(|known| known == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(within: &[&str], not_in: &[&str]) -> Places {
        let strings =
            |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        Places::parse(Some(&strings(within)), &strings(not_in)).unwrap()
    }

    #[test]
    fn every_group_has_a_name() {
        for group in Group::ALL {
            assert!(GROUPS.iter().any(|(_, known)| *known == group), "{group:?}");
        }
    }

    #[test]
    fn named_headers_are_let_in_and_kept_out() {
        let agent = || Some(&b"USER-AGENT"[..]);
        let host = || Some(&b"HOST"[..]);
        let only = places(&["header:User-Agent"], &[]);
        assert!(only.hold(Group::Header, agent));
        assert!(!only.hold(Group::Header, host));
        assert!(!only.hold(Group::Query, || None));
        let others = places(&["header", "query"], &["header:user-agent"]);
        assert!(!others.hold(Group::Header, agent));
        assert!(others.hold(Group::Header, host));
        assert!(others.hold(Group::Query, || None));
    }

    #[test]
    fn examples_go_where_the_rule_looks() {
        assert_eq!(places(&["body", "query"], &[]).example(), (Group::Query, None));
        assert_eq!(places(&["file-name"], &[]).example(), (Group::FileName, None));
        let agent = places(&["header:user-agent"], &[]);
        assert_eq!(agent.example(), (Group::Header, Some(&b"USER-AGENT"[..])));
    }
}
