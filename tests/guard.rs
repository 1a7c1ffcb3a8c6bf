//! A client request is captured once, however often NGINX runs its phases.

use crate::harness::{form, get, request, Conf, SQLI_TARGET};
use crate::mirror_sink::FORM;

fn node(locations: &str) -> Conf {
    Conf::new(&format!(
        "server {{ listen 127.0.0.1:@NODE@; root html; wallarm_force response_status 0; {locations} }}"
    ))
    .file("html/index.html", "index")
    .file("html/fallback.html", "fallback")
    .file("html/404.html", "missing")
}

/// One request whose phases run twice gives one capture, with the client's own target.
fn captured_once(locations: &str, target: &str, status: u16, body: &str) {
    let mut nginx = node(locations).start();
    let target = format!("{target}{}", &SQLI_TARGET[1..]);
    let response = nginx.get("NODE", &target);
    assert_eq!((response.status, response.text().as_str()), (status, body));
    nginx.settled_after(1);
    assert_eq!(nginx.hit("sqli").str("uri"), target);
}

#[test]
fn captures_an_index_redirect_once() {
    captured_once("location / { index index.html; }", "/", 200, "index");
}

#[test]
fn captures_a_try_files_redirect_once() {
    captured_once("location / { try_files $uri /fallback.html; }", "/nothing", 200, "fallback");
}

#[test]
fn captures_a_named_location_once() {
    let locations = "location / { try_files $uri @other; } location @other { wallarm_sink; }";
    captured_once(locations, "/nothing", 204, "");
}

#[test]
fn captures_an_error_page_once() {
    captured_once("error_page 404 /404.html;", "/nothing", 404, "missing");
}

#[test]
fn captures_a_body_that_cannot_be_read_once_on_its_way_to_an_error_page() {
    let mut nginx = node("client_max_body_size 100; error_page 413 /404.html;").start();
    nginx.expect_in_error_log("client intended to send too large");
    let head =
        format!("POST {SQLI_TARGET} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    let request = format!("{head}3e8\r\n{}\r\n0\r\n\r\n", "a".repeat(1000));
    let response = nginx.ask("NODE", request.as_bytes());
    assert_eq!((response.status, response.text().as_str()), (413, "missing"));
    let event = nginx.hit("sqli");
    assert_eq!((event.str("method"), event.num("body_bytes")), ("POST", 0));
    nginx.settled_after(1);
}

#[test]
fn captures_a_body_once_across_a_redirect() {
    let locations = "location / { error_page 405 =200 /done; } location = /done { wallarm_sink; }";
    let mut nginx = node(locations).start();
    assert_eq!(nginx.ask("NODE", &form("/index.html", FORM)).status, 204);
    nginx.settled_after(1);
    assert_eq!(nginx.hit("sqli").num("body_bytes") as usize, FORM.len());
}

#[test]
fn a_sink_that_is_an_error_page_answers() {
    for page in ["error_page 404 /done;", "error_page 404 = /done;", "error_page 404 @done;"] {
        let sinks = "location = /done { wallarm_sink; } location @done { wallarm_sink; }";
        captured_once(&format!("location / {{ {page} }} {sinks}"), "/nothing", 204, "");
    }
}

#[test]
fn captures_a_request_once_that_is_mirrored_twice() {
    let mut conf = Conf::same_instance();
    conf.replace("mirror /wallarm;", "mirror /wallarm; mirror /wallarm;");
    let mut nginx = conf.start();
    assert_eq!(nginx.get("FRONT", SQLI_TARGET).text(), "app");
    nginx.settled_after(1);
    nginx.hit("sqli");
}

#[test]
fn captures_a_request_once_whose_redirect_is_mirrored_again() {
    let mut conf = Conf::same_instance().file("html/index.html", "index");
    conf.replace("proxy_pass http://127.0.0.1:@APP@;", "root html; index index.html;");
    let mut nginx = conf.start();
    assert_eq!(nginx.get("FRONT", SQLI_TARGET).text(), "index");
    nginx.settled_after(1);
    assert_eq!(nginx.hit("sqli").str("uri"), SQLI_TARGET);
}

#[test]
fn completes_a_head_by_its_mirror_under_one_id() {
    let mut nginx = Conf::same_instance().http("wallarm_mode monitoring;").start();
    let body = "comment=%3Cscript%3Ealert(document.cookie)%3C/script%3E";
    assert_eq!(nginx.ask("FRONT", &form(SQLI_TARGET, body)).text(), "app");
    let (in_query, in_body) = (nginx.hit("sqli"), nginx.hit("xss"));
    assert_eq!(in_query.request(), in_body.request());
    assert_ne!(in_query.str("event_id"), in_body.str("event_id"));
    let status = nginx.settled_after(1);
    assert_eq!(status.count("completions"), 1, "{status:?}");
}

#[test]
fn captures_each_request_of_a_connection() {
    let mut nginx = node("location / { index index.html; }").start();
    let mut client = nginx.client("NODE");
    for _ in 0..5 {
        assert_eq!(client.ask(&get(SQLI_TARGET)).text(), "index");
    }
    nginx.settled_after(5);
    nginx.hits("sqli", 5);
}

#[test]
fn captures_no_subrequest_of_another_kind() {
    let node = "server { listen 127.0.0.1:@FRONT@; wallarm_mode monitoring; root html;
        location / { auth_request /auth; ssi on; index index.html; }
        location = /auth { proxy_pass http://127.0.0.1:@APP@; }
        location = /part { proxy_pass http://127.0.0.1:@APP@; }
    }
    server { listen 127.0.0.1:@APP@; wallarm_mode off; location / { return 200 part; } }";
    let page = "<!--# include virtual=\"/part\" -->";
    let mut nginx = Conf::new(node).file("html/page.html", page).start();
    let response = nginx.get("FRONT", &format!("/page.html{}", &SQLI_TARGET[1..]));
    assert_eq!((response.status, response.text().as_str()), (200, "part"));
    nginx.settled_after(1);
    nginx.hit("sqli");
}

#[test]
fn an_error_page_does_not_change_the_method_that_is_told() {
    // NGINX turns the method into GET on the way to the page, where the mode is on.
    let locations = "wallarm_mode off; location / { return 404; } error_page 404 /404.html;
        location = /404.html { wallarm_mode monitoring; }";
    let mut nginx = node(locations).start();
    assert_eq!(nginx.ask("NODE", &request("PUT", SQLI_TARGET, &[], b"")).status, 404);
    let event = nginx.hit("sqli");
    assert_eq!(event.str("method"), "PUT");
    assert!(event.str("request_head").starts_with("PUT /"), "{event:#?}");
}
