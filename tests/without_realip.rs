//! An NGINX that has no realip module: the stock names are ours there, and mean the same.

use crate::harness::{request, Binaries, Client, Conf, SQLI_TARGET};

const NODE: &str = "
    server {
        listen 127.0.0.1:@NODE@; client_max_body_size 0;
        wallarm_force server_addr $http_x_server_addr;
        wallarm_force server_port $http_x_server_port;
        set_real_ip_from  127.0.0.22;
        real_ip_header    X-REAL-IP;
        real_ip_recursive on;
        location / { wallarm_sink; }
    }";

#[test]
fn the_stock_directives_are_known_and_name_the_client() {
    let mut nginx = Conf::new(NODE).binaries(Binaries::without_realip()).start();
    let port = nginx.port("NODE");
    let headers = [("X-REAL-IP", "203.0.113.7"), ("X-SERVER-ADDR", "198.51.100.7")];
    for (peer, expected) in [(22, "203.0.113.7"), (33, "127.0.0.33")] {
        let mut client = Client::connect_from([127, 0, 0, peer].into(), port);
        assert_eq!(client.ask(&request("GET", SQLI_TARGET, &headers, b"")).status, 204);
        let hits = nginx.hits("sqli", if peer == 22 { 1 } else { 2 });
        let event = hits.last().unwrap();
        assert_eq!(event.str("remote_addr"), expected);
        assert_eq!(event.str("server_addr"), "198.51.100.7");
    }
}

#[test]
fn a_request_in_the_same_instance_is_captured() {
    let mut nginx = Conf::same_instance().binaries(Binaries::without_realip()).start();
    assert_eq!(nginx.get("FRONT", SQLI_TARGET).text(), "app");
    nginx.hit("sqli");
    nginx.settled_after(1);
}
