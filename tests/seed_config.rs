//! The configuration that operators copy from the public guide to analysing mirrored traffic, as it is printed there.

use crate::harness::{request, Client, Conf, Nginx, SQLI_TARGET};

const SEED: &str = "
    listen 8445; client_max_body_size 0;
    wallarm_force server_addr $http_x_server_addr;
    wallarm_force server_port $http_x_server_port;
    # stock realip, where NGINX has it
    set_real_ip_from  192.0.2.22;
    real_ip_header    X-REAL-IP;
    wallarm_force response_status 0;
    wallarm_force response_time 0;
    wallarm_force response_size 0;";

const PLAIN: &str = "location / { root html; index index.html; }";
const SINK: &str = "location / { wallarm_sink; }";

fn unchanged(location: &str) -> Conf {
    Conf::new(&format!("server {{ {SEED} {location} }}")).file("html/index.html", "page")
}

/// The same on a free port; `trusted` takes the place of the address that no test machine has.
fn reachable(location: &str, trusted: &str) -> Nginx {
    let mut conf = unchanged(location);
    conf.replace("listen 8445;", "listen 127.0.0.1:@NODE@;");
    conf.replace("192.0.2.22", trusted);
    conf.start()
}

/// A copy as the mirroring side sends it, from 127.0.0.22.
fn send_copy(nginx: &mut Nginx) -> u16 {
    let headers = [
        ("X-REAL-IP", "203.0.113.7"),
        ("X-SERVER-ADDR", "198.51.100.80"),
        ("X-SERVER-PORT", "8443"),
    ];
    let port = nginx.port("NODE");
    Client::connect_from([127, 0, 0, 22].into(), port)
        .ask(&request("GET", SQLI_TARGET, &headers, b""))
        .status
}

#[test]
fn loads_unchanged() {
    for location in [PLAIN, SINK] {
        let (passed, output) = unchanged(location).test();
        assert!(passed, "{output}");
        assert!(!output.contains("[warn]"), "{output}");
    }
}

#[test]
fn takes_addresses_from_the_copy_when_the_peer_is_trusted() {
    for (location, status) in [(PLAIN, 200), (SINK, 204)] {
        let mut nginx = reachable(location, "127.0.0.22");
        assert_eq!(send_copy(&mut nginx), status);
        let event = nginx.hit("sqli");
        assert_eq!(event.str("remote_addr"), "203.0.113.7");
        assert_eq!(event.str("server_addr"), "198.51.100.80");
        assert_eq!(event.num("server_port"), 8443);
        for name in ["response_status", "response_time", "response_size"] {
            assert!(!event.has(name), "{event:#?}");
        }
        nginx.settled_after(1);
    }
}

#[test]
fn takes_the_connections_address_when_the_peer_is_not_trusted() {
    for location in [PLAIN, SINK] {
        let mut nginx = reachable(location, "192.0.2.22");
        send_copy(&mut nginx);
        let event = nginx.hit("sqli");
        assert_eq!(event.str("remote_addr"), "127.0.0.22");
        assert_eq!(
            event.str("server_addr"),
            "198.51.100.80",
            "named by the operator, whoever sends it"
        );
        nginx.settled_after(1);
    }
}
