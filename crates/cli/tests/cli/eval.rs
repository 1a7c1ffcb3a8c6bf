//! `eval`

use crate::{file, json, run, temporary};

const HOSTILE_URI: &str = "/item?id=1'+union+select+password+from+users--+";

/// A corpus line; `labels` is JSON without its braces.
fn line(labels: &str, uri: &str) -> String {
    format!(
        r#"{{"id":"1",{labels},"method":"GET","uri":"{uri}","headers":[["Host","a.example"]],"body_b64":""}}"#
    )
}

/// 10 attacks of cell (sqli, a), of which 9 are caught, and 1 caught of cell (xss, b);
/// 5 benign cases, of which a hard one and a browser one are flagged.
fn corpus() -> String {
    let mut lines = Vec::new();
    for n in 0..10 {
        let uri = if n == 3 { "/" } else { HOSTILE_URI };
        lines.push(line(r#""source":"a","label":"attack","class":"sqli","sub":"x""#, uri));
    }
    lines.push(line(r#""source":"b","label":"attack","class":"xss","seen":true"#, HOSTILE_URI));
    for (sub, uri) in [
        (r#""hard-code/sql""#, HOSTILE_URI),
        (r#""hard-code""#, "/"),
        (r#""browser-get""#, HOSTILE_URI),
        (r#""browser-get/x""#, "/"),
        ("null", "/"),
    ] {
        let labels = format!(r#""source":"c","label":"benign","class":null,"sub":{sub}"#);
        lines.push(line(&labels, uri));
    }
    lines.join("\n") + "\n"
}

#[test]
fn figures_are_those_computed_by_hand() {
    let path = file("eval.jsonl", corpus());
    let flagged = temporary("eval.flagged");
    let outcome = run(&["eval", &path, "--json", "--flagged", flagged.to_str().unwrap()], b"");
    assert_eq!((outcome.status, &*outcome.stderr), (0, ""));
    let figures = json(&outcome.stdout);
    let numbers = [
        ("micro_tpr", 0.90909), // 10 of 11
        ("macro_tpr", 0.9),     // (xss, b) is too small a cell
        ("fpr", 0.4),
        ("fpr_plain", 0.33333), // 1 of 3
        ("fpr_browser", 0.5),
        ("fpr_hard", 0.5),
        ("balanced", 0.75455),       // (10/11 + 3/5) / 2
        ("macro_balanced", 0.78333), // (9/10 + 2/3) / 2
        ("requests", 16.0),
    ];
    for (name, expected) in numbers {
        assert_eq!(figures[name].as_f64(), Some(expected), "{name}");
    }
    let tables = [
        (
            "groups",
            r#"{"attack":[0.90909,11],"benign":[0.4,5],"plain":[0.33333,3],"hard":[0.5,2],
                "browser":[0.5,2],"attack seen in dev":[1.0,1]}"#,
        ),
        ("class", r#"{"sqli":[0.9,10],"xss":[1.0,1]}"#),
        ("attack_source", r#"{"a":[0.9,10],"b":[1.0,1]}"#),
        ("benign_source_fpr", r#"{"c":[0.4,5]}"#),
        ("benign_kind_fpr", r#"{"hard-code":[0.5,2],"browser-get":[0.5,2],"c":[0.0,1]}"#),
        ("suspect", r#"{"benign":[0.0,3],"attack":[0.0,1]}"#),
    ];
    for (name, expected) in tables {
        assert_eq!(figures[name], json(expected), "{name}");
    }
    let lines = std::fs::read_to_string(flagged).unwrap();
    assert_eq!(lines, "0\n1\n2\n4\n5\n6\n7\n8\n9\n10\n11\n13\n");
}

#[test]
fn times_are_those_of_the_engine() {
    let figures = json(&run(&["eval", "-", "--json"], corpus().as_bytes()).stdout);
    let number = |name: &str| figures[name].as_f64().unwrap();
    assert!(number("p50_us") > 0.0);
    assert!(number("p99_us") >= number("p50_us"));
    assert!(number("scan_seconds") * 1e6 >= number("p99_us"));
}

#[test]
fn text_has_the_same_figures() {
    let text = run(&["eval", "-"], corpus().as_bytes()).stdout;
    assert!(text.contains("micro_tpr          0.90909\n"), "{text}");
    assert!(text.contains("class\n  sqli 0.9/10  xss 1/1\n"), "{text}");
    assert!(text.contains("requests           16\n"), "{text}");
    assert!(text.contains("suspect            benign 0/3  attack 0/1\n"), "{text}");
}

#[test]
fn suspect_requests_are_not_flagged() {
    let suspect = line(r#""source":"a","label":"attack""#, "/")
        .replace(r#"["Host","a.example"]"#, r#"["X-Note","the file /etc/passwd"]"#);
    let lines = format!("{suspect}\n{}", corpus());
    let figures = json(&run(&["eval", "-", "--json"], lines.as_bytes()).stdout);
    assert_eq!(figures["suspect"], json(r#"{"benign":[0.0,3],"attack":[0.5,2]}"#));
    assert_eq!(figures["groups"]["attack"], json("[0.83333,12]")); // 10 of 12
}

#[test]
fn an_empty_corpus_has_no_rates() {
    let outcome = run(&["eval", "-", "--json"], b"");
    let figures = json(&outcome.stdout);
    assert_eq!(outcome.status, 0);
    assert!(figures["micro_tpr"].is_null());
    assert_eq!(figures["requests"], 0);
    assert_eq!(figures["groups"]["attack"], json("[null,0]"));
}

#[test]
fn bad_lines_are_errors_with_their_number() {
    let cases = [
        ("{\"label\":\"attack\"}\n".to_owned(), "missing field"),
        (line(r#""source":"a""#, "/"), "label"),
        (line(r#""source":"a","label":"attack""#, "/").replace("b64\":\"", "b64\":\"?"), "base64"),
    ];
    for (bad, message) in cases {
        let path = file("eval-bad.jsonl", format!("{}\n{bad}", corpus().trim_end()));
        let outcome = run(&["eval", &path], b"");
        assert_eq!((outcome.status, &*outcome.stdout), (2, ""));
        assert!(outcome.stderr.contains(&format!("{path}:17: ")), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(message), "{}", outcome.stderr);
    }
}

#[test]
fn files_that_cannot_be_opened_are_errors() {
    let outcome = run(&["eval", "/nonexistent.jsonl"], b"");
    assert_eq!(outcome.status, 2);
    assert!(outcome.stderr.starts_with("wallarm-mirror: /nonexistent.jsonl: "));
    let outcome = run(&["eval", "-", "--flagged", "/nonexistent/out"], b"");
    assert_eq!(outcome.status, 2);
    assert!(outcome.stderr.starts_with("wallarm-mirror: /nonexistent/out: "));
}
