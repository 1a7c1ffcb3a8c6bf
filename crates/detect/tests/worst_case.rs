//! Hostile requests: steps grow with the length and not faster, and a used-up budget is told without losing what was found.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail as tests do")]

#[path = "common/sample.rs"]
mod sample;

use std::io::Write;
use std::sync::LazyLock;

use flate2::write::GzEncoder;
use flate2::Compression;
use wallarm_detect::rules::Trigger;
use wallarm_detect::{AttackType, Engine, Hit, Limits, Scratch, Verdict};

use sample::Sample;

static ENGINE: LazyLock<Engine> =
    LazyLock::new(|| Engine::builtin().unwrap_or_else(|error| panic!("{error}")));

/// Lengths of the requests that are compared.
const LENGTHS: [usize; 3] = [64 << 10, 128 << 10, 1 << 20];

/// How much faster than the length steps may grow, in percent: beginnings and ends weigh more in short requests.
const GROWTH: u64 = 108;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const XML: &str = "text/xml";
const MULTIPART: &str = "multipart/form-data; boundary=cut";

fn post(kind: &str, body: impl Into<Vec<u8>>) -> Sample {
    let headers = vec![("Content-Type", kind.to_owned())];
    Sample { uri: "/".into(), headers, body: body.into() }
}

fn query(value: &str) -> Sample {
    Sample { uri: format!("/?q={value}"), ..Sample::default() }
}

fn scan(sample: &Sample, limits: &Limits) -> Verdict {
    sample.with(|request| ENGINE.scan(request, limits, &mut Scratch::default()))
}

/// `piece` as often as it takes to reach `length` bytes.
fn fill(piece: &str, length: usize) -> String {
    piece.repeat(length.div_ceil(piece.len()))
}

/// `piece` of each number as often as it fits, for names that differ.
fn numbered(length: usize, piece: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for number in 0.. {
        text.push_str(&piece(number));
        if text.len() >= length {
            break;
        }
    }
    text
}

fn literals() -> String {
    let of = |trigger: &Trigger| match trigger {
        Trigger::Literals { literals, .. } => literals.join(" "),
        Trigger::Anomaly(_) => String::new(),
    };
    let all: Vec<String> = ENGINE.rules().iter().map(|rule| of(&rule.trigger)).collect();
    all.join(" ").replace(['"', '\\'], "'").replace(char::is_control, " ")
}

/// `text` encoded this often.
fn percent(text: &str, rounds: usize) -> String {
    let once = |text: String| text.bytes().map(|byte| format!("%{byte:02x}")).collect();
    (0..rounds).fold(text.to_owned(), |text, _| once(text))
}

/// Fails if the steps for a request grow faster than its length.
fn grows_with_the_length(name: &str, make: impl Fn(usize) -> Sample) {
    // Generous, so that the budget does not hide growth.
    let limits = Limits { steps: u64::MAX >> 1, ..Limits::default() };
    let mut last: Option<(u64, u64)> = None;
    for length in LENGTHS {
        let steps = scan(&make(length), &limits).steps;
        let length = length as u64;
        if let Some((shorter, fewer)) = last {
            let most = fewer * length / shorter * GROWTH / 100;
            assert!(steps <= most, "{name}: {steps} for {length} bytes, {fewer} for {shorter}");
        }
        last = Some((length, steps));
    }
}

#[test]
fn plain_values_of_any_length_are_read_in_linear_time() {
    grows_with_the_length("a word", |length| query(&fill("a", length)));
    grows_with_the_length("a token", |length| query(&fill("Ab3_", length)));
    grows_with_the_length("digits", |length| {
        post(FORM, format!("a={}", fill("1234567890", length)))
    });
    grows_with_the_length("a line", |length| post("text/plain", fill("garden ", length)));
    grows_with_the_length("punctuation", |length| post("text/plain", fill("!?;:,.-", length)));
}

#[test]
fn what_looks_like_attacks_is_read_in_linear_time() {
    let all = literals();
    // So few that even the shortest request holds them several times: else a longer one holds others.
    let most = LENGTHS[0] / 8;
    let every = all.len().div_ceil(most);
    let all: Vec<&str> = all.split(' ').step_by(every).collect();
    let repeated = |length, separator: &str| {
        let mut text = String::new();
        for literal in all.iter().cycle() {
            if text.len() >= length {
                break;
            }
            text.push_str(literal);
            text.push_str(separator);
        }
        text
    };
    grows_with_the_length("literals", |length| {
        post(JSON, format!("[\"{}\"]", repeated(length, " ")))
    });
    grows_with_the_length("literals in values", |length| {
        post(JSON, format!("[\"{}\"]", repeated(length, "\",\"")))
    });
    grows_with_the_length("one literal", |length| {
        post(FORM, format!("a={}", fill("union+select+", length)))
    });
    grows_with_the_length("quotes", |length| post(FORM, format!("a={}", fill("'\"`", length))));
    grows_with_the_length("comparisons", |length| query(&fill("a'+or+1=1+", length)));
    grows_with_the_length("tags", |length| {
        post("text/plain", fill("<a onx= style=x script ", length))
    });
    grows_with_the_length("steps up", |length| query(&fill("../", length)));
    grows_with_the_length("braces", |length| post("text/plain", fill("${{{", length)));
}

