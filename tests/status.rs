//! The counters as a page: its formats, and who may read it.

use crate::harness::{form, get, request, Client, Conf, SQLI_TARGET};

#[test]
fn answers_local_peers_whatever_address_a_header_brings() {
    let server =
        "server { listen 127.0.0.1:@NODE@; set_real_ip_from 127.0.0.1; real_ip_header X-Real-IP;
        location / { wallarm_status; } location /off { wallarm_status off; } }";
    let mut nginx = Conf::new(server).start();
    let rewritten = request("GET", "/", &[("X-Real-IP", "203.0.113.7")], b"");
    assert_eq!(nginx.ask("NODE", &rewritten).status, 200);
    let response = nginx.get("NODE", "/");
    assert!(response.head.contains("application/json"), "{}", response.head);
    assert_eq!(nginx.ask("NODE", &form("/", "a=b")).status, 405);
    assert_eq!(nginx.get("NODE", "/off").status, 404);
    let head = nginx.ask("NODE", &request("HEAD", "/", &[], b""));
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn keeps_remote_peers_out_unless_they_are_allowed() {
    let server = "server { listen @NODE@; set_real_ip_from 0.0.0.0/0; real_ip_header X-Real-IP;
        location = /closed { wallarm_status; }
        location = /open { wallarm_status allow=203.0.113.0/24 allow=@ADDRESS; } }";
    // Without one there are no remote peers, and `scripts/test` leaves this test out.
    let address = Client::outward_address().expect("an address beyond loopback");
    let mut nginx = Conf::new(&server.replace("@ADDRESS", &address.to_string())).start();
    let port = nginx.port("NODE");
    let local = request("GET", "/closed", &[("X-Real-IP", "127.0.0.1")], b"");
    assert_eq!(
        Client::connect_to(address, port).ask(&local).status,
        403,
        "a header opened the page"
    );
    assert_eq!(Client::connect_to(address, port).ask(&get("/open")).status, 200);
}

#[test]
fn speaks_to_prometheus() {
    let mut conf = Conf::same_instance();
    conf.replace(
        "location = /wallarm {",
        "location = /metrics { wallarm_status format=prometheus; } location = /wallarm {",
    );
    let mut nginx = conf.start();
    nginx.get("FRONT", SQLI_TARGET);
    nginx.settled_after(1);
    let response = nginx.get("FRONT", "/metrics");
    assert!(response.head.contains("Content-Type: text/plain"), "{}", response.head);
    let text = response.text();
    assert!(text.ends_with('\n'), "{text}");
    let samples: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    for sample in &samples {
        let (name, value) = sample.rsplit_once(' ').unwrap_or_else(|| panic!("{sample:?}"));
        assert!(name.starts_with("wallarm_"), "{sample:?}");
        assert!(value.parse::<f64>().is_ok(), "{sample:?}");
    }
    let seen = samples.iter().find(|sample| sample.contains("seen")).expect("seen");
    assert!(seen.ends_with(" 1"), "{seen}");
}
