//! The module changes no answer: not access control, not methods, not limits; and sees what its phase lets it see.

use crate::harness::{form, get, request, Conf, SQLI_TARGET};

fn same_instance_with(location: &str) -> Conf {
    let mut conf = Conf::same_instance();
    conf.replace("location / {", &format!("{location}\nlocation / {{"));
    conf
}

/// A request that NGINX ends before the mirror runs is not seen; one after it is.
fn is_not_mirrored(location: &str, status: u16) {
    let mut nginx = same_instance_with(location).start();
    assert_eq!(nginx.get("FRONT", &format!("/early{}", &SQLI_TARGET[1..])).status, status);
    assert_eq!(nginx.get("FRONT", SQLI_TARGET).status, 200);
    nginx.settled_after(1);
    assert_eq!(nginx.hit("sqli").str("uri"), SQLI_TARGET);
}

#[test]
fn sees_nothing_of_a_return_before_the_mirror() {
    is_not_mirrored("location /early { mirror /wallarm; return 200; }", 200);
}

#[test]
fn sees_nothing_of_a_denied_request_before_the_mirror() {
    is_not_mirrored("location /early { mirror /wallarm; deny all; }", 403);
}

#[test]
fn captures_what_access_rules_reject_where_the_mode_is_on() {
    let conf = same_instance_with("location /early { wallarm_mode monitoring; deny all; }");
    let mut nginx = conf.start();
    assert_eq!(nginx.get("FRONT", &format!("/early{}", &SQLI_TARGET[1..])).status, 403);
    nginx.settled_after(1);
    nginx.hit("sqli");
}

#[test]
fn does_not_open_what_satisfy_any_keeps_closed() {
    let node = "server {
        listen 127.0.0.1:@NODE@; satisfy any; wallarm_force response_status 0;
        location /deny { deny all; wallarm_sink; }
        location /auth { auth_basic shop; auth_basic_user_file users; deny all; wallarm_sink; }
        location /open { allow all; wallarm_sink; }
    }";
    let mut nginx = Conf::new(node).file("users", "nobody:x\n").start();
    for (target, status) in [("/deny", 403), ("/auth", 401), ("/open", 204)] {
        assert_eq!(nginx.get("NODE", target).status, status, "{target}");
        assert_eq!(nginx.ask("NODE", &form(target, "a=b")).status, status, "{target} with a body");
    }
    nginx.expect_in_error_log("access forbidden by rule");
    nginx.settled_after(6);
}

#[test]
fn keeps_the_sink_under_limit_except() {
    let node = "server { listen 127.0.0.1:@NODE@; client_max_body_size 0;
        location /open { wallarm_sink; limit_except GET { allow all; } }
        location /closed { wallarm_sink; limit_except GET { deny all; } }
    }";
    let mut nginx = Conf::new(node).start();
    assert_eq!(nginx.get("NODE", "/open").status, 204);
    assert_eq!(nginx.ask("NODE", &form("/open", "a=b")).status, 204);
    assert_eq!(nginx.get("NODE", "/closed").status, 204);
    assert_eq!(nginx.ask("NODE", &form("/closed", "a=b")).status, 403);
    nginx.settled_after(4);
}

#[test]
fn answers_mirrored_methods_that_limit_except_names() {
    let mut conf = Conf::same_instance();
    conf.replace("wallarm_sink;", "wallarm_sink; limit_except GET { deny all; }");
    let mut nginx = conf.start();
    assert_eq!(nginx.ask("FRONT", &form(SQLI_TARGET, "a=b")).text(), "app");
    nginx.settled_after(1);
    nginx.hit("sqli");
}

#[test]
fn captures_head_requests() {
    let mut nginx = Conf::same_instance().start();
    let response = nginx.ask("FRONT", &request("HEAD", SQLI_TARGET, &[], b""));
    assert_eq!((response.status, response.body.len()), (200, 0));
    assert_eq!(nginx.hit("sqli").str("method"), "HEAD");
    nginx.settled_after(1);
}

