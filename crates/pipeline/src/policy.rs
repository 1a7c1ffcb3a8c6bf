//! What the configuration of a location says about who sent a request, which headers are the mirror's own, and how to read it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

use crate::detect::ParserSet;
use crate::job::Peer;
use crate::real_ip::ipv4;

/// Built at configuration time, shared by the requests of a location.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    pub real_ip: Option<RealIp>,
    /// Lower-case names of headers that the mirror sets. From a trusted peer they are not scanned and not reported.
    pub helpers: Vec<Vec<u8>>,
    /// Parsers that are not applied to requests of the location.
    pub disabled: ParserSet,
}

/// Attribution of requests from trusted peers, as stock realip does it, on a copy of the address.
#[derive(Clone, Debug)]
pub struct RealIp {
    pub trusted: Arc<[Trusted]>,
    pub header: RealIpHeader,
    /// Look through trusted addresses in the header for the last one that is not trusted.
    pub recursive: bool,
}

/// Who may name the address of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trusted {
    Cidr(Cidr),
    /// Every peer on a unix socket.
    Unix,
}

/// Where the address of the client stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RealIpHeader {
    /// The first `X-Real-IP`.
    XRealIp,
    /// All `X-Forwarded-For`, as one list.
    XForwardedFor,
    /// The first header of this name, which is lower-case.
    Named(Vec<u8>),
    ProxyProtocol,
}

impl RealIpHeader {
    /// The argument of `real_ip_header`. As in stock realip only the exact spellings are special.
    pub fn parse(name: &[u8]) -> Self {
        match name {
            b"X-Real-IP" => Self::XRealIp,
            b"X-Forwarded-For" => Self::XForwardedFor,
            b"proxy_protocol" => Self::ProxyProtocol,
            _ => Self::Named(name.to_ascii_lowercase()),
        }
    }

    /// The lower-case name of the header, if it is one.
    pub fn name(&self) -> Option<&[u8]> {
        match self {
            Self::XRealIp => Some(b"x-real-ip"),
            Self::XForwardedFor => Some(b"x-forwarded-for"),
            Self::Named(name) => Some(name),
            Self::ProxyProtocol => None,
        }
    }
}

impl Trusted {
    pub(crate) fn matches(&self, peer: &Peer) -> bool {
        match (self, peer) {
            (Self::Cidr(cidr), Peer::Ip(addr, _)) => cidr.contains(*addr),
            (Self::Unix, Peer::Unix) => true,
            _ => false,
        }
    }
}

impl FromStr for Trusted {
    type Err = CidrError;

    /// `unix:`, an address or a network.
    fn from_str(text: &str) -> Result<Self, CidrError> {
        if text == "unix:" {
            return Ok(Self::Unix);
        }
        text.parse().map(Self::Cidr)
    }
}

/// A network of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    net: IpAddr,
    prefix: u8,
    low_bits: bool,
}

impl Cidr {
    /// The network of one address.
    pub fn host(addr: IpAddr) -> Self {
        Cidr { net: addr, prefix: width(addr), low_bits: false }
    }

    /// True if the text had address bits below the prefix, which mean nothing: a warning in stock NGINX.
    pub fn has_low_bits(&self) -> bool {
        self.low_bits
    }

    /// An IPv4 address mapped into IPv6 is matched as IPv4, as NGINX does.
    pub fn contains(&self, addr: IpAddr) -> bool {
        match (self.net, addr.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(addr)) => {
                let low = 32 - u32::from(self.prefix);
                u64::from(net.to_bits() ^ addr.to_bits()) >> low == 0
            }
            (IpAddr::V6(net), IpAddr::V6(addr)) => {
                let low = 128 - u32::from(self.prefix);
                (net.to_bits() ^ addr.to_bits()).checked_shr(low).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let (addr, prefix) = match text.split_once('/') {
            Some((addr, prefix)) => (addr, Some(prefix)),
            None => (text, None),
        };
        let addr = match ipv4(addr.as_bytes()) {
            Some(v4) => IpAddr::V4(v4),
            None => addr.parse::<Ipv6Addr>().map(IpAddr::V6).map_err(|_| CidrError::Address)?,
        };
        let width = width(addr);
        let prefix = match prefix {
            None => width,
            Some(text) if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) => {
                return Err(CidrError::Prefix)
            }
            Some(text) => match text.parse() {
                Ok(prefix) if prefix <= width => prefix,
                _ => return Err(CidrError::PrefixTooLong(width)),
            },
        };
        let (net, low_bits) = masked(addr, prefix);
        Ok(Cidr { net, prefix, low_bits })
    }
}

