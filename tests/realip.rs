//! Whose address an event names: stock realip, our own directives on a copy, and what the helper headers may hold.

use std::net::Ipv4Addr;

use crate::harness::{request, Client, Conf, Nginx, SQLI, SQLI_TARGET};

const TRUSTED: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 22);
const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 33);

/// Directives (by their stock names), peer, header lines, expected address.
type Case = (&'static str, Ipv4Addr, &'static [(&'static str, &'static str)], &'static str);

const X_REAL_IP: &str = "set_real_ip_from 127.0.0.22; real_ip_header X-Real-IP;";
const FORWARDED: &str = "set_real_ip_from 127.0.0.22; real_ip_header X-Forwarded-For;";
const RECURSIVE: &str = "set_real_ip_from 127.0.0.22; set_real_ip_from 203.0.113.0/24;
    real_ip_header X-Forwarded-For; real_ip_recursive on;";
const OTHER: &str = "set_real_ip_from 127.0.0.16/28; real_ip_header X-Client;";

const CASES: &[Case] = &[
    (X_REAL_IP, TRUSTED, &[("X-Real-IP", "203.0.113.7")], "203.0.113.7"),
    (X_REAL_IP, TRUSTED, &[("x-real-ip", "2001:db8::7")], "2001:db8::7"),
    (X_REAL_IP, TRUSTED, &[("X-Real-IP", "not an address")], "127.0.0.22"),
    (X_REAL_IP, TRUSTED, &[], "127.0.0.22"),
    (X_REAL_IP, STRANGER, &[("X-Real-IP", "203.0.113.7")], "127.0.0.33"),
    (FORWARDED, TRUSTED, &[("X-Forwarded-For", "203.0.113.7")], "203.0.113.7"),
    (FORWARDED, TRUSTED, &[("X-Forwarded-For", "198.51.100.1, 203.0.113.7")], "203.0.113.7"),
    (FORWARDED, STRANGER, &[("X-Forwarded-For", "198.51.100.1")], "127.0.0.33"),
    (
        RECURSIVE,
        TRUSTED,
        &[("X-Forwarded-For", "192.0.2.1, 198.51.100.1, 203.0.113.7")],
        "198.51.100.1",
    ),
    (RECURSIVE, TRUSTED, &[("X-Forwarded-For", "203.0.113.1,203.0.113.7")], "203.0.113.1"),
    (
        RECURSIVE,
        TRUSTED,
        &[("X-Forwarded-For", "198.51.100.1"), ("X-Forwarded-For", "203.0.113.7")],
        "198.51.100.1",
    ),
    (OTHER, TRUSTED, &[("X-Client", "203.0.113.7:4711")], "203.0.113.7"),
    (OTHER, STRANGER, &[("X-Client", "203.0.113.7")], "127.0.0.33"),
];

/// The directives under our own names.
fn own(directives: &str) -> String {
    directives
        .replace("set_real_ip_from", "wallarm_set_real_ip_from")
        .replace("real_ip_header", "wallarm_real_ip_header")
        .replace("real_ip_recursive", "wallarm_real_ip_recursive")
}

fn node(directives: &str) -> Nginx {
    Conf::new(&format!(
        "server {{ listen 127.0.0.1:@NODE@; client_max_body_size 0; {directives}
         wallarm_force server_addr $http_x_server_addr; wallarm_request_id $http_x_request_id;
         location / {{ wallarm_sink; }} }}"
    ))
    .start()
}

fn send(nginx: &mut Nginx, peer: Ipv4Addr, target: &str, headers: &[(&str, &str)]) {
    let port = nginx.port("NODE");
    let status = Client::connect_from(peer, port).ask(&request("GET", target, headers, b"")).status;
    assert_eq!(status, 204);
}

/// Runs the cases of each set of directives in one NGINX.
fn check(rename: fn(&str) -> String) {
    for directives in [X_REAL_IP, FORWARDED, RECURSIVE, OTHER] {
        let mut nginx = node(&rename(directives));
        let cases: Vec<&Case> = CASES.iter().filter(|case| case.0 == directives).collect();
        for (number, (_, peer, headers, _)) in cases.iter().enumerate() {
            send(&mut nginx, *peer, &format!("/{number}{}", &SQLI_TARGET[1..]), headers);
        }
        let events = nginx.hits("sqli", cases.len());
        for (number, case) in cases.iter().enumerate() {
            let is_case = |uri: &str| uri.starts_with(&format!("/{number}?"));
            let event = events.iter().find(|event| is_case(event.str("uri"))).unwrap();
            assert_eq!(event.str("remote_addr"), case.3, "{case:?}");
        }
    }
}