#[test]
fn encodings_are_undone_in_linear_time() {
    grows_with_the_length("percent signs", |length| query(&fill("%25", length)));
    grows_with_the_length("six rounds", |length| query(&percent("'or'", 5).repeat(length / 972)));
    grows_with_the_length("entities", |length| {
        post(XML, format!("<a>{}</a>", fill("&#x26;lt;", length)))
    });
    grows_with_the_length("escapes", |length| {
        post(JSON, format!("[\"{}\"]", fill("\\u005cu0027", length)))
    });
    grows_with_the_length("backslashes", |length| {
        post(JSON, format!("[\"{}\"]", fill("\\\\", length)))
    });
    grows_with_the_length("base64", |length| query(&fill("PHNjcmlwdD4g", length)));
    grows_with_the_length("tokens", |length| Sample {
        uri: "/".into(),
        headers: vec![("Authorization", format!("Bearer {}", fill("eyJhIjoiYiJ9.", length)))],
        body: Vec::new(),
    });
    grows_with_the_length("UTF-7", |length| {
        post("text/plain; charset=utf-7", fill("+ADw-", length))
    });
    grows_with_the_length("UTF-16", |length| post("text/plain", fill("a\0", length)));
}

#[test]
fn any_number_of_values_is_read_in_linear_time() {
    grows_with_the_length("parameters", |length| {
        query(&numbered(length, |n| format!("&p{n}=a'b")))
    });
    grows_with_the_length("one parameter", |length| query(&fill("&q=a'b", length)));
    grows_with_the_length("arrays", |length| {
        post(FORM, numbered(length, |n| format!("&a{n}[]=1")))
    });
    grows_with_the_length("brackets", |length| post(FORM, format!("a{}=1", fill("[b]", length))));
    grows_with_the_length("odd names", |length| {
        post(FORM, numbered(length, |n| format!("&'{n}=1")))
    });
    grows_with_the_length("cookies", |length| {
        let cookies = numbered(length, |n| format!("c{n}=a'b; "));
        Sample { uri: "/".into(), headers: vec![("Cookie", cookies)], body: Vec::new() }
    });
    grows_with_the_length("headers", |length| {
        let headers = (0..length / 16).map(|n| ("X-Value", format!("{n:08}'")));
        Sample { uri: "/".into(), headers: headers.collect(), body: Vec::new() }
    });
    grows_with_the_length("segments", |length| Sample {
        uri: fill("/a'b", length),
        ..Sample::default()
    });
}

