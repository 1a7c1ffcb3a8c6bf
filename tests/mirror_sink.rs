//! Topology A: a mirror subrequest that ends in a sink of the same server, with every kind of body.

use crate::harness::{form, get, request, Binaries, Client, Conf, Nginx, SQLI_TARGET};

/// [`crate::harness::SQLI`] as the field `id` of a form.
pub(crate) const FORM: &str = "id=1%27+union+select+password+from+users--+-";

/// Where events find it.
const POINT: &str = "[post, form_urlencoded, 'id']";

/// A form of `size` bytes with the attack in its last field.
fn long_form(size: usize) -> String {
    let filler = "text=".to_owned() + &"plain+words+".repeat(size / 12);
    let filler = &filler[..size - FORM.len() - 1];
    format!("{filler}&{FORM}")
}

/// The client is answered by the application, and one attack is reported from the field `id` of the form.
fn finds_in_form(nginx: &mut Nginx, request: &[u8], length: usize) {
    let response = nginx.ask("FRONT", request);
    assert_eq!((response.status, response.text().as_str()), (200, "app"));
    let event = nginx.hit("sqli");
    assert!(event.list("points").contains(&POINT), "{event:#?}");
    assert_eq!(event.num("body_bytes") as usize, length);
    assert_eq!(event.str("method"), "POST");
    nginx.settled_after(1);
}

pub(crate) fn query(binaries: Binaries) {
    let mut nginx = Conf::same_instance().binaries(binaries).start();
    let port = nginx.port("FRONT");
    let mut client = Client::connect_from([127, 0, 0, 9].into(), port);
    let response = client.ask(&get(SQLI_TARGET));
    assert_eq!((response.status, response.text().as_str()), (200, "app"));
    let event = nginx.hit("sqli");
    assert_eq!(event.str("uri"), SQLI_TARGET, "the client's target, not the mirror location's");
    assert!(event.list("points").contains(&"[get, 'id']"), "{event:#?}");
    assert_eq!(event.str("remote_addr"), "127.0.0.9");
    assert_eq!(event.num("remote_port"), i64::from(client.local_port()));
    assert_eq!(event.str("server_addr"), "127.0.0.1");
    assert_eq!(event.num("server_port"), i64::from(port));
    assert_eq!(event.str("host"), "shop.example");
    assert_eq!(event.str("protocol"), "HTTP/1.1");
    assert_eq!(event.num("body_bytes"), 0);
    nginx.settled_after(1);
}

pub(crate) fn memory_body(binaries: Binaries) {
    let mut nginx = Conf::same_instance().binaries(binaries).start();
    finds_in_form(&mut nginx, &form("/login", FORM), FORM.len());
}

pub(crate) fn temp_file_body(binaries: Binaries) {
    let mut nginx = Conf::same_instance().binaries(binaries).start();
    finds_in_form(&mut nginx, &form("/login", &long_form(100_000)), 100_000);
    nginx.wait_for_error("a client request body is buffered to a temporary file");
}

pub(crate) fn chunked_body(binaries: Binaries) {
    let mut nginx = Conf::same_instance().binaries(binaries).start();
    let mut client = nginx.client("FRONT");
    client.send(
        b"POST /login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\
          Content-Type: application/x-www-form-urlencoded\r\n\r\n",
    );
    for part in FORM.as_bytes().chunks(7) {
        client.send(format!("{:x}\r\n", part.len()).as_bytes());
        client.send(part);
        client.send(b"\r\n");
    }
    finds_in_form_of(&mut nginx, client);
}

/// The end of a chunked request whose form was [`FORM`].
fn finds_in_form_of(nginx: &mut Nginx, mut client: Client) {
    let response = client.ask(b"0\r\n\r\n");
    assert_eq!((response.status, response.text().as_str()), (200, "app"));
    let event = nginx.hit("sqli");
    assert!(event.list("points").contains(&POINT), "{event:#?}");
    assert_eq!(event.num("body_bytes") as usize, FORM.len());
}

#[test]
fn finds_an_attack_in_a_request_without_body() {
    query(Binaries::built());
}

#[test]
fn finds_an_attack_in_a_body_in_memory() {
    memory_body(Binaries::built());
}

#[test]
fn finds_an_attack_in_a_body_in_a_temporary_file() {
    temp_file_body(Binaries::built());
}

#[test]
fn finds_an_attack_in_a_chunked_body() {
    chunked_body(Binaries::built());
}

#[test]
fn finds_an_attack_in_a_chunked_body_in_a_temporary_file() {
    let mut nginx = Conf::same_instance().start();
    let body = long_form(60_000);
    let mut text = String::from(
        "POST /login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n",
    );
    for part in body.as_bytes().chunks(1000) {
        text.push_str(&format!("{:x}\r\n{}\r\n", part.len(), String::from_utf8_lossy(part)));
    }
    text.push_str("0\r\n\r\n");
    finds_in_form(&mut nginx, text.as_bytes(), body.len());
}

