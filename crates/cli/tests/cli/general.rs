//! Help, versions and misuse.

use crate::run;

#[test]
fn help_and_version_succeed_on_standard_output() {
    for command in ["", "scan", "eval", "explain", "rules", "rules check"] {
        let words = |option| command.split_whitespace().chain([option]).collect::<Vec<_>>();
        let help = run(&words("--help"), b"");
        assert_eq!(help.status, 0, "{command}");
        assert!(help.stdout.contains("Usage: wallarm-mirror"), "{command}");
        assert!(help.stdout.contains("Exit status:"), "{command}");
        let version = run(&words("--version"), b"");
        let expected = format!("wallarm-mirror {}\n", env!("CARGO_PKG_VERSION"));
        assert_eq!((version.status, version.stdout), (0, expected), "{command}");
    }
}

#[test]
fn help_lines_fit_a_terminal() {
    for command in ["--help", "scan", "eval", "explain", "rules"] {
        let help = run(&[command, "--help"], b"").stdout;
        assert!(help.lines().all(|line| line.len() <= 80), "{command}");
    }
}

#[test]
fn misuse_is_an_error_that_points_to_the_help() {
    let misuses: [&[&str]; 6] =
        [&[], &["scna"], &["scan", "--json"], &["eval"], &["explain"], &["rules"]];
    for arguments in misuses {
        let outcome = run(arguments, b"");
        assert_eq!(outcome.status, 2, "{arguments:?}");
        assert_eq!(outcome.stdout, "", "{arguments:?}");
        assert!(outcome.stderr.starts_with("wallarm-mirror: "), "{arguments:?}");
        assert!(outcome.stderr.contains("--help"), "{arguments:?}");
    }
}