#[test]
fn stock_realip_names_the_client() {
    check(str::to_owned);
}

#[test]
fn own_directives_name_the_client() {
    check(own);
}

#[test]
fn own_directives_leave_remote_addr_as_it_is() {
    let mut nginx = Conf::new(
        "server {
            listen 127.0.0.1:@NODE@; wallarm_mode monitoring;
            wallarm_set_real_ip_from 127.0.0.22; wallarm_real_ip_header X-Real-IP;
            location / { proxy_set_header X-Seen $remote_addr; proxy_pass http://127.0.0.1:@APP@; }
        }
        server { listen 127.0.0.1:@APP@; location / { return 200 $http_x_seen; } }",
    )
    .start();
    let port = nginx.port("NODE");
    let copy = request("GET", SQLI_TARGET, &[("X-Real-IP", "203.0.113.7")], b"");
    assert_eq!(Client::connect_from(TRUSTED, port).ask(&copy).text(), "127.0.0.22");
    assert_eq!(nginx.hit("sqli").str("remote_addr"), "203.0.113.7");
}

#[test]
fn own_directives_apply_in_a_sink_of_the_same_instance() {
    let settings = "wallarm_set_real_ip_from 127.0.0.22; wallarm_real_ip_header X-Real-IP;";
    let mut nginx = Conf::same_instance().http(settings).start();
    let port = nginx.port("FRONT");
    let copy = request("GET", SQLI_TARGET, &[("X-Real-IP", "203.0.113.7")], b"");
    assert_eq!(Client::connect_from(TRUSTED, port).ask(&copy).text(), "app");
    assert_eq!(nginx.hit("sqli").str("remote_addr"), "203.0.113.7");
}

#[test]
fn realip_of_the_front_reaches_its_sink() {
    let mut nginx = Conf::same_instance().http(X_REAL_IP).start();
    let port = nginx.port("FRONT");
    let copy = request("GET", SQLI_TARGET, &[("X-Real-IP", "203.0.113.7")], b"");
    assert_eq!(Client::connect_from(TRUSTED, port).ask(&copy).text(), "app");
    assert_eq!(nginx.hit("sqli").str("remote_addr"), "203.0.113.7");
}

#[test]
fn the_proxy_protocol_names_the_client() {
    let stock = "set_real_ip_from 127.0.0.22; real_ip_header proxy_protocol;";
    for directives in [stock.to_owned(), own(stock)] {
        let mut nginx = Conf::new(&format!(
            "server {{ listen 127.0.0.1:@NODE@ proxy_protocol; client_max_body_size 0; {directives}
             location / {{ wallarm_sink; }} }}"
        ))
        .start();
        let port = nginx.port("NODE");
        for peer in [TRUSTED, STRANGER] {
            let mut client = Client::connect_from(peer, port);
            client.send(b"PROXY TCP4 203.0.113.7 127.0.0.1 4711 80\r\n");
            assert_eq!(client.ask(&request("GET", SQLI_TARGET, &[], b"")).status, 204);
        }
        let events = nginx.hits("sqli", 2);
        let mut found: Vec<&str> = events.iter().map(|event| event.str("remote_addr")).collect();
        found.sort_unstable();
        assert_eq!(found, ["127.0.0.33", "203.0.113.7"]);
        let named = events.iter().find(|event| event.str("remote_addr") == "203.0.113.7").unwrap();
        assert_eq!(named.num("remote_port"), 4711);
    }
}

#[test]
fn a_unix_socket_peer_has_no_address() {
    let mut nginx = Conf::new(
        "server { listen 127.0.0.1:@FRONT@; location / { proxy_pass http://unix:@DIR@/node.sock; } }
         server { listen unix:@DIR@/node.sock; client_max_body_size 0; location / { wallarm_sink; } }",
    )
    .start();
    nginx.get("FRONT", SQLI_TARGET);
    let event = nginx.hit("sqli");
    assert_eq!((event.str("remote_addr"), event.str("server_addr")), ("unix:", "unix:"));
    assert!(!event.has("remote_port"), "{event:#?}");
}

