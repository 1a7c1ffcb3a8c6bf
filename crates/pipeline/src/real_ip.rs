//! Finds the client's address as stock realip does (`ngx_http_realip_handler`, `ngx_http_get_forwarded_addr`).
//!
//! Lists are read from their end: each address may be replaced by the one before it as long as it is trusted itself.
//! What NGINX accepts as an address and where it stops is kept to the letter, since two components that disagree about
//! the client's address are a way to hide.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wallarm_detect::Header;

use crate::job::Peer;
use crate::policy::{RealIp, RealIpHeader};

/// How the walk through one list ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Walk {
    /// The whole list was read, or all that may be read of it.
    Ok,
    /// It ended inside, after an address was taken.
    Done,
    /// No address was taken.
    Declined,
}

impl RealIp {
    /// True if `peer` may name the address of a client.
    pub fn trusts(&self, peer: &Peer) -> bool {
        self.trusted.iter().any(|trusted| trusted.matches(peer))
    }

    /// The address of the client that `peer` names, with its port where it is known. None: `peer` itself is the client.
    pub fn resolve(
        &self,
        peer: &Peer,
        proxy_protocol: Option<(IpAddr, u16)>,
        headers: &[Header<'_>],
    ) -> Option<(IpAddr, Option<u16>)> {
        let mut at = *peer;
        let walk = match &self.header {
            RealIpHeader::ProxyProtocol => {
                let (addr, port) = proxy_protocol?;
                return self.trusts(peer).then_some((addr, (port != 0).then_some(port)));
            }
            RealIpHeader::XForwardedFor => self.walk_all(&mut at, headers),
            RealIpHeader::XRealIp => self.walk(&mut at, first(headers, b"x-real-ip")?),
            RealIpHeader::Named(name) => self.walk(&mut at, first(headers, name)?),
        };
        match (walk, at) {
            (Walk::Ok | Walk::Done, Peer::Ip(addr, port)) => {
                Some((addr, (port != 0).then_some(port)))
            }
            _ => None,
        }
    }

    /// Several headers are one list; the last one is read first.
    fn walk_all(&self, at: &mut Peer, headers: &[Header<'_>]) -> Walk {
        let mut walk = Walk::Declined;
        let mut found = false;
        let lists =
            headers.iter().rev().filter(|h| h.name.eq_ignore_ascii_case(b"x-forwarded-for"));
        for header in lists {
            walk = self.walk(at, header.value);
            if !self.recursive {
                break;
            }
            if walk == Walk::Declined && found {
                return Walk::Done;
            }
            if walk != Walk::Ok {
                break;
            }
            found = true;
        }
        walk
    }

    /// Walks through one list from its end, as long as `at` is trusted.
    fn walk(&self, at: &mut Peer, list: &[u8]) -> Walk {
        let mut list = list;
        let mut found = false;
        let end = |found| if found { Walk::Done } else { Walk::Declined };
        loop {
            if !self.trusts(at) {
                return end(found);
            }
            let (before, last) = split_last(list);
            let Some((addr, port)) = addr_port(last) else {
                return end(found);
            };
            *at = Peer::Ip(addr, port);
            found = true;
            match before {
                Some(before) if self.recursive => list = before,
                _ => return Walk::Ok,
            }
        }
    }
}

fn first<'a>(headers: &[Header<'a>], name: &[u8]) -> Option<&'a [u8]> {
    headers.iter().find(|h| h.name.eq_ignore_ascii_case(name)).map(|h| h.value)
}

/// The last element of a list and what stands before its separator. The first byte of a list is never taken for a
/// separator, and so spoils an element that it stands in front of.
fn split_last(list: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let Some((_, rest)) = list.split_first() else {
        return (None, list);
    };
    let separator = |b: &u8| matches!(b, b' ' | b',');
    let kept = rest.iter().rposition(|b| !separator(b)).map_or(0, |n| n + 1);
    let rest = rest.get(..kept).unwrap_or_default();
    match rest.iter().rposition(separator) {
        Some(n) => (list.get(..=n), rest.get(n + 1..).unwrap_or_default()),
        None => (None, list.get(..=kept).unwrap_or_default()),
    }
}

/// `ngx_parse_addr_port`: an address alone, `v4:port`, `[v6]` or `[v6]:port`. Port 0: none.
fn addr_port(text: &[u8]) -> Option<(IpAddr, u16)> {
    if let Some(addr) = addr(text) {
        return Some((addr, 0));
    }
    let (host, rest) = match text.strip_prefix(b"[") {
        Some(inner) => {
            let (host, rest) = split_once(inner, b']')?;
            if rest.is_empty() {
                return addr(host).map(|addr| (addr, 0));
            }
            (host, rest.strip_prefix(b":")?)
        }
        None => split_once(text, b':')?,
    };
    Some((addr(host)?, port(rest)?))
}

fn split_once(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let n = text.iter().position(|b| *b == at)?;
    Some((text.get(..n)?, text.get(n + 1..)?))
}

fn port(text: &[u8]) -> Option<u16> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok().filter(|port| *port != 0)
}

fn addr(text: &[u8]) -> Option<IpAddr> {
    match ipv4(text) {
        Some(v4) => Some(IpAddr::V4(v4)),
        None => std::str::from_utf8(text).ok()?.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
    }
}

/// `ngx_inet_addr`: four decimal numbers, of which each may have leading zeros or be empty; not 255.255.255.255.
pub(crate) fn ipv4(text: &[u8]) -> Option<Ipv4Addr> {
    let (mut bits, mut octet, mut dots) = (0_u32, 0_u32, 0);
    for byte in text {
        match byte {
            b'0'..=b'9' => {
                octet = octet * 10 + u32::from(byte - b'0');
                if octet > 255 {
                    return None;
                }
            }
            b'.' if dots < 3 => {
                bits = bits << 8 | octet;
                octet = 0;
                dots += 1;
            }
            _ => return None,
        }
    }
    let bits = bits << 8 | octet;
    (dots == 3 && bits != u32::MAX).then(|| Ipv4Addr::from_bits(bits))
}

#[cfg(test)]
mod tests;
