//! The event: what the attack log says about one attack type in one request, as one JSON object on one line.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Version of the format, [`Event::v`].
pub const VERSION: u32 = 1;

/// A string that is known at compile time where events are made and owned where they are read.
type Name = Cow<'static, str>;

/// One attack type in one request. Bytes that are no UTF-8 stand as the character of the same number (U+0080 to U+00FF).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Version of the format.
    pub v: u32,
    /// `{start id in hex}-{worker}-{request}-{hit}`, unique; the hit is `b0`, `b1`, … for the body of a request whose head was
    /// scanned before.
    pub event_id: String,
    /// Name of the node.
    pub node: String,
    /// Random number of this start of NGINX.
    pub startid: u64,
    /// Start of the request: RFC 3339, UTC, milliseconds.
    pub time: String,
    /// Id that the request carries, if it is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request_id: String,
    /// The client: an IP address or `unix:`; absent in events of recorded requests whose client is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remote_addr: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_port: Option<u16>,
    /// The address the request was sent to: an IP address or `unix:`; absent where it is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub server_addr: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_port: Option<u16>,
    pub host: String,
    pub method: String,
    /// The request target as it stood in the request line.
    pub uri: String,
    pub protocol: String,
    /// Application number; -1: none.
    pub application: i64,
    /// Attack type, for example `sqli`.
    #[serde(rename = "type")]
    pub kind: Name,
    /// CWE numbers of the weakness, the most fitting first.
    pub cwe: Vec<u16>,
    /// Where the attack stands, for example `[get, 'id']`.
    pub points: Vec<String>,
    /// Excerpt of each of the points.
    pub payloads: Vec<String>,
    /// Decoders without which the attack would not have been seen.
    pub decoders: Vec<Name>,
    /// Ids of the rules that counted.
    pub rules: Vec<u32>,
    /// Names and weights of the rules, `name:weight`.
    pub indicators: Vec<String>,
    pub score: f32,
    pub threshold: f32,
    /// Request line and headers, secrets masked.
    pub request_head: String,
    /// Bytes of the body that were scanned.
    pub body_bytes: u64,
    /// Milliseconds between capture and scan.
    pub queue_ms: u64,
    /// Microseconds of the scan.
    pub scan_us: u64,
    /// Names of what is not complete here.
    pub truncated: Vec<Name>,
    /// Names of the limits that the scan ran into.
    pub limits: Vec<Name>,
    pub wallarm_mode: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_status: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_time: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_size: Option<u64>,
}

impl Event {
    /// Appends the event and a line end. An event never contains a line end of its own.
    pub fn encode(&self, line: &mut Vec<u8>) -> serde_json::Result<()> {
        serde_json::to_writer(&mut *line, self)?;
        line.push(b'\n');
        Ok(())
    }
}