#[test]
fn documents_are_read_in_linear_time() {
    grows_with_the_length("strings", |length| {
        post(JSON, format!("[{}\"\"]", fill("\"a'b\",", length)))
    });
    grows_with_the_length("numbers", |length| post(JSON, format!("[{}0]", fill("1,", length))));
    grows_with_the_length("keys", |length| {
        post(JSON, format!("{{{}\"z\":1}}", numbered(length, |n| format!("\"k{n}\":\"v'\","))))
    });
    grows_with_the_length("open arrays", |length| post(JSON, fill("[", length)));
    grows_with_the_length("open objects", |length| post(JSON, fill("{\"a\":", length)));
    grows_with_the_length("open quotes", |length| post(JSON, format!("[{}", fill("\"'", length))));
    grows_with_the_length("documents in strings", |length| {
        post(JSON, format!("[{}\"\"]", fill(r#""{\"a\":\"[\\\"b\\\"]\"}","#, length)))
    });
    grows_with_the_length("tags", |length| {
        post(XML, format!("<r>{}</r>", fill("<a b='c'>d</a>", length)))
    });
    grows_with_the_length("open tags", |length| post(XML, fill("<a>", length)));
    grows_with_the_length("attributes", |length| {
        post(XML, format!("<a {}/>", fill("b='c' ", length)))
    });
    grows_with_the_length("comments", |length| post(XML, fill("<!--a-->", length)));
    grows_with_the_length("open comments", |length| post(XML, fill("<!--", length)));
    grows_with_the_length("open sections", |length| post(XML, fill("<![CDATA[", length)));
    grows_with_the_length("entities", |length| {
        let entities = numbered(length, |n| format!("<!ENTITY e{n} \"&e{};x\">", n / 2));
        post(XML, format!("<!DOCTYPE a [{entities}]><a>&e9;</a>"))
    });
}

#[test]
fn multipart_bodies_are_read_in_linear_time() {
    let part = "--cut\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb'\r\n";
    grows_with_the_length("parts", |length| post(MULTIPART, fill(part, length)));
    grows_with_the_length("boundaries", |length| post(MULTIPART, fill("--cut\r\n", length)));
    grows_with_the_length("near boundaries", |length| {
        post(MULTIPART, format!("--cut\r\n{}", fill("cut", length)))
    });
    grows_with_the_length("headers of a part", |length| {
        post(MULTIPART, format!("--cut\r\n{}\r\n--cut--", fill("X: a'\r\n", length)))
    });
    grows_with_the_length("parameters of a part", |length| {
        let parameters = fill("; filename=\"a\" name", length);
        post(MULTIPART, format!("--cut\r\nContent-Disposition: x{parameters}\r\n\r\nb\r\n--cut--"))
    });
    grows_with_the_length("quotes of a part", |length| {
        let quotes = fill("\" ", length);
        post(
            MULTIPART,
            format!("--cut\r\nContent-Disposition: x; name=\"{quotes}\r\n\r\nb\r\n--cut--"),
        )
    });
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn compressed_bodies_are_read_in_linear_time() {
    let member = gzip(b"a");
    grows_with_the_length("members", |length| post(FORM, member.repeat(length / member.len())));
    grows_with_the_length("streams in values", |length| {
        post(JSON, format!("[{}\"\"]", fill("\"H4sIAAAAAAAAA0sEAEO+t+gBAAAA\",", length)))
    });
}

#[test]
fn bombs_cost_no_more_than_what_may_come_out_of_them() {
    let limits = Limits::default();
    let most = u64::from(limits.inflated_bytes) * u64::from(limits.steps_per_byte) + limits.steps;
    let flat = gzip(&vec![b'x'; 16 << 20]);
    for (body, coding) in [(gzip(&flat), "gzip, gzip"), (flat, "gzip")] {
        let mut sample = post("text/plain", body);
        sample.headers.push(("Content-Encoding", coding.into()));
        let verdict = scan(&sample, &limits);
        let own = sample.body.len() as u64 * u64::from(limits.steps_per_byte);
        assert!(verdict.steps <= most + own, "{} steps", verdict.steps);
        assert!(verdict.hits.iter().any(|hit| hit.attack == AttackType::DataBomb), "{verdict:?}");
    }
}

#[test]
fn entity_bombs_are_measured_and_not_expanded() {
    let entities: String = (1..40)
        .map(|n| format!("<!ENTITY e{n} \"{}\">", format!("&e{};", n - 1).repeat(10)))
        .collect();
    let bomb = format!("<!DOCTYPE a [<!ENTITY e0 \"lol\">{entities}]><a>&e39;</a>");
    let verdict = scan(&post(XML, bomb.as_bytes()), &Limits::default());
    assert!(verdict.hits.iter().any(|hit| hit.attack == AttackType::DataBomb), "{verdict:?}");
    assert!(verdict.steps < 1000 * bomb.len() as u64, "{} steps", verdict.steps);
}

#[test]
fn a_used_up_budget_keeps_the_attack_found_before() {
    let rest = fill("union+select+'+or+1=1+--+", 1 << 20);
    let sample = Sample {
        uri: "/?id=1'+union+select+password+from+users+--+".into(),
        ..post(FORM, format!("a={rest}"))
    };
    let limits = Limits { steps: 100_000, steps_per_byte: 1, ..Limits::default() };
    let verdict = scan(&sample, &limits);
    let found: Vec<AttackType> = verdict.hits.iter().map(|hit| hit.attack).collect();
    assert!(verdict.limits.overlimit_res);
    assert!(
        found.contains(&AttackType::Sqli) && found.contains(&AttackType::OverlimitRes),
        "{found:?}"
    );
    let sqli = verdict.hits.iter().find(|hit| hit.attack == AttackType::Sqli).unwrap();
    assert_eq!(sqli.points.first().map(String::as_str), Some("[get, 'id']"));
}

#[test]
fn reports_stay_small_however_many_values_are_attacks() {
    let literals = literals();
    let words: Vec<&str> = literals.split(' ').filter(|word| word.len() > 2).collect();
    let value = |n: usize| {
        let of = |step: usize| words.get(n * step % words.len()).copied().unwrap_or_default();
        format!("\"1' or {} ( {} , {} ) from users -- {n}\",", of(1), of(7), of(31))
    };
    let body = format!("[{}0]", numbered(256 << 10, value));
    let verdict = scan(&post(JSON, body), &Limits::default());
    let sqli = verdict.hits.iter().find(|hit| hit.attack == AttackType::Sqli).unwrap();
    assert!(sqli.points_cut && sqli.points.len() == Hit::MOST_POINTS);
    let most = sqli.rules.len() + Hit::MOST_POINTS * 8;
    assert!(sqli.indicators.len() <= most, "{} indicators", sqli.indicators.len());
}
