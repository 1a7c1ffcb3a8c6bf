//! What stock realip makes of the same addresses and headers.

use super::*;

fn real_ip(header: &str, recursive: bool) -> RealIp {
    let trusted = ["10.0.0.0/8", "2001:db8:a::/48", "unix:"];
    RealIp {
        trusted: trusted.iter().map(|text| text.parse().unwrap()).collect(),
        header: RealIpHeader::parse(header.as_bytes()),
        recursive,
    }
}

fn ip(text: &str) -> Peer {
    Peer::Ip(text.parse().unwrap(), 4711)
}

fn resolve(real_ip: &RealIp, peer: &Peer, headers: &[(&str, &str)]) -> Option<String> {
    let headers: Vec<Header<'_>> = headers
        .iter()
        .map(|(name, value)| Header {
            name: name.as_bytes(),
            value: value.as_bytes(),
            helper: false,
        })
        .collect();
    let (addr, port) = real_ip.resolve(peer, None, &headers)?;
    Some(match port {
        Some(port) => format!("{addr} {port}"),
        None => addr.to_string(),
    })
}

#[test]
fn one_header_names_the_client_of_a_trusted_peer() {
    let real_ip = real_ip("X-REAL-IP", false);
    for (peer, value, expected) in [
        (ip("10.1.2.3"), "203.0.113.7", Some("203.0.113.7")),
        (ip("::ffff:10.1.2.3"), "203.0.113.7", Some("203.0.113.7")),
        (ip("2001:db8:a::1"), "2001:db8::9", Some("2001:db8::9")),
        (Peer::Unix, "203.0.113.7", Some("203.0.113.7")),
        (ip("192.0.2.1"), "203.0.113.7", None),
        (ip("10.1.2.3"), "", None),
        (ip("10.1.2.3"), "unknown", None),
        (ip("10.1.2.3"), "203.0.113.7, bad", None),
        (ip("10.1.2.3"), "bad, 203.0.113.7", Some("203.0.113.7")),
    ] {
        let headers = [("Host", "a"), ("x-real-ip", value), ("X-Real-IP", "192.0.2.99")];
        assert_eq!(resolve(&real_ip, &peer, &headers).as_deref(), expected, "{peer:?} {value}");
    }
    assert_eq!(resolve(&real_ip, &ip("10.1.2.3"), &[("Host", "a")]), None);
}

#[test]
fn addresses_may_have_ports() {
    let real_ip = real_ip("X-Real-IP", false);
    for (value, expected) in [
        ("203.0.113.7:80", Some("203.0.113.7 80")),
        ("203.0.113.7:65535", Some("203.0.113.7 65535")),
        ("203.0.113.7:0", None),
        ("203.0.113.7:65536", None),
        ("203.0.113.7:", None),
        ("203.0.113.7:+80", None),
        ("203.0.113.7:80:80", None),
        ("[2001:db8::1]:80", Some("2001:db8::1 80")),
        ("[2001:db8::1]", Some("2001:db8::1")),
        ("[2001:db8::1]80", None),
        ("[2001:db8::1]:", None),
        ("[2001:db8::1", None),
        ("2001:db8::1]:80", None),
        ("2001:db8::1", Some("2001:db8::1")),
        ("::ffff:192.0.2.1", Some("::ffff:192.0.2.1")),
        ("[203.0.113.7]:80", Some("203.0.113.7 80")),
        // ngx_inet_addr reads these so.
        ("203.000.0113.07", Some("203.0.113.7")),
        ("1...2", Some("1.0.0.2")),
        ("255.255.255.255", None),
        ("203.0.113.256", None),
        ("203.0.113", None),
        ("203.0.113.7.1", None),
        ("0x7f.0.0.1", None),
    ] {
        let headers = [("X-Real-IP", value)];
        let client = resolve(&real_ip, &ip("10.0.0.1"), &headers);
        assert_eq!(client.as_deref(), expected, "{value}");
    }
}