#[test]
fn finds_an_attack_wherever_it_lies_across_arenas() {
    let settings = "client_body_buffer_size 512k; wallarm_arena_size 4k;";
    let mut nginx = Conf::same_instance().http(settings).start();
    let sizes = [3900, 4000, 4060, 4090, 4110, 4140, 8192, 8210, 50_000, 100_000];
    for size in sizes {
        assert_eq!(nginx.ask("FRONT", &form("/", &long_form(size))).status, 200);
    }
    let events = nginx.hits("sqli", sizes.len());
    let mut lengths: Vec<usize> =
        events.iter().map(|event| event.num("body_bytes") as usize).collect();
    lengths.sort_unstable();
    assert_eq!(lengths, sizes);
    let log = nginx.error_log();
    assert!(!log.contains("buffered to a temporary file"), "the bodies were to stay in memory");
}

#[test]
fn scans_the_head_alone_when_the_mirror_leaves_the_body_out() {
    let mut conf = Conf::same_instance();
    conf.replace("mirror /wallarm;", "mirror /wallarm; mirror_request_body off;");
    let mut nginx = conf.start();
    let body = "comment=%3Cscript%3Ealert(document.cookie)%3C/script%3E";
    assert_eq!(nginx.ask("FRONT", &form(SQLI_TARGET, body)).text(), "app");
    let event = nginx.hit("sqli");
    assert_eq!(event.num("body_bytes"), 0);
    assert!(!event.list("truncated").is_empty(), "the missing body must show: {event:#?}");
    nginx.settled_after(1);
    assert_eq!(nginx.events().len(), 1, "only the head could be scanned");
    let chunked = request("PUT", SQLI_TARGET, &[("Transfer-Encoding", "chunked")], b"");
    let chunked = [chunked.as_slice(), b"3\r\na=b\r\n0\r\n\r\n"].concat();
    assert_eq!(nginx.ask("FRONT", &chunked).text(), "app");
    let event = nginx.hits("sqli", 2).remove(1);
    assert_eq!(event.list("truncated"), ["body_absent"]);
}

#[test]
fn accepts_a_post_with_an_empty_body() {
    let mut nginx = Conf::same_instance().start();
    assert_eq!(nginx.ask("FRONT", &form(SQLI_TARGET, "")).text(), "app");
    let event = nginx.hit("sqli");
    assert_eq!(event.num("body_bytes"), 0);
    assert!(event.list("truncated").is_empty(), "{event:#?}");
}

#[test]
fn cuts_a_body_at_the_limit_and_says_so() {
    let settings = "client_body_buffer_size 512k; wallarm_body_limit 4k;";
    let mut nginx = Conf::same_instance().http(settings).start();
    let early = format!("{FORM}&{}", long_form(50_000));
    assert_eq!(nginx.ask("FRONT", &form("/early", &early)).status, 200);
    assert_eq!(nginx.ask("FRONT", &form("/late", &long_form(50_000))).status, 200);
    let status = nginx.settled_after(2);
    assert_eq!(status.count("truncated"), 2);
    let event = nginx.hit("sqli");
    assert_eq!(event.str("uri"), "/early");
    assert!(!event.list("truncated").is_empty(), "{event:#?}");
}

#[test]
fn shows_the_head_as_the_client_sent_it() {
    let mut nginx = Conf::same_instance().start();
    let headers = [("B-First", "one"), ("A-Second", "two"), ("B-First", "three")];
    nginx.ask("FRONT", &request("GET", SQLI_TARGET, &headers, b""));
    let event = nginx.hit("sqli");
    let head = event.str("request_head");
    let at = |text: &str| head.find(text).unwrap_or_else(|| panic!("no {text:?} in {head:?}"));
    assert!(head.starts_with(&format!("GET {SQLI_TARGET} HTTP/1.1")), "{head:?}");
    assert!(at("one") < at("two") && at("two") < at("three"), "{head:?}");
}

#[test]
fn leaves_clean_requests_without_events() {
    let mut nginx = Conf::same_instance().start();
    for target in ["/", "/search?q=union+of+select+people", "/a/b/c.html?page=2&sort=asc"] {
        assert_eq!(nginx.get("FRONT", target).text(), "app");
    }
    let status = nginx.settled_after(3);
    assert_eq!(status.count("scanned"), 3);
    assert!(nginx.events().is_empty(), "{:#?}", nginx.events());
}

#[test]
fn forwards_a_copy_and_scans_it_where_the_mirror_location_proxies_on() {
    let mut conf = Conf::same_instance();
    conf.replace(
        "client_max_body_size 0; wallarm_sink;",
        "client_max_body_size 0; wallarm_mode monitoring; proxy_pass http://127.0.0.1:@APP@$request_uri;",
    );
    let mut nginx = conf.start();
    finds_in_form(&mut nginx, &form("/login", FORM), FORM.len());
}

#[test]
fn carries_the_request_id_that_the_application_got() {
    let mut conf = Conf::same_instance();
    conf.replace("mirror /wallarm;", "mirror /wallarm; proxy_set_header X-Request-ID $request_id;");
    conf.replace("return 200 app;", "return 200 $http_x_request_id;");
    let mut nginx = conf.start();
    let response = nginx.get("FRONT", SQLI_TARGET);
    assert_eq!(response.body.len(), 32);
    assert_eq!(nginx.hit("sqli").str("request_id"), response.text());
}

#[test]
fn reads_bodies_that_nginx_keeps_in_files_or_in_one_buffer() {
    for settings in ["client_body_in_file_only clean;", "client_body_in_single_buffer on;"] {
        let mut nginx = Conf::same_instance().http(settings).start();
        finds_in_form(&mut nginx, &form("/login", FORM), FORM.len());
    }
}
