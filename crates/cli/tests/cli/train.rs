//! `train`: a table out of values, and what it changes.

use std::fs;

use crate::{file, json, run, temporary};

/// A directory of values that no rule knows, whose attacks have an order of tokens of their own.
fn values() -> String {
    let lines = |line: fn(usize) -> String| (0..40).map(line).collect::<Vec<_>>().join("\n");
    file("values/attack/sqli.txt", lines(|number| format!("~{number}~ ?? word")));
    file("values/benign/prose.txt", lines(|number| format!("a word, {number} words")));
    temporary("values").to_str().unwrap().to_owned()
}

const ODD: &str = "GET /?q=~77~%20??%20word HTTP/1.1\r\nHost: a.example\r\n\r\n";

#[test]
fn what_was_learned_is_found_and_named() {
    let (values, table) = (values(), temporary("weights.tsv"));
    let table = table.to_str().unwrap();
    let train = |out: &str| run(&["train", "--values", &values, "-o", out], b"");
    let outcome = train(table);
    assert_eq!((outcome.status, &*outcome.stdout), (0, ""), "{}", outcome.stderr);
    let learned = fs::read_to_string(table).unwrap();
    train(table);
    assert_eq!(fs::read_to_string(table).unwrap(), learned, "another table from the same values");

    let empty = file("empty.tsv", "# nothing\n");
    assert_eq!(run(&["scan", "-m", &empty], ODD.as_bytes()).status, 1);
    let found = run(&["scan", "-m", table], ODD.as_bytes());
    assert_eq!((found.status, &*found.stderr), (0, ""));
    let event = json(found.stdout.lines().next().unwrap());
    assert_eq!(event["type"], "sqli");
    let indicators = event["indicators"].to_string();
    assert!(indicators.contains("gram "), "{indicators}");
    let explained = run(&["explain", "-m", table, "-"], ODD.as_bytes());
    assert!(explained.stdout.contains("gram "), "{}", explained.stdout);
}

#[test]
fn leaving_sources_out_prints_a_row_for_each() {
    let line = |source: &str, label: &str, value: &str| {
        format!(
            r#"{{"source":"{source}","label":"{label}","method":"GET","uri":"/?q={value}","headers":[]}}"#
        )
    };
    let corpus = [
        line("one", "attack", "1%27+union+select+2--"),
        line("one", "benign", "hello"),
        line("two", "benign", "world"),
    ];
    let corpus = file("sources.jsonl", corpus.join("\n"));
    let outcome = run(&["train", "--leave-out", &corpus], b"");
    assert_eq!(outcome.status, 0, "{}", outcome.stderr);
    for row in ["| one | 1 | 100.00 % | 1 | 0.00 % |", "| two | | | 1 | 0.00 % |", "| all | 1 |"] {
        assert!(outcome.stdout.contains(row), "{row}: {}", outcome.stdout);
    }
}

#[test]
fn broken_input_is_named_with_its_line() {
    let directory = temporary("broken");
    file("broken/attack/xss.txt", "good\nbad \\q\n");
    fs::create_dir_all(directory.join("benign")).unwrap();
    let outcome = run(&["train", "--values", directory.to_str().unwrap()], b"");
    assert_eq!(outcome.status, 2);
    assert!(outcome.stderr.contains("xss.txt:2: unknown escape"), "{}", outcome.stderr);

    let table = file("broken.tsv", "# fine\nsqli\tone\t' '\n");
    let outcome = run(&["scan", "-m", &table], ODD.as_bytes());
    assert_eq!(outcome.status, 2);
    assert!(outcome.stderr.contains("broken.tsv:2: one is no number"), "{}", outcome.stderr);
}
