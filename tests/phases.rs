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
