//! `rules check`

use crate::{file, run, temporary};

const GOOD: &str = r#"
[[rule]]
id = 990001
name = "test-word"
attack = "scanner"
weight = 10
literals = ["zyxwvutsr"]
match = ["a zyxwvutsr b"]
no_match = ["zyxwvuts"]
"#;

#[test]
fn built_in_rules_have_no_problems() {
    let outcome = run(&["rules", "check"], b"");
    assert_eq!(outcome.status, 0, "{}", outcome.stdout);
    assert!(outcome.stdout.ends_with(" rules, no problems\n"), "{}", outcome.stdout);
    assert_eq!(outcome.stderr, "");
}

#[test]
fn a_file_adds_to_the_built_in_rules() {
    let outcome = run(&["rules", "check", &file("good.toml", GOOD)], b"");
    assert_eq!((outcome.status, &*outcome.stderr), (0, ""), "{}", outcome.stdout);
    assert!(!outcome.stdout.starts_with("1 rules"), "{}", outcome.stdout);
}

#[test]
fn problems_name_file_line_and_rule() {
    let cases = [
        (GOOD.replace("a zyx", "a yx"), 2, "rule 990001 \"test-word\": does not match"),
        (GOOD.replace("zyxwvuts\"]", "zyxwvutsr\"]"), 2, "rule 990001 \"test-word\": matches"),
        (GOOD.replace("weight = 10", "weight = 1000"), 2, "rule 990001 \"test-word\": weight"),
        (GOOD.replace("name", "nam"), 4, ""),
        (
            format!("{GOOD}{}", GOOD.replace("test", "tes")),
            11,
            "rule 990001 \"tes-word\": id is taken",
        ),
        ("[[rule]\n".to_owned(), 1, ""),
    ];
    for (number, (text, line, message)) in cases.into_iter().enumerate() {
        let path = file(&format!("bad-{number}.toml"), &text);
        let outcome = run(&["rules", "check", &path], b"");
        assert_eq!((outcome.status, &*outcome.stderr), (1, ""), "{text}");
        let expected = format!("{path}:{line}: {message}");
        let mut lines = outcome.stdout.lines();
        assert!(
            lines.any(|line| line.starts_with(&expected)),
            "{}\nnot {expected}",
            outcome.stdout
        );
    }
}

#[test]
fn a_directory_is_a_set_of_its_own() {
    file("set/a.toml", GOOD);
    file("set/b.toml", GOOD.replace("990001", "991001").replace("test", "other"));
    file("set/notes.txt", "no rules");
    let set = temporary("set");
    let outcome = run(&["rules", "check", set.to_str().unwrap()], b"");
    assert_eq!((outcome.status, &*outcome.stdout), (0, "2 rules, no problems\n"));

    let b = file("twice/b.toml", GOOD.replace("test", "other"));
    let a = file("twice/a.toml", GOOD);
    let outcome = run(&["rules", "check", temporary("twice").to_str().unwrap()], b"");
    let expected = format!("{b}:2: rule 990001 \"other-word\": id is taken by {a}:2\n");
    assert_eq!((outcome.status, outcome.stdout), (1, expected));
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let empty = temporary("empty");
    std::fs::create_dir_all(&empty).unwrap();
    for path in ["/nonexistent.toml", empty.to_str().unwrap()] {
        let outcome = run(&["rules", "check", path], b"");
        assert_eq!((outcome.status, &*outcome.stdout), (2, ""));
        assert!(outcome.stderr.starts_with(&format!("wallarm-mirror: {path}: ")));
    }
}
