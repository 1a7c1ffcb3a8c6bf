//! Matching, confirming and scoring, each with rules made for the test. Values travel in a header, where nothing but the matcher changes
//! how they are seen.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail as tests do")]

use wallarm_detect::{
    AttackType, Engine, Header, Limits, Request, RuleSet, Scope, Scratch, Verdict,
};

fn engine(rules: &str) -> Engine {
    Engine::new(RuleSet::parse("test", rules).unwrap()).unwrap_or_else(|error| panic!("{error}"))
}

/// One rule of a test: the keys beyond id, name and attack type.
fn rule(id: u32, keys: &str) -> String {
    format!("[[rule]]\nid = {id}\nname = 'r{id}'\nattack = 'sqli'\n{keys}\n")
}

fn request<'a>(headers: &'a [Header<'a>]) -> Request<'a> {
    Request {
        method: b"GET",
        uri: b"/",
        protocol: b"HTTP/1.1",
        headers,
        body: b"",
        body_truncated: false,
        scope: Scope::Whole,
    }
}

fn header<'a>(name: &'a str, value: &'a str) -> Header<'a> {
    Header { name: name.as_bytes(), value: value.as_bytes(), helper: false }
}

fn scan(engine: &Engine, value: &str) -> Verdict {
    scan_headers(engine, &[header("X-Test", value)])
}

fn scan_headers(engine: &Engine, headers: &[Header<'_>]) -> Verdict {
    engine.scan(&request(headers), &Limits::default(), &mut Scratch::default())
}

/// The rules that count, whether or not they convict.
fn counted(engine: &Engine, headers: &[Header<'_>]) -> Vec<u32> {
    let explanation = engine.explain(&request(headers), &Limits::default());
    let mut rules: Vec<u32> =
        explanation.values.iter().flat_map(|value| &value.indicators).map(|i| i.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

#[test]
fn weights_add_up_once_per_rule_value_and_attack_type() {
    let rules = [
        rule(1, "weight = 4\nliterals = ['alpha', 'omega']"),
        rule(2, "weight = 6\nliterals = ['beta']"),
        rule(3, "weight = 9.99\nliterals = ['gamma']"),
        rule(4, "weight = 9\nliterals = ['delta']").replace("sqli", "xss"),
        rule(5, "weight = -1\nliterals = ['please']"),
    ];
    let engine = engine(&rules.concat());
    type Found<'a> = Option<(f32, &'a [u32])>;
    let cases: [(&str, Found<'_>); 9] = [
        ("alpha beta", Some((10.0, &[1, 2]))),
        ("BETA Alpha", Some((10.0, &[1, 2]))),
        ("alphabeta", Some((10.0, &[1, 2]))),
        ("alpha beta gamma", Some((19.99, &[1, 2, 3]))),
        ("alpha omega alpha alpha", None),
        ("gamma", None),
        ("alpha delta", None),
        ("alpha beta please", None),
        ("", None),
    ];
    for (value, expected) in cases {
        let verdict = scan(&engine, value);
        let found = verdict.hits.first().map(|hit| (hit.score, hit.rules.as_slice()));
        assert_eq!(found, expected, "{value}");
    }
    let apart = [header("X-A", "alpha"), header("X-B", "beta")];
    assert!(scan_headers(&engine, &apart).hits.is_empty(), "values are added up");
}

#[test]
fn a_hit_names_every_value_that_is_an_attack() {
    let engine = engine(&rule(1, "weight = 10\nliterals = ['alpha']\nin = ['header']"));
    let headers =
        [header("X-A", "an ALPHA here"), header("X-B", "harmless"), header("X-C", "alpha")];
    let verdict = scan_headers(&engine, &headers);
    assert_eq!(verdict.hits.len(), 1);
    let hit = &verdict.hits[0];
    assert_eq!(hit.attack, AttackType::Sqli);
    assert_eq!(hit.points, ["[header, 'X-A']", "[header, 'X-C']"]);
    assert_eq!(hit.payloads, [&b"an ALPHA here"[..], b"alpha"]);
    assert_eq!(hit.indicators, [("r1".to_owned(), 10.0)]);
    assert_eq!((hit.score, hit.threshold), (10.0, 10.0));
}

#[test]
fn words_end_at_other_characters() {
    let cases = [
        ("none", &["union", "xunion", "unionx", "xunionx"][..], &["unio n"][..]),
        ("start", &["union", "unionx", "(union", "é union"], &["xunion", "_union", "1union"]),
        ("end", &["union", "xunion", "union("], &["unionx", "union_", "union1"]),
        ("both", &["union", "xunion union", "(union)"], &["xunion", "unionx"]),
    ];
    for (word, hits, misses) in cases {
        let keys = format!("weight = 10\nliterals = ['union']\nword = '{word}'\nin = ['header']");
        let engine = engine(&rule(1, &keys));
        for (values, expected) in [(hits, 1), (misses, 0)] {
            for value in values {
                assert_eq!(scan(&engine, value).hits.len(), expected, "{word}: {value}");
            }
        }
    }
}

#[test]
fn regexes_see_the_window_around_a_literal() {
    let keys = "weight = 10\nliterals = ['mark']\nregex = 'a[^z]*mark[^z]*b'\nwindow = [4, 4]";
    let engine = engine(&rule(1, keys));
    let cases = [
        ("a mark b", true),
        ("A  MARK  B", true),
        ("a   mark   b", true),
        ("a    mark b", false),
        ("a mark    b", false),
        ("a mark mark mark mark b", true),
        ("a mark z mark z mark b", false),
        ("amarkb", true),
        ("mark", false),
    ];
    for (value, expected) in cases {
        assert_eq!(!scan(&engine, value).hits.is_empty(), expected, "{value}");
    }
}

#[test]
fn anchors_are_the_ends_of_the_view() {
    let engine =
        engine(&rule(1, "weight = 10\nliterals = ['mark']\nregex = '^mark$'\nwindow = [1, 1]"));
    for (value, expected) in [("mark", 1), (" mark", 0), ("mark ", 0), ("mark mark", 0)] {
        assert_eq!(scan_headers(&engine, &[header("A", value)]).hits.len(), expected, "{value}");
    }
}

#[test]
fn scopes_let_in_and_keep_out() {
    let rules = [
        rule(1, "weight = 1\nliterals = ['mark']\nin = ['header:user-agent']"),
        rule(2, "weight = 1\nliterals = ['mark']\nin = ['header']\nnot_in = ['header:User-Agent']"),
        rule(3, "weight = 1\nliterals = ['mark']\nin = ['query']"),
    ];
    let engine = engine(&rules.concat());
    assert_eq!(counted(&engine, &[header("user-AGENT", "mark")]), [1]);
    assert_eq!(counted(&engine, &[header("Referer", "mark")]), [2]);
}

#[test]
fn helper_headers_are_not_scanned() {
    let engine = engine(&rule(1, "weight = 10\nliterals = ['mark']"));
    let helper = Header { helper: true, ..header("X-Real-IP", "mark") };
    assert!(scan_headers(&engine, &[helper]).hits.is_empty());
}

#[test]
fn company_is_needed_in_the_same_value() {
    let rules = [
        rule(1, "weight = 10\nliterals = ['alpha']\nrequires = ['r2']"),
        rule(2, "weight = 0\nliterals = ['beta']"),
        rule(3, "weight = 10\nliterals = ['gamma']\nall = ['one', 'two']").replace("sqli", "rce"),
    ];
    let engine = engine(&rules.concat());
    let cases: [(&str, &[u32]); 6] = [
        ("alpha", &[]),
        ("beta", &[2]),
        ("beta alpha", &[1, 2]),
        ("gamma one", &[]),
        ("two gamma one", &[3]),
        ("one two", &[]),
    ];
    for (value, expected) in cases {
        assert_eq!(counted(&engine, &[header("X-Test", value)]), expected, "{value}");
    }
    let apart = [header("X-A", "alpha"), header("X-B", "beta")];
    assert_eq!(counted(&engine, &apart), [2]);
}

#[test]
fn payloads_are_cut_around_the_strongest_indicator() {
    let rules =
        [rule(1, "weight = 1\nliterals = ['alpha']"), rule(2, "weight = 10\nliterals = ['omega']")];
    let engine = engine(&rules.concat());
    let value = format!("alpha{}OmEgA{}", "x".repeat(5000), "y".repeat(5000));
    let limits = Limits { payload: 64, ..Limits::default() };
    let headers = [header("X-Test", &value)];
    let verdict = engine.scan(&request(&headers), &limits, &mut Scratch::default());
    let payload = &verdict.hits[0].payloads[0];
    assert_eq!(payload.len(), 64);
    assert!(payload.windows(5).any(|part| part == b"OmEgA"));
}

#[test]
fn an_exhausted_budget_keeps_what_was_found() {
    let engine = engine(&(rule(100, "weight = 10\nliterals = ['alpha']") + &costly_rules()));
    let value = format!("alpha {} alpha", "mark".repeat(20_000));
    let headers = [header("X-A", "alpha"), header("X-B", &value)];
    let full = engine.scan(&request(&headers), &generous(), &mut Scratch::default());
    assert!(!full.limits.overlimit_res);
    let limits = Limits { steps: full.steps - 50_000, steps_per_byte: 0, ..Limits::default() };
    let cut = engine.scan(&request(&headers), &limits, &mut Scratch::default());
    assert!(cut.limits.overlimit_res);
    assert_eq!(cut.hits[0].points, ["[header, 'X-A']", "[header, 'X-B']"]);
    let none = Limits { steps: 0, steps_per_byte: 0, ..Limits::default() };
    let nothing = engine.scan(&request(&headers), &none, &mut Scratch::default());
    assert!(nothing.limits.overlimit_res);
    let attacks: Vec<AttackType> = nothing.hits.iter().map(|hit| hit.attack).collect();
    assert_eq!(attacks, [AttackType::OverlimitRes]);
}

#[test]
fn a_used_up_budget_is_a_hit_of_its_own() {
    let engine = engine(&costly_rules());
    let value = "mark".repeat(20_000);
    let headers = [header("X-A", "harmless"), header("X-B", &value)];
    let full = engine.scan(&request(&headers), &generous(), &mut Scratch::default());
    assert!(full.hits.is_empty());
    let limits = Limits { steps: full.steps - 50_000, steps_per_byte: 0, ..Limits::default() };
    let cut = engine.scan(&request(&headers), &limits, &mut Scratch::default());
    let [hit] = cut.hits.as_slice() else { panic!("{:?}", cut.hits) };
    assert_eq!(hit.attack, AttackType::OverlimitRes);
    assert_eq!(hit.points, ["[header, 'X-B']"]);
    assert_eq!(hit.indicators, [("step-budget".to_owned(), 10.0)]);
    assert_eq!((hit.score, hit.threshold), (10.0, 10.0));
    assert!(hit.rules.is_empty() && hit.payloads.is_empty());
    let explanation = engine.explain(&request(&headers), &limits);
    assert_eq!(explanation.attacks().collect::<Vec<_>>(), [AttackType::OverlimitRes]);
}

#[test]
fn what_a_hit_leaves_out_is_marked() {
    let engine = engine(&rule(1, "weight = 10\nliterals = ['alpha']\nin = ['header']"));
    let long = format!("alpha{}", "x".repeat(300));
    let cases = [
        (vec!["alpha"; 32], false, false),
        (vec!["alpha"; 33], true, true),
        (vec!["alpha", &long], false, true),
        (vec!["alpha", &long[..256]], false, false),
    ];
    for (values, points, payloads) in cases {
        let headers: Vec<Header<'_>> = values.iter().map(|value| header("A", value)).collect();
        let verdict = scan_headers(&engine, &headers);
        let hit = &verdict.hits[0];
        assert_eq!((hit.points_cut, hit.payloads_cut), (points, payloads), "{}", values.len());
        assert!(hit.points.len() <= 32 && hit.payloads.iter().all(|text| text.len() <= 256));
    }
}

/// A request of a JSON body.
fn post<'a>(headers: &'a [Header<'a>], body: &'a [u8]) -> Request<'a> {
    Request { method: b"POST", body, ..request(headers) }
}

#[test]
fn weak_signs_in_different_values_are_no_company_on_the_wire() {
    let rules = [
        rule(1, "weight = 6\nliterals = ['alpha']"),
        rule(2, "weight = 6\nliterals = ['beta']"),
        rule(3, "weight = 10\nliterals = ['gamma']\nrequires = ['r1']"),
        rule(4, "weight = 10\nliterals = ['delta']\nin = ['raw-body', 'uri']"),
    ];
    let engine = engine(&rules.concat());
    let headers = [header("Content-Type", "application/json")];
    let cases: [(&str, &str, bool); 8] = [
        ("/", r#"[{"t":"alpha"},{"t":"beta"}]"#, false),
        ("/", r#"[{"t":"alpha"},{"t":"gamma"}]"#, false),
        ("/", r#"[{"t":"alpha beta"}]"#, true),
        ("/", r#"{"alpha":"beta"}"#, false),
        ("/?a=alpha&b=beta", "", false),
        ("/alpha?b=beta", "", false),
        ("/?a=alpha+beta", "", true),
        ("/?a=delta", "", true),
    ];
    for (uri, body, expected) in cases {
        let request = Request { uri: uri.as_bytes(), ..post(&headers, body.as_bytes()) };
        let verdict = engine.scan(&request, &Limits::default(), &mut Scratch::default());
        assert_eq!(!verdict.hits.is_empty(), expected, "{uri} {body}: {:?}", verdict.hits);
    }
}

#[test]
fn values_beyond_the_point_limit_are_judged_alone() {
    let rules =
        [rule(1, "weight = 6\nliterals = ['alpha']"), rule(2, "weight = 6\nliterals = ['beta']")];
    let engine = engine(&rules.concat());
    let headers = [header("Content-Type", "application/json")];
    for (tail, expected) in [(r#""alpha","beta""#, false), (r#""x","alpha beta""#, true)] {
        let body = format!("[{}{tail}]", r#""x","#.repeat(40_000));
        let request = post(&headers, body.as_bytes());
        let verdict = engine.scan(&request, &Limits::default(), &mut Scratch::default());
        assert!(verdict.limits.points && !verdict.limits.overlimit_res);
        assert_eq!(!verdict.hits.is_empty(), expected, "{tail}: {:?}", verdict.hits);
    }
}

/// No step budget to speak of.
fn generous() -> Limits {
    Limits { steps: u64::MAX / 2, ..Limits::default() }
}

/// Rules whose regexes are searched in vain wherever "mark" is repeated.
fn costly_rules() -> String {
    let keys = |id| format!("weight = 10\nliterals = ['mark']\nregex = 'mark[^;]*no{id}!'");
    (1..40).map(|id| rule(id, &keys(id))).collect()
}

#[test]
fn repeated_literals_stay_linear() {
    let engine = engine(&costly_rules());
    let cost = |times: usize| {
        let value = "mark".repeat(times);
        let headers = [header("X-Test", &value)];
        let verdict = engine.scan(&request(&headers), &generous(), &mut Scratch::default());
        assert!(verdict.hits.is_empty());
        verdict.steps as usize / value.len()
    };
    let (short, long) = (cost(1_000), cost(8_000));
    assert!(long <= short + 1, "{short} and {long} steps a byte");
    assert!(long <= 39 * 5, "{long} steps a byte");
}

#[test]
fn explanations_agree_with_verdicts_and_can_be_read() {
    let rules = [
        rule(1, "weight = 4\nliterals = ['alpha']\nin = ['header']"),
        rule(2, "weight = 7\nliterals = ['beta']\nin = ['header']"),
    ];
    let engine = engine(&rules.concat());
    let headers = [header("X-Test", "alpha\tBETA\u{1b}"), header("X-Other", "beta")];
    let explanation = engine.explain(&request(&headers), &Limits::default());
    assert_eq!(explanation.attacks().collect::<Vec<_>>(), [AttackType::Sqli]);
    let text = explanation.to_string();
    for part in [
        "[header, 'X-TEST'] Header",
        "+4 sqli 1 r1",
        "+7 sqli 2 r2",
        "alpha\\tBETA\\u{1b}",
        "11 sqli: attack, the threshold is 10",
        "7 sqli: suspect, the threshold is 10",
        "verdict: sqli",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
}

#[test]
fn below_the_threshold_a_request_is_suspect_from_six_on() {
    let rules = [
        rule(1, "weight = 5.99\nliterals = ['alpha']"),
        rule(2, "weight = 6\nliterals = ['beta']"),
        rule(3, "weight = 9.99\nliterals = ['gamma']"),
        rule(4, "weight = 10\nliterals = ['delta']"),
    ];
    let engine = engine(&rules.concat());
    for (values, suspect, verdict) in [
        (["", ""], false, "clean"),
        (["alpha", "alpha"], false, "clean"),
        (["alpha", "beta"], true, "suspect, no attack"),
        (["gamma", ""], true, "suspect, no attack"),
        (["beta", "delta"], false, "sqli"),
    ] {
        let headers = values.map(|value| header("X-Test", value));
        assert_eq!(scan_headers(&engine, &headers).suspect, suspect, "{values:?}");
        let text = engine.explain(&request(&headers), &Limits::default()).to_string();
        assert!(text.contains(&format!("\nverdict: {verdict}; ")), "{values:?}:\n{text}");
    }
}

#[test]
fn faults_keep_an_engine_from_being_built() {
    let rules = [
        rule(1, "weight = 1\nliterals = ['abc']\nregex = '(abc'"),
        rule(2, "weight = 1\nliterals = ['abc']\nregex = 'Abc'"),
        rule(3, "weight = 1\nliterals = ['abc']\nregex = 'a*'"),
        rule(5, "weight = 1\nliterals = ['abc']\nregex = '(?=abc)'"),
        rule(6, "weight = 1\nliterals = ['Abc']"),
    ];
    let error = Engine::new(RuleSet::parse("test", &rules.concat()).unwrap()).unwrap_err();
    let text = error.to_string();
    let parts = [
        "test:29: rule 6 \"r6\": literal \"Abc\" is not in lower case",
        "test:1: rule 1 \"r1\": regex: unclosed group",
        "test:8: rule 2 \"r2\": regex: 'A' can never match",
        "test:15: rule 3 \"r3\": regex: matches nothing at all",
        "rule 5 \"r5\": regex: look-around",
    ];
    assert_eq!(text.lines().count(), 5, "{text}");
    for part in parts {
        assert!(text.contains(part), "{part} in\n{text}");
    }
}
