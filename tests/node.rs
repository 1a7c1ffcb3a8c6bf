//! Topology B: a node that receives copies over `proxy_pass`, from the NGINX that stands in front of the application.

use crate::harness::{form, get, request, Binaries, Client, Conf, SQLI_TARGET};
use crate::mirror_sink::FORM;

/// The front proxies to the application and, from 127.0.0.22, to the node.
const FRONT: &str = "
    server {
        listen 127.0.0.1:@FRONT@;
        location / { mirror /copy; proxy_pass http://127.0.0.1:@APP@; }
        location = /copy {
            internal;
            proxy_bind 127.0.0.22;
            proxy_pass http://127.0.0.1:@NODE@$request_uri;
            proxy_set_header Host $http_host;
            proxy_set_header X-SERVER-ADDR $server_addr;
            proxy_set_header X-SERVER-PORT $server_port;
            proxy_set_header X-REAL-IP $remote_addr;
            proxy_set_header X-Request-ID $request_id;
        }
    }
    server { listen 127.0.0.1:@APP@; location / { return 200 $request_id; } }";

/// The node of the design, trusting the front.
const NODE: &str = "
    server {
        listen 127.0.0.1:@NODE@; client_max_body_size 0;
        wallarm_force server_addr $http_x_server_addr;
        wallarm_force server_port $http_x_server_port;
        wallarm_request_id $http_x_request_id;
        set_real_ip_from  127.0.0.22;
        real_ip_header    X-REAL-IP;
        wallarm_force response_status 0;
        wallarm_force response_time 0;
        wallarm_force response_size 0;
        location / { wallarm_sink; }
    }";

pub(crate) fn topology() -> Conf {
    Conf::new(&format!("{FRONT}{NODE}"))
}

pub(crate) fn attributes_to_the_client(binaries: Binaries) {
    let mut nginx = topology().binaries(binaries).start();
    let port = nginx.port("FRONT");
    let mut client = Client::connect_from([127, 0, 0, 9].into(), port);
    assert_eq!(client.ask(&get(SQLI_TARGET)).status, 200);
    let event = nginx.hit("sqli");
    assert_eq!(event.str("remote_addr"), "127.0.0.9", "the client, not the front");
    assert_eq!(event.str("server_addr"), "127.0.0.1");
    assert_eq!(event.num("server_port"), i64::from(port), "the front's port, not the node's");
    assert_eq!(event.str("uri"), SQLI_TARGET);
    assert_eq!(event.str("host"), "shop.example");
    assert_eq!(event.str("request_id").len(), 32, "the front's $request_id: {event:#?}");
    for name in ["response_status", "response_time", "response_size"] {
        assert!(!event.has(name), "{name} was forced to 0, which means unknown: {event:#?}");
    }
    nginx.settled_after(1);
}

pub(crate) fn reads_bodies(binaries: Binaries) {
    let mut nginx = topology().binaries(binaries).start();
    assert_eq!(nginx.ask("FRONT", &form("/login", FORM)).status, 200);
    let long = format!("text={}&{FORM}", "plain+words+".repeat(5000));
    assert_eq!(nginx.ask("FRONT", &form("/login", &long)).status, 200);
    let lengths: Vec<usize> =
        nginx.hits("sqli", 2).iter().map(|event| event.num("body_bytes") as usize).collect();
    assert!(lengths.contains(&FORM.len()) && lengths.contains(&long.len()), "{lengths:?}");
    nginx.settled_after(2);
}

#[test]
fn attributes_an_event_to_the_client_and_the_server_it_asked() {
    attributes_to_the_client(Binaries::built());
}

#[test]
fn reads_bodies_in_memory_and_in_files() {
    reads_bodies(Binaries::built());
}

#[test]
fn carries_the_request_id_of_the_front() {
    let mut nginx = topology().start();
    let port = nginx.port("NODE");
    let id = "0123456789abcdef0123456789abcdef";
    let copy =
        request("GET", SQLI_TARGET, &[("X-Request-ID", id), ("X-REAL-IP", "203.0.113.7")], b"");
    assert_eq!(Client::connect_from([127, 0, 0, 22].into(), port).ask(&copy).status, 204);
    assert_eq!(nginx.hit("sqli").str("request_id"), id);
}

#[test]
fn answers_copies_with_204_and_no_body() {
    let mut nginx = topology().start();
    let mut client = nginx.client("NODE");
    for request in [get("/"), form("/a", "b=c"), request("HEAD", "/", &[], b"")] {
        let response = client.ask(&request);
        assert_eq!((response.status, response.body.len()), (204, 0), "{}", response.head);
    }
    nginx.settled_after(3);
}

#[test]
fn reports_a_forced_response_that_is_known() {
    let mut conf = topology();
    conf.replace("response_status 0", "response_status $http_x_status");
    conf.replace("response_time 0", "response_time 12");
    let mut nginx = conf.start();
    nginx.ask("NODE", &request("GET", SQLI_TARGET, &[("X-Status", "403")], b""));
    let event = nginx.hit("sqli");
    assert_eq!(event.num("response_status"), 403);
    assert_eq!(event.num("response_time"), 12);
    assert!(!event.has("response_size"));
}

#[test]
fn falls_back_to_its_own_address_when_a_forced_value_is_bad() {
    let mut nginx = topology().start();
    let port = nginx.port("NODE");
    let headers = [("X-SERVER-ADDR", "nonsense"), ("X-SERVER-PORT", "70000")];
    nginx.ask("NODE", &request("GET", SQLI_TARGET, &headers, b""));
    nginx.get("NODE", SQLI_TARGET);
    for event in nginx.hits("sqli", 2) {
        assert_eq!(event.str("server_addr"), "127.0.0.1");
        assert_eq!(event.num("server_port"), i64::from(port));
    }
    let status = nginx.settled_after(2);
    assert_eq!(status.count("bad_values"), 4, "two that are bad, two that are empty");
}

#[test]
fn scans_what_a_node_answers_from_files_or_another_server() {
    let mut conf = topology().file("html/index.html", "page");
    conf.replace(
        "location / { wallarm_sink; }",
        "location / { proxy_pass http://127.0.0.1:@APP@; }",
    );
    let mut nginx = conf.start();
    assert_eq!(nginx.ask("NODE", &form("/login", FORM)).status, 200);
    let event = nginx.hit("sqli");
    assert_eq!(
        event.num("body_bytes") as usize,
        FORM.len(),
        "a node reads the body whatever answers"
    );
    nginx.settled_after(1);
}

/// What a front always sends; a missing one would count as a bad value.
const ADDRESS: (&str, &str) = ("X-SERVER-ADDR", "192.0.2.80");
const PORT: (&str, &str) = ("X-SERVER-PORT", "443");

#[test]
fn names_the_application_of_each_request() {
    let mut conf = topology();
    conf.replace("wallarm_sink;", "wallarm_application $http_x_application; wallarm_sink;");
    let mut nginx = conf.start();
    for (number, value) in ["7", "0", "shop"].into_iter().enumerate() {
        let target = format!("/{number}{}", &SQLI_TARGET[1..]);
        nginx
            .ask("NODE", &request("GET", &target, &[("X-Application", value), ADDRESS, PORT], b""));
    }
    let mut found: Vec<(String, i64)> = nginx
        .hits("sqli", 3)
        .iter()
        .map(|event| (event.str("uri")[..2].to_owned(), event.num("application")))
        .collect();
    found.sort();
    assert_eq!(found, [("/0".into(), 7), ("/1".into(), -1), ("/2".into(), -1)]);
    assert_eq!(nginx.settled_after(3).count("bad_values"), 2);
}

#[test]
fn asks_for_a_body_that_is_announced() {
    let mut nginx = topology().start();
    let mut client = nginx.client("NODE");
    let head = format!(
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n",
        FORM.len()
    );
    client.send(head.as_bytes());
    assert_eq!(client.interim(), 100);
    assert_eq!(client.ask(FORM.as_bytes()).status, 204);
    nginx.hit("sqli");
}

#[test]
fn scans_the_head_of_a_copy_that_breaks_off() {
    let mut nginx = topology().start();
    for length in [100, 100_000] {
        let head = format!(
            "POST {SQLI_TARGET} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\nhalf"
        );
        nginx.client("NODE").send(head.as_bytes());
    }
    for event in nginx.hits("sqli", 2) {
        assert_eq!(event.num("body_bytes"), 0);
    }
    assert_eq!(nginx.get("NODE", "/").status, 204);
    nginx.settled_after(3);
}
