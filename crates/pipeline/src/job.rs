//! A captured request on its way to a scan thread.

use std::fs::File;
use std::net::IpAddr;
use std::sync::Arc;

use crate::arena::Chain;
use crate::budget::FilePermit;
use crate::policy::Policy;

/// What is captured of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Request line and headers; the body may follow as a [`Kind::Body`].
    Head,
    /// The whole request.
    Whole,
    /// The body of a request whose head was captured before, under the head's id. It carries line and headers once
    /// more, for the choice of parsers and for the event.
    Body(CaptureId),
}

impl Kind {
    /// True for what counts as a request of its own.
    pub(crate) fn is_request(self) -> bool {
        !matches!(self, Kind::Body(_))
    }
}

/// Number of a captured request, unique within its worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaptureId {
    pub seq: u64,
}

/// The request line and what names the request. Unknown parts are empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct Line<'a> {
    pub method: &'a [u8],
    /// The request target as it stood in the request line.
    pub uri: &'a [u8],
    pub protocol: &'a [u8],
    pub host: &'a [u8],
    pub request_id: &'a [u8],
}

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Address and port; port 0 is unknown.
    Ip(IpAddr, u16),
    Unix,
}

/// Values given by `wallarm_force`. A literal 0 of `response_*` means unknown and is None here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forced {
    pub server_addr: Option<IpAddr>,
    pub server_port: Option<u16>,
    pub response_status: Option<u64>,
    pub response_time: Option<u64>,
    pub response_size: Option<u64>,
}

/// What is known of a request besides its bytes.
#[derive(Clone, Debug)]
pub struct Meta {
    /// Start of the request, milliseconds since the epoch.
    pub time_ms: u64,
    /// Time of the capture, milliseconds of CLOCK_MONOTONIC or CLOCK_MONOTONIC_COARSE.
    pub queued_ms: u64,
    /// The connection's address as NGINX has it now.
    pub peer: Peer,
    /// Stock realip rewrote `peer`: the connection came from a trusted address.
    pub peer_rewritten: bool,
    /// Source address of the PROXY protocol header, where there was one.
    pub proxy_protocol: Option<(IpAddr, u16)>,
    /// The local end of the connection.
    pub server: Peer,
    pub forced: Forced,
    /// Application number; -1: none.
    pub application: i64,
    /// The request announced a body that NGINX did not hand over.
    pub body_absent: bool,
    /// The request came from a mirror to a node, so that the policy's helper headers may be the mirror's.
    pub from_mirror: bool,
    pub policy: Arc<Policy>,
}

/// The part of a body that NGINX wrote to a temp file.
pub(crate) struct BodyFile {
    pub(crate) file: File,
    pub(crate) len: u64,
    /// Given back when the file is closed.
    pub(crate) _permit: FilePermit,
}

/// A captured request. Owns everything that a scan needs.
pub(crate) struct Job {
    pub(crate) kind: Kind,
    pub(crate) seq: u64,
    pub(crate) chain: Chain,
    /// Bytes of the chain that hold line and headers; the rest is body.
    pub(crate) head_len: usize,
    /// The body was cut or is missing.
    pub(crate) body_cut: bool,
    pub(crate) file: Option<BodyFile>,
    pub(crate) meta: Meta,
}
