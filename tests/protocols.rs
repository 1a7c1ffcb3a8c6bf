//! HTTP/2, requests without headers, HTTP/0.9 and methods that NGINX does not know.

use crate::harness::{request, Conf, H2Client, SQLI_TARGET};
use crate::mirror_sink::FORM;

#[test]
fn captures_http_2() {
    let mut conf = Conf::same_instance();
    conf.replace("listen 127.0.0.1:@FRONT@;", "listen 127.0.0.1:@FRONT@; http2 on;");
    let mut nginx = conf.start();
    let mut client = H2Client::connect(nginx.port("FRONT"));
    assert_eq!(client.ask("GET", SQLI_TARGET, &[], b"").as_deref(), Some(&b"app"[..]));
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(client.ask("POST", "/login", &kind, FORM.as_bytes()).as_deref(), Some(&b"app"[..]));
    let events = nginx.hits("sqli", 2);
    let get = events.iter().find(|event| event.str("method") == "GET").unwrap();
    assert_eq!(get.str("protocol"), "HTTP/2.0");
    assert_eq!(get.str("uri"), SQLI_TARGET);
    assert_eq!(get.str("host"), "shop.example");
    let post = events.iter().find(|event| event.str("method") == "POST").unwrap();
    assert_eq!(post.num("body_bytes") as usize, FORM.len());
    nginx.settled_after(2);
}

#[test]
fn captures_a_request_without_headers() {
    let mut nginx = Conf::same_instance().start();
    let response = nginx.ask("FRONT", format!("GET {SQLI_TARGET} HTTP/1.0\r\n\r\n").as_bytes());
    assert_eq!((response.status, response.text().as_str()), (200, "app"));
    let event = nginx.hit("sqli");
    assert_eq!(event.str("protocol"), "HTTP/1.0");
    assert_eq!(event.str("host"), "");
    nginx.settled_after(1);
}

#[test]
fn captures_http_0_9() {
    let mut nginx = Conf::same_instance().start();
    let mut client = nginx.client("FRONT");
    client.send(format!("GET {SQLI_TARGET}\r\n").as_bytes());
    assert_eq!(client.rest(), b"app");
    assert_eq!(nginx.hit("sqli").str("protocol"), "HTTP/0.9");
    nginx.settled_after(1);
}

#[test]
fn captures_methods_of_every_kind() {
    let mut nginx = Conf::same_instance().start();
    let methods = ["OPTIONS", "DELETE", "PROPFIND", "PATCH", "BREW", "A-B_C"];
    for method in methods {
        let response = nginx.ask("FRONT", &request(method, SQLI_TARGET, &[], b""));
        assert_eq!(response.status, 200, "{method}");
    }
    let events = nginx.hits("sqli", methods.len());
    for method in methods {
        assert!(events.iter().any(|event| event.str("method") == method), "{method}");
    }
}

#[test]
fn captures_absolute_targets_and_keeps_them_as_sent() {
    let mut nginx = Conf::same_instance().start();
    let target = format!("http://shop.example{SQLI_TARGET}");
    assert_eq!(nginx.ask("FRONT", &request("GET", &target, &[], b"")).text(), "app");
    let event = nginx.hit("sqli");
    assert!(event.str("uri").ends_with(SQLI_TARGET), "{event:#?}");
}

#[test]
fn captures_split_heads_and_pipelined_requests() {
    let mut nginx = Conf::same_instance().start();
    let mut client = nginx.client("FRONT");
    let request = request("GET", SQLI_TARGET, &[("X-A", "b")], b"");
    for part in request.chunks(5) {
        client.send(part);
    }
    assert_eq!(client.response().text(), "app");
    client.send(&[request.clone(), request.clone(), request].concat());
    for _ in 0..3 {
        assert_eq!(client.response().text(), "app");
    }
    nginx.settled_after(4);
    nginx.hits("sqli", 4);
}

#[test]
fn a_client_that_leaves_in_the_middle_of_its_body_breaks_nothing() {
    let mut nginx = Conf::same_instance().start();
    for length in [100, 100_000] {
        let mut client = nginx.client("FRONT");
        client.send(
            format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\nhalf")
                .as_bytes(),
        );
    }
    assert_eq!(nginx.get("FRONT", SQLI_TARGET).text(), "app");
    nginx.hit("sqli");
    nginx.settled_after(1);
}
