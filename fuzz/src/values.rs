//! Values: encoded such that what they hold is known, and as they come.

use std::collections::BTreeSet;

use wallarm_detect::{Header, Limits, Request};

use super::check::{self, header, post, ENGINE};

/// One round of a container's own encoding is undone exactly; any number of rounds does no harm.
pub fn decode(data: &[u8]) {
    if data.is_empty() {
        return;
    }
    let once = percent(data);
    let twice = percent(once.as_bytes());
    for value in [once.as_str(), &twice] {
        let decoded = if value == once { data } else { once.as_bytes() };
        let uri = format!("/?q={value}");
        let cookie = format!("a=b; c={value}");
        let form = format!("x=1&y={value}");
        let headers = [
            header("Cookie", cookie.as_bytes()),
            header("Content-Type", b"application/x-www-form-urlencoded"),
        ];
        let in_query = Request { uri: uri.as_bytes(), ..post(&[], b"") };
        for request in [in_query, post(&headers[..1], b""), post(&headers[1..], form.as_bytes())] {
            let extracted = check::request(&request);
            assert!(extracted.hit.any() || extracted.shows(decoded), "{value} is not decoded");
        }
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    for (kind, document) in [
        ("application/json", format!("[\"{}\"]", escapes(text))),
        ("text/xml", format!("<a>{}</a>", entities(text))),
    ] {
        check::request(&post(&[header("Content-Type", kind.as_bytes())], document.as_bytes()));
    }
}

fn percent(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02x}")).collect()
}

fn escapes(text: &str) -> String {
    text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect()
}

fn entities(text: &str) -> String {
    text.chars().map(|character| format!("&#x{:x};", u32::from(character))).collect()
}

/// Explaining and training see what scanning sees, wherever a value stands.
pub fn values(data: &[u8]) {
    let query = [b"/p?a=", data].concat();
    let path = [b"/p/", data].concat();
    let form = header("Content-Type", b"application/x-www-form-urlencoded");
    let helper = Header { helper: true, ..form };
    let headers = [header("X-Value", data), header("Cookie", data), header("Referer", data)];
    let requests = [
        Request { uri: &query, ..post(&[], b"") },
        Request { uri: &path, ..post(&[], b"") },
        post(&headers, b""),
        post(std::slice::from_ref(&form), data),
        post(&[], data),
        post(std::slice::from_ref(&helper), data),
    ];
    let limits = Limits::default();
    for request in &requests {
        check::request(request);
    }
    // Explaining is slow, and wherever a value stands, it is explained in the same way.
    let Some(request) = requests.get(data.len() % requests.len()) else { return };
    let attacks = check::request(request).attacks;
    let explanation = ENGINE.explain(request, &limits);
    let of_values = explanation.attacks().filter(|attack| !check::is_of_limit(*attack));
    let explained: BTreeSet<_> = of_values.collect();
    // Explaining has the model read more, so it may come to its end where scanning does not.
    assert!(explanation.limits.overlimit_res || attacks == explained, "explained differently");
    assert!(explanation.to_string().len() >= explanation.views.len());
    check::with_scratch(|scratch| {
        ENGINE.evidence(request, &limits, scratch, |evidence| assert!(evidence.base.is_finite()));
    });
}