#[test]
fn a_unix_socket_peer_can_be_trusted() {
    let stock = "set_real_ip_from unix:; real_ip_header X-Real-IP;";
    for directives in [stock.to_owned(), own(stock)] {
        let mut nginx = Conf::new(&format!(
            "server {{ listen 127.0.0.1:@FRONT@; location / {{ proxy_pass http://unix:@DIR@/node.sock; }} }}
             server {{ listen unix:@DIR@/node.sock; client_max_body_size 0; {directives}
             location / {{ wallarm_sink; }} }}"
        ))
        .start();
        nginx.ask("FRONT", &request("GET", SQLI_TARGET, &[("X-Real-IP", "203.0.113.7")], b""));
        assert_eq!(nginx.hit("sqli").str("remote_addr"), "203.0.113.7");
    }
}

/// The headers that the mirror sets, each with a payload of the client's.
const HELPERS: [&str; 3] = ["X-Real-IP", "X-Server-Addr", "X-Request-ID"];

#[test]
fn scans_helper_headers_of_strangers() {
    for directives in [X_REAL_IP.to_owned(), own(X_REAL_IP)] {
        let mut nginx = node(&directives);
        for name in HELPERS {
            send(&mut nginx, STRANGER, "/", &[(name, SQLI)]);
        }
        let events = nginx.hits("sqli", HELPERS.len());
        let points: Vec<&str> = events.iter().flat_map(|event| event.list("points")).collect();
        for name in HELPERS {
            let point = format!("[header, '{}']", name.to_uppercase());
            assert!(points.contains(&point.as_str()), "{point} in {points:?}");
        }
    }
}

#[test]
fn does_not_scan_helper_headers_of_the_mirror() {
    for directives in [X_REAL_IP.to_owned(), own(X_REAL_IP)] {
        let mut nginx = node(&directives);
        // Stock realip says whom it trusts only by what it rewrites, so the address itself must be one.
        let address = [("X-Real-IP", "203.0.113.7")];
        send(&mut nginx, TRUSTED, "/", &address);
        for name in &HELPERS[1..] {
            send(&mut nginx, TRUSTED, "/", &[address[0], (name, SQLI)]);
        }
        let scanned_header = [("X-Real-IP", "203.0.113.7"), ("X-Other", SQLI)];
        send(&mut nginx, TRUSTED, "/last", &scanned_header);
        nginx.settled_after(4);
        assert_eq!(nginx.hit("sqli").str("uri"), "/last");
    }
}

#[test]
fn scans_every_header_in_a_sink_of_the_same_instance() {
    // A balancer appends to what its client sent: the header of a client's own request is not the mirror's.
    let chain = format!("{SQLI}, 203.0.113.7");
    for directives in [FORWARDED.to_owned(), own(FORWARDED)] {
        let mut nginx = Conf::same_instance().http(&directives).start();
        let port = nginx.port("FRONT");
        let header = [("X-Forwarded-For", chain.as_str())];
        Client::connect_from(TRUSTED, port).ask(&request("GET", "/", &header, b""));
        let event = nginx.hit("sqli");
        assert_eq!(event.list("points"), ["[header, 'X-FORWARDED-FOR']"]);
        assert_eq!(event.str("remote_addr"), "203.0.113.7");
    }
}

#[test]
fn knows_the_mirror_behind_an_internal_redirect() {
    // The redirect clears what realip noted of the request; the mirror's headers are still the mirror's.
    let mut nginx = Conf::new(
        "server { listen 127.0.0.1:@NODE@; client_max_body_size 0; wallarm_mode off;
         set_real_ip_from 127.0.0.22; real_ip_header X-REAL-IP;
         location /r { return 404; } error_page 404 = /sink;
         location = /sink { wallarm_mode monitoring; wallarm_sink;
             wallarm_force server_addr $http_x_server_addr; } }",
    )
    .start();
    let port = nginx.port("NODE");
    let headers = [("X-REAL-IP", "203.0.113.7"), ("X-SERVER-ADDR", SQLI)];
    let target = "/r?file=../../../../etc/passwd";
    Client::connect_from(TRUSTED, port).ask(&request("GET", target, &headers, b""));
    let event = nginx.hit("ptrav");
    assert_eq!(event.str("remote_addr"), "203.0.113.7");
    nginx.settled_after(1);
    assert_eq!(nginx.events().len(), 1, "{:#?}", nginx.events());
}