fn width(addr: IpAddr) -> u8 {
    if addr.is_ipv4() {
        32
    } else {
        128
    }
}

/// The address without the bits below `prefix`, and whether there were any.
fn masked(addr: IpAddr, prefix: u8) -> (IpAddr, bool) {
    let net = match addr {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            IpAddr::from((v4.to_bits() & mask).to_be_bytes())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            IpAddr::from((v6.to_bits() & mask).to_be_bytes())
        }
    };
    (net, net != addr)
}

/// Why a text is no network; worded to follow the text in quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CidrError {
    Address,
    Prefix,
    /// Longest prefix of the address family.
    PrefixTooLong(u8),
}

impl fmt::Display for CidrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address => f.write_str("is neither an IPv4 nor an IPv6 address or network"),
            Self::Prefix => f.write_str("has a prefix length that is not a number"),
            Self::PrefixTooLong(width) => write!(f, "has a prefix length above {width}"),
        }
    }
}

impl std::error::Error for CidrError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(cidr: &str, addr: &str) -> bool {
        cidr.parse::<Cidr>().unwrap().contains(addr.parse().unwrap())
    }

    #[test]
    fn networks_contain_their_addresses() {
        for (cidr, addr, expected) in [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.22", "192.0.2.22", true),
            ("192.0.2.22", "192.0.2.23", false),
            ("192.0.2.99/24", "192.0.2.1", true),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "::1", false),
            ("192.0.2.0/24", "::ffff:192.0.2.7", true),
            ("::ffff:192.0.2.0/120", "::ffff:192.0.2.7", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::", false),
            ("2001:db8::1", "2001:db8::1", true),
            ("2001:db8::1", "2001:db8::2", false),
            ("::/0", "2001:db8::2", true),
            ("::/0", "192.0.2.1", false),
        ] {
            assert_eq!(contains(cidr, addr), expected, "{cidr} {addr}");
        }
    }

    #[test]
    fn meaningless_bits_are_remembered() {
        for (cidr, low) in [
            ("192.0.2.1/24", true),
            ("192.0.2.0/24", false),
            ("192.0.2.1", false),
            ("2001:db8::1/64", true),
            ("2001:db8::/64", false),
        ] {
            assert_eq!(cidr.parse::<Cidr>().unwrap().has_low_bits(), low, "{cidr}");
        }
    }

    #[test]
    fn bad_networks_say_what_is_wrong() {
        for (cidr, error) in [
            ("", CidrError::Address),
            ("localhost", CidrError::Address),
            ("192.0.2", CidrError::Address),
            ("192.0.2.256", CidrError::Address),
            ("255.255.255.255", CidrError::Address),
            ("192.0.2.1/", CidrError::Prefix),
            ("192.0.2.1/+8", CidrError::Prefix),
            ("192.0.2.1/33", CidrError::PrefixTooLong(32)),
            ("192.0.2.1/4294967304", CidrError::PrefixTooLong(32)),
            ("::1/129", CidrError::PrefixTooLong(128)),
        ] {
            assert_eq!(cidr.parse::<Cidr>(), Err(error), "{cidr}");
        }
        assert_eq!("unix:".parse(), Ok(Trusted::Unix));
        assert_eq!("unix:/x".parse::<Trusted>(), Err(CidrError::Address));
    }
}
