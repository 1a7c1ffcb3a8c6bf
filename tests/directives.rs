//! What `nginx -t` says to each directive's bad values, duplicates and wrong places.

use crate::harness::Conf;

/// A server with `directives`, beside a location that some of them need.
fn in_server(directives: &str) -> String {
    format!("server {{ listen 127.0.0.1:@NODE@; {directives} location /other {{ return 200; }} }}")
}

fn in_location(directives: &str) -> String {
    in_server(&format!("location / {{ {directives} }}"))
}

fn refused(http: &str, settings: &str, fragments: &[&str]) {
    let (passed, output) = Conf::new(http).http(settings).test();
    assert!(!passed, "accepted: {settings} {http}");
    for fragment in fragments {
        assert!(output.contains(fragment), "no {fragment:?} for {settings} {http}\n{output}");
    }
    assert!(output.contains("nginx.conf:"), "no file and line\n{output}");
}

fn accepted(http: &str, settings: &str) -> String {
    let (passed, output) = Conf::new(http).http(settings).test();
    assert!(passed, "refused: {settings} {http}\n{output}");
    output
}

/// Directive, bad value, what the message must say besides.
const BAD_VALUES: &[(&str, &str, &str)] = &[
    ("wallarm_mode", "on", "expected \"off\", \"monitoring\""),
    ("wallarm_mode", "\"\"", "invalid value"),
    ("wallarm_force", "server_addr nowhere", "expected an IP address"),
    ("wallarm_force", "server_addr 127.0.0.1:80", "expected an IP address"),
    ("wallarm_force", "server_port 65536", "expected a port from 0 to 65535"),
    ("wallarm_force", "server_port -1", "expected a port from 0 to 65535"),
    ("wallarm_force", "response_status ok", "expected a number"),
    ("wallarm_force", "response_time 1.5", "expected a number"),
    ("wallarm_force", "response_size +1", "expected a number"),
    ("wallarm_force", "remote_addr 127.0.0.1", "unknown name"),
    ("wallarm_force", "server_addr $nothing", "unknown \"nothing\" variable"),
    ("wallarm_request_id", "$nothing", "unknown \"nothing\" variable"),
    ("wallarm_application", "0", "expected a number from 1"),
    ("wallarm_application", "-1", "expected a number from 1"),
    ("wallarm_application", "shop", "expected a number from 1"),
    ("wallarm_instance", "2147483648", "expected a number from 1"),
    ("wallarm_set_real_ip_from", "10.0.0.0/33", "10.0.0.0/33"),
    ("wallarm_set_real_ip_from", "2001:db8::/129", "2001:db8::/129"),
    ("wallarm_set_real_ip_from", "no-such-host.invalid", "host not found"),
    ("wallarm_parser_disable", "yaml", "expected one of cookie, zlib, htmljs, json"),
    ("wallarm_parser_disable", "\"\"", "invalid value"),
    ("wallarm_real_ip_recursive", "maybe", "it must be \"on\" or \"off\""),
    ("wallarm_attack_log", "\"\"", "empty path"),
    ("wallarm_attack_log", "logs/a.log rate=5", "expected \"rate=N/s\""),
    ("wallarm_attack_log", "logs/a.log rate=0/s", "expected \"rate=N/s\""),
    ("wallarm_attack_log", "logs/a.log fast", "expected \"rate=N/s\""),
    ("wallarm_attack_log", "logs", "neither a regular file"),
    ("wallarm_attack_log", "syslog:server=127.0.0.1", "is not supported, expected a path"),
    ("wallarm_attack_log", "unix:/run/a.sock", "is not supported, expected a path"),
    ("wallarm_attack_log", "missing/a.log", "No such file or directory"),
    ("wallarm_scan_threads", "0", "expected 1 to 64"),
    ("wallarm_scan_threads", "65", "expected 1 to 64"),
    ("wallarm_scan_threads", "auto", "expected 1 to 64"),
    ("wallarm_queue_size", "15", "expected 16 to"),
    ("wallarm_queue_size", "64k", "expected 16 to"),
    ("wallarm_arena_size", "1023", "expected 1024 to"),
    ("wallarm_arena_size", "2m", "expected 1024 to"),
    ("wallarm_arena_size", "big", "expected 1024 to"),
    ("wallarm_arenas", "15", "expected 16 to"),
    ("wallarm_body_limit", "2g", "expected 0 to"),
    ("wallarm_body_limit", "-1", "expected 0 to"),
    ("wallarm_body_files", "65536", "expected 0 to 65535"),
];

