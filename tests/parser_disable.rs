//! `wallarm_parser_disable`: what it switches off, and how levels inherit it.

use crate::harness::{request, Client, Conf, Nginx, SQLI_TARGET};

/// `<script>alert(1)</script>` in base64, which no rule knows.
const CODED: &str = "?q=PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg";

const SERVER: &str = "server { listen 127.0.0.1:@NODE@; client_max_body_size 0;
    wallarm_mode monitoring; wallarm_parser_disable xml; wallarm_parser_disable base64;
    location /inherits { wallarm_sink; }
    location /replaces { wallarm_parser_disable gzip; wallarm_sink; }
    location /adds { wallarm_parser_disable gzip; wallarm_parser_disable base64; wallarm_sink; } }";

fn send(nginx: &mut Nginx, target: &str) {
    let port = nginx.port("NODE");
    let status = Client::connect(port).ask(&request("GET", target, &[], b"")).status;
    assert_eq!(status, 204, "{target}");
}

#[test]
fn a_switched_off_parser_finds_nothing_and_levels_replace_each_other() {
    let mut nginx = Conf::new(SERVER).start();
    for place in ["/inherits", "/adds", "/replaces"] {
        send(&mut nginx, &format!("{place}{CODED}"));
    }
    let hit = nginx.hit("xss");
    assert_eq!(hit.str("uri"), format!("/replaces{CODED}"));
    // Other attacks are still found where a parser is off.
    send(&mut nginx, &format!("/inherits{}", &SQLI_TARGET[1..]));
    nginx.hit("sqli");
    assert_eq!(nginx.hits("xss", 1).len(), 1);
}

#[test]
fn a_name_given_twice_on_a_level_is_warned_of() {
    let settings = "wallarm_parser_disable json; wallarm_parser_disable json_doc;";
    let (passed, output) = Conf::new("").http(settings).test();
    assert!(passed, "{output}");
    assert!(
        output.contains("duplicate value \"json_doc\" in \"wallarm_parser_disable\""),
        "{output}"
    );
}