#[test]
fn a_list_is_read_from_its_end() {
    let plain = real_ip("X-Forwarded-For", false);
    let recursive = real_ip("X-Forwarded-For", true);
    for (values, once, all) in [
        (&["203.0.113.7"][..], Some("203.0.113.7"), Some("203.0.113.7")),
        (&["198.51.100.1, 203.0.113.7"], Some("203.0.113.7"), Some("203.0.113.7")),
        (&["203.0.113.7, 10.9.9.9"], Some("10.9.9.9"), Some("203.0.113.7")),
        (&["203.0.113.7,10.9.9.9"], Some("10.9.9.9"), Some("203.0.113.7")),
        (&["203.0.113.7 10.9.9.9 ,, "], Some("10.9.9.9"), Some("203.0.113.7")),
        (
            &["198.51.100.1, 203.0.113.7:9, 10.0.0.2, 10.0.0.3"],
            Some("10.0.0.3"),
            Some("203.0.113.7 9"),
        ),
        (&["10.0.0.4, 10.0.0.5"], Some("10.0.0.5"), Some("10.0.0.4")),
        // Nothing is looked for behind what is no address.
        (&["203.0.113.7, junk, 10.0.0.2"], Some("10.0.0.2"), Some("10.0.0.2")),
        (&["203.0.113.7, junk"], None, None),
        (&[",10.0.0.2"], None, None),
        (&[", 10.0.0.2"], Some("10.0.0.2"), Some("10.0.0.2")),
        (&[","], None, None),
        (&[""], None, None),
        // Several headers are one list.
        (&["203.0.113.7", "10.0.0.2"], Some("10.0.0.2"), Some("203.0.113.7")),
        (&["198.51.100.1", "203.0.113.7, 10.0.0.3"], Some("10.0.0.3"), Some("203.0.113.7")),
        (
            &["198.51.100.1, 10.0.0.9", "10.0.0.2", "10.0.0.3"],
            Some("10.0.0.3"),
            Some("198.51.100.1"),
        ),
        (&["junk", "10.0.0.2"], Some("10.0.0.2"), Some("10.0.0.2")),
        (&["203.0.113.7", "junk"], None, None),
        (&["203.0.113.7", "junk, 10.0.0.2"], Some("10.0.0.2"), Some("10.0.0.2")),
    ] {
        let headers: Vec<_> = values.iter().map(|value| ("x-FORWARDED-for", *value)).collect();
        let peer = ip("10.0.0.1");
        assert_eq!(resolve(&plain, &peer, &headers).as_deref(), once, "{values:?}");
        assert_eq!(resolve(&recursive, &peer, &headers).as_deref(), all, "recursive {values:?}");
        assert_eq!(resolve(&recursive, &ip("192.0.2.1"), &headers), None, "untrusted {values:?}");
    }
}

#[test]
fn only_one_header_of_another_name_is_read() {
    let real_ip = real_ip("X-Forwarded-for", true);
    assert_eq!(real_ip.header, RealIpHeader::Named(b"x-forwarded-for".to_vec()));
    let headers = [("X-Forwarded-For", "10.0.0.2"), ("X-Forwarded-For", "203.0.113.7")];
    assert_eq!(resolve(&real_ip, &ip("10.0.0.1"), &headers).as_deref(), Some("10.0.0.2"));
}

#[test]
fn the_proxy_protocol_names_address_and_port() {
    let real_ip = real_ip("proxy_protocol", true);
    let source = Some(("203.0.113.7".parse().unwrap(), 4000));
    let headers = [Header { name: b"X-Real-IP", value: b"192.0.2.99", helper: false }];
    let client = real_ip.resolve(&Peer::Unix, source, &headers);
    assert_eq!(client, Some(("203.0.113.7".parse().unwrap(), Some(4000))));
    assert_eq!(real_ip.resolve(&ip("10.0.0.1"), None, &headers), None);
    assert_eq!(real_ip.resolve(&ip("192.0.2.1"), source, &headers), None);
}