#[test]
fn bad_values_are_refused_by_name() {
    for (name, value, expected) in BAD_VALUES {
        let settings = format!("{name} {value};");
        // The frame brings an attack log of its own, which would only make a duplicate.
        let mut conf = Conf::new("").without_attack_log().http(&settings);
        let (passed, output) = conf.test();
        assert!(!passed, "accepted: {settings}");
        assert!(output.contains(expected), "no {expected:?} for {settings}\n{output}");
        let from_nginx = output.contains("variable") || output.contains("No such file");
        assert!(from_nginx || output.contains(name), "no {name:?} for {settings}\n{output}");
        assert!(from_nginx || output.contains("nginx.conf:"), "no line for {settings}\n{output}");
    }
}

#[test]
fn the_file_of_a_buffered_log_is_refused() {
    // Both need the file's hook for reopening, which has room for one.
    let attacks = "wallarm_attack_log logs/shared.log;";
    let buffered = "access_log logs/shared.log combined buffer=32k;";
    for settings in [format!("{buffered} {attacks}"), format!("{attacks} {buffered}")] {
        let (passed, output) = Conf::new("").without_attack_log().http(&settings).test();
        let said = output.contains("wallarm_attack_log") && output.contains("another log's");
        assert!(!passed && said, "{settings}\n{output}");
    }
}

#[test]
fn bad_parameters_of_the_status_are_refused() {
    for (value, expected) in [
        ("format=xml", "format=xml"),
        ("maybe", "invalid parameter \"maybe\""),
        ("allow=everybody", "everybody"),
        ("allow=10.0.0.0/99", "10.0.0.0/99"),
    ] {
        refused(
            &in_location(&format!("wallarm_status {value};")),
            "",
            &["\"wallarm_status\"", expected],
        );
    }
}

#[test]
fn more_memory_than_anyone_has_is_refused() {
    let sizes = "wallarm_arenas 1048576; wallarm_arena_size 1m;";
    refused("", sizes, &["\"wallarm_arenas\" times \"wallarm_arena_size\" exceeds 4 GiB"]);
}

#[test]
fn numbers_of_values_are_checked() {
    for directive in [
        "wallarm_mode",
        "wallarm_mode off off",
        "wallarm_force server_addr",
        "wallarm_force server_addr a b",
        "wallarm_request_id",
        "wallarm_application",
        "wallarm_scan_threads",
        "wallarm_scan_threads 1 2",
        "wallarm_attack_log",
        "wallarm_set_real_ip_from",
        "wallarm_real_ip_header",
    ] {
        let mut conf = Conf::new("").without_attack_log().http(&format!("{directive};"));
        let (passed, output) = conf.test();
        assert!(!passed && output.contains("invalid number of arguments"), "{directive}\n{output}");
    }
    refused(
        &in_location("wallarm_sink on;"),
        "",
        &["invalid number of arguments in \"wallarm_sink\""],
    );
}

#[test]
fn duplicates_are_refused() {
    for directive in [
        "wallarm_mode off",
        "wallarm_request_id $request_id",
        "wallarm_application 1",
        "wallarm_attack_log off",
        "wallarm_real_ip_header X-A",
        "wallarm_real_ip_recursive on",
        "wallarm_scan_threads 1",
        "wallarm_queue_size 64",
        "wallarm_arena_size 4k",
        "wallarm_arenas 64",
        "wallarm_body_limit 1m",
        "wallarm_body_files 8",
    ] {
        let mut conf =
            Conf::new("").without_attack_log().http(&format!("{directive}; {directive};"));
        let (passed, output) = conf.test();
        let name = directive.split(' ').next().unwrap();
        let said = output.contains(&format!("\"{name}\" directive is duplicate"));
        assert!(!passed && said, "{directive}\n{output}");
    }
    refused(
        "",
        "wallarm_force server_port 1; wallarm_force server_port 2;",
        &["duplicate name", "server_port"],
    );
    refused("", "wallarm_application 1; wallarm_instance 2;", &["is duplicate"]);
    refused(
        &in_location("wallarm_sink; wallarm_sink;"),
        "",
        &["\"wallarm_sink\" directive is duplicate"],
    );
    refused(
        &in_location("wallarm_status; wallarm_status;"),
        "",
        &["\"wallarm_status\" directive is duplicate"],
    );
}

