//! The rule files that are compiled into the crate.

/// Name and text of each file of `rules/`.
pub(super) const FILES: &[(&str, &str)] = &[
    ("rules/crlf.toml", include_str!("../../rules/crlf.toml")),
    ("rules/documents.toml", include_str!("../../rules/documents.toml")),
    ("rules/java.toml", include_str!("../../rules/java.toml")),
    ("rules/jndi.toml", include_str!("../../rules/jndi.toml")),
    ("rules/ldapi.toml", include_str!("../../rules/ldapi.toml")),
    ("rules/mail.toml", include_str!("../../rules/mail.toml")),
    ("rules/nosqli.toml", include_str!("../../rules/nosqli.toml")),
    ("rules/php.toml", include_str!("../../rules/php.toml")),
    ("rules/proto.toml", include_str!("../../rules/proto.toml")),
    ("rules/ptrav.toml", include_str!("../../rules/ptrav.toml")),
    ("rules/rce-values.toml", include_str!("../../rules/rce-values.toml")),
    ("rules/rce.toml", include_str!("../../rules/rce.toml")),
    ("rules/redir.toml", include_str!("../../rules/redir.toml")),
    ("rules/scanner.toml", include_str!("../../rules/scanner.toml")),
    ("rules/sqli-pieces.toml", include_str!("../../rules/sqli-pieces.toml")),
    ("rules/sqli.toml", include_str!("../../rules/sqli.toml")),
    ("rules/ssi.toml", include_str!("../../rules/ssi.toml")),
    ("rules/ssrf.toml", include_str!("../../rules/ssrf.toml")),
    ("rules/ssti.toml", include_str!("../../rules/ssti.toml")),
    ("rules/xss.toml", include_str!("../../rules/xss.toml")),
    ("rules/xxe.toml", include_str!("../../rules/xxe.toml")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_directory_is_built_in() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/rules");
        let mut found: Vec<String> = std::fs::read_dir(directory)
            .unwrap()
            .map(|entry| format!("rules/{}", entry.unwrap().file_name().to_str().unwrap()))
            .filter(|name| name.ends_with(".toml"))
            .collect();
        found.sort();
        let listed: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        assert_eq!(listed, found);
    }
}
