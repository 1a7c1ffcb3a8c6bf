//! Attack types: the names, bit values and CWE numbers that the public Wallarm node documents.

use std::fmt;

/// What an attack does, under the name that the node's own reports give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum AttackType {
    Xss,
    Sqli,
    /// Commands and code: shell, JNDI, PHP, Java and deserialisation.
    Rce,
    Xxe,
    Ptrav,
    Crlf,
    Redir,
    Nosqli,
    Ldapi,
    Scanner,
    MassAssignment,
    Ssrf,
    Ssi,
    MailInjection,
    Ssti,
    InvalidXml,
    OverlimitRes,
    DataBomb,
}

impl AttackType {
    /// Every type, in the order of the bits.
    pub const ALL: [AttackType; 18] = [
        AttackType::Xss,
        AttackType::Sqli,
        AttackType::Rce,
        AttackType::Xxe,
        AttackType::Ptrav,
        AttackType::Crlf,
        AttackType::Redir,
        AttackType::Nosqli,
        AttackType::Ldapi,
        AttackType::Scanner,
        AttackType::MassAssignment,
        AttackType::Ssrf,
        AttackType::Ssi,
        AttackType::MailInjection,
        AttackType::Ssti,
        AttackType::InvalidXml,
        AttackType::OverlimitRes,
        AttackType::DataBomb,
    ];

    /// The code in events and rule files, for example `sqli`.
    pub fn name(self) -> &'static str {
        self.entry().0
    }

    /// The bit of this type in a mask of attack types; exactly one bit is set.
    pub fn bit(self) -> u64 {
        self.entry().1
    }

    /// CWE numbers of the weakness, the most fitting first; may be empty.
    pub fn cwe(self) -> &'static [u16] {
        self.entry().2
    }

    /// The type that has this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|attack| attack.name() == name)
    }

    /// Position in [`AttackType::ALL`].
    pub(crate) fn index(self) -> usize {
        self as usize
    }

    fn entry(self) -> (&'static str, u64, &'static [u16]) {
        match self {
            Self::Xss => ("xss", 0x2, &[79]),
            Self::Sqli => ("sqli", 0x4, &[89]),
            Self::Rce => ("rce", 0x8, &[78, 94]),
            Self::Xxe => ("xxe", 0x10, &[611]),
            Self::Ptrav => ("ptrav", 0x20, &[22]),
            Self::Crlf => ("crlf", 0x40, &[93, 113, 444]),
            Self::Redir => ("redir", 0x80, &[601]),
            Self::Nosqli => ("nosqli", 0x100, &[943]),
            Self::Ldapi => ("ldapi", 0x2000, &[90]),
            Self::Scanner => ("scanner", 0x4000, &[]),
            Self::MassAssignment => ("mass_assignment", 0x2_0000, &[915]),
            Self::Ssrf => ("ssrf", 0x8_0000, &[918]),
            Self::Ssi => ("ssi", 0x200_0000, &[97, 96]),
            Self::MailInjection => ("mail_injection", 0x400_0000, &[88, 150, 20]),
            Self::Ssti => ("ssti", 0x800_0000, &[94, 159]),
            Self::InvalidXml => ("invalid_xml", 0x1000_0000, &[]),
            Self::OverlimitRes => ("overlimit_res", 0x2000_0000, &[]),
            Self::DataBomb => ("data_bomb", 0x4000_0000, &[409, 776]),
        }
    }
}

impl fmt::Display for AttackType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_bits_are_distinct_and_parse_back() {
        let mut mask = 0;
        for (index, attack) in AttackType::ALL.into_iter().enumerate() {
            assert_eq!(attack.index(), index);
            assert_eq!(attack.bit().count_ones(), 1, "{attack}");
            assert_eq!(mask & attack.bit(), 0, "{attack} shares its bit");
            mask |= attack.bit();
            assert_eq!(AttackType::parse(attack.name()), Some(attack));
        }
        assert_eq!(AttackType::parse("SQLI"), None);
    }
}