#[test]
fn wrong_contexts_are_refused() {
    refused(&in_server("wallarm_sink;"), "", &["\"wallarm_sink\" directive is not allowed here"]);
    refused("", "wallarm_sink;", &["\"wallarm_sink\" directive is not allowed here"]);
    refused(
        &in_server("wallarm_status;"),
        "",
        &["\"wallarm_status\" directive is not allowed here"],
    );
    for name in [
        "wallarm_attack_log off",
        "wallarm_scan_threads 1",
        "wallarm_queue_size 64",
        "wallarm_arena_size 4k",
        "wallarm_arenas 64",
        "wallarm_body_limit 1m",
        "wallarm_body_files 8",
    ] {
        refused(&in_server(&format!("{name};")), "", &["directive is not allowed here"]);
        refused(&in_location(&format!("{name};")), "", &["directive is not allowed here"]);
    }
    let (passed, output) = Conf::new("").main("wallarm_mode off;").test();
    assert!(
        !passed && output.contains("\"wallarm_mode\" directive is not allowed here"),
        "{output}"
    );
}

#[test]
fn a_sink_is_the_only_content_handler() {
    for other in ["proxy_pass http://127.0.0.1:1;", "empty_gif;", "wallarm_status;"] {
        for directives in [format!("wallarm_sink; {other}"), format!("{other} wallarm_sink;")] {
            refused(&in_location(&directives), "", &["conflicts with another content handler"]);
        }
    }
}

#[test]
fn levels_take_every_directive_that_may_stand_there() {
    let everywhere = "wallarm_mode monitoring; wallarm_force server_addr $http_x_a; wallarm_force server_port 443;
        wallarm_force response_status 0; wallarm_force response_time 0; wallarm_force response_size 0;
        wallarm_request_id $http_x_request_id; wallarm_application 3; wallarm_set_real_ip_from 10.0.0.0/8;
        wallarm_set_real_ip_from ::1; wallarm_set_real_ip_from unix:; wallarm_set_real_ip_from localhost;
        wallarm_real_ip_header X-Forwarded-For; wallarm_real_ip_recursive on;";
    let sizes = "wallarm_scan_threads 2; wallarm_queue_size 512; wallarm_arena_size 16k; wallarm_arenas 512;
        wallarm_body_limit 2m; wallarm_body_files 16;";
    let instance = everywhere.replace("wallarm_application", "wallarm_instance");
    let status =
        "location /status { wallarm_status on format=json allow=10.0.0.0/8 allow=2001:db8::/32; }";
    let server = format!(
        "server {{ listen 127.0.0.1:@NODE@; client_max_body_size 0; {everywhere} {status}
         location / {{ {instance} wallarm_sink; }} }}"
    );
    let output = accepted(&server, &format!("{everywhere} {sizes}"));
    assert!(!output.contains("[warn]"), "{output}");
}

#[test]
fn blocking_modes_warn_once_that_they_only_watch() {
    for mode in ["block", "safe_blocking"] {
        let server = in_server(&format!("wallarm_mode {mode};"));
        let output = accepted(&server, &format!("wallarm_mode {mode};"));
        assert_eq!(output.matches("acts as \"monitoring\"").count(), 1, "{output}");
    }
}

#[test]
fn a_sink_that_refuses_large_bodies_is_warned_of() {
    let output = accepted(&in_location("wallarm_sink;"), "");
    assert!(output.contains("[warn]") && output.contains("client_max_body_size"), "{output}");
    let output = accepted(&in_location("client_max_body_size 0; wallarm_sink;"), "");
    assert!(!output.contains("[warn]"), "{output}");
}

#[test]
fn analysis_without_an_attack_log_is_warned_of() {
    let server = in_location("client_max_body_size 0; wallarm_sink;");
    let (passed, output) = Conf::new(&server).without_attack_log().test();
    assert!(
        passed && output.contains("[warn]") && output.contains("wallarm_attack_log"),
        "{output}"
    );
    let (passed, output) = Conf::new("").without_attack_log().test();
    assert!(passed && !output.contains("[warn]"), "{output}");
    let (passed, output) =
        Conf::new(&server).without_attack_log().http("wallarm_attack_log off;").test();
    assert!(passed && !output.contains("[warn]"), "{output}");
}

#[test]
fn low_address_bits_are_warned_of() {
    let output = accepted("", "wallarm_set_real_ip_from 10.1.2.3/8;");
    assert!(output.contains("low address bits of 10.1.2.3/8 are meaningless"), "{output}");
}