#[test]
fn serves_clients_whose_copies_limit_req_rejects() {
    let mut conf =
        Conf::same_instance().http("limit_req_zone $server_port zone=copies:1m rate=1r/m;");
    conf.replace("internal;", "internal; limit_req zone=copies;");
    let mut nginx = conf.start();
    let mut client = nginx.client("FRONT");
    for _ in 0..5 {
        let response = client.ask(&get("/"));
        assert_eq!((response.status, response.text().as_str()), (200, "app"));
    }
    nginx.settled_after(1);
}

#[test]
fn serves_clients_whose_copies_are_too_large() {
    let mut conf = Conf::same_instance();
    conf.replace("client_max_body_size 0;", "client_max_body_size 10;");
    let mut nginx = conf.start();
    let response = nginx.ask("FRONT", &form("/", &"a".repeat(100)));
    assert_eq!((response.status, response.text().as_str()), (200, "app"));
    nginx.expect_in_error_log("client intended to send too large body");
    nginx.settled();
}

#[test]
fn a_sink_is_not_inherited() {
    let node = "server { listen 127.0.0.1:@NODE@; client_max_body_size 0; root html;
        location / {
            if ($arg_a) { set $b 1; }
            wallarm_sink;
            location /static { }
        }
    }";
    let mut nginx = Conf::new(node).file("html/static", "file").start();
    assert_eq!(nginx.get("NODE", "/static").text(), "file");
    assert_eq!(nginx.get("NODE", "/?a=1").status, 204);
    assert_eq!(nginx.get("NODE", "/").status, 204);
    nginx.settled_after(2);
}

#[test]
fn a_mode_that_is_off_wins_over_force_and_sink() {
    let node = "server { listen 127.0.0.1:@NODE@; client_max_body_size 0; root html;
        wallarm_force response_status 0;
        location /off { wallarm_mode off; wallarm_sink; }
        location /on { wallarm_sink; }
    }";
    let mut nginx = Conf::new(node).start();
    let mut client = nginx.client("NODE");
    for target in ["/off", "/off", "/on", "/off"] {
        let response = client.ask(&form(target, &"a".repeat(50_000)));
        assert_eq!((response.status, response.body.len()), (204, 0), "{target}");
    }
    nginx.settled_after(1);
}

#[test]
fn a_node_refuses_what_is_too_large_and_goes_on() {
    let node = "server { listen 127.0.0.1:@NODE@; client_max_body_size 100;
        location / { wallarm_sink; } }";
    let mut nginx = Conf::new(node).start();
    nginx.expect_in_error_log("client intended to send too large");
    assert_eq!(nginx.ask("NODE", &form("/", &"a".repeat(1000))).status, 413);
    // Without a length to go by, NGINX reads on until there is too much: the head has come that far.
    let head =
        format!("POST {SQLI_TARGET} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunked = format!("{head}3e8\r\n{}\r\n0\r\n\r\n", "a".repeat(1000));
    assert_eq!(nginx.ask("NODE", chunked.as_bytes()).status, 413);
    assert_eq!(nginx.get("NODE", SQLI_TARGET).status, 204);
    nginx.hits("sqli", 2);
    nginx.settled_after(2);
}

#[test]
fn the_access_log_shows_copies_where_it_is_asked_to() {
    let mut conf = Conf::same_instance();
    conf.replace("internal;", "internal; log_subrequest on; access_log logs/copies.log;");
    let mut nginx = conf.start();
    nginx.get("FRONT", "/");
    nginx.settled_after(1);
    let logged = crate::harness::wait_for(|| {
        let text = std::fs::read_to_string(nginx.dir().join("logs/copies.log")).ok()?;
        Some(text).filter(|text| text.ends_with('\n'))
    });
    let logged = logged.expect("a line");
    assert!(logged.contains("\"GET / HTTP/1.1\" 204 "), "{logged}");
}
