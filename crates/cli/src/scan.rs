//! `scan`: attack events of recorded requests, as the module writes them.
//!
//! What only a running NGINX knows is left out or zero: the node is this program, nothing was
//! queued, and an address is there if the file has it. `request_id` is the place of the request
//! in its file, so that an event leads back to what caused it.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use wallarm_detect::{Engine, Limits, Scratch};
use wallarm_pipeline::report::{self, Origin};
use wallarm_pipeline::{Forced, Meta, Peer, Policy};

use crate::args::{Scan, Source};
use crate::error::Error;
use crate::input::{self, Message};
use crate::{rules, FAILED};

/// The exit status when no attack was found.
const CLEAN: u8 = 1;

pub(crate) fn run(args: &Scan, out: &mut impl Write) -> Result<ExitCode, Error> {
    let mut scanner = Scanner::new(rules::engine(&args.knowledge)?);
    let mut failed = false;
    for source in &args.sources {
        let bytes = match read(source) {
            Ok(bytes) => bytes,
            Err(error) => {
                error.report();
                failed = true;
                continue;
            }
        };
        let name = source.name();
        for message in input::parse(&bytes, args.format) {
            match message {
                Ok(message) => scanner.scan(&name, &message, out)?,
                Err(error) => {
                    Error::Input(name.clone(), error).report();
                    failed = true;
                }
            }
        }
    }
    Ok(match (failed, scanner.attacks) {
        (true, _) => ExitCode::from(FAILED),
        (false, 0) => ExitCode::from(CLEAN),
        (false, _) => ExitCode::SUCCESS,
    })
}

fn read(source: &Source) -> Result<Vec<u8>, Error> {
    input::read(source).map_err(|error| Error::Read(source.name(), error))
}

/// The engine and what numbers its events.
struct Scanner {
    engine: Engine,
    limits: Limits,
    scratch: Scratch,
    policy: Arc<Policy>,
    start_id: u64,
    requests: u64,
    attacks: u64,
    line: Vec<u8>,
}

impl Scanner {
    fn new(engine: Engine) -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            engine,
            limits: Limits::default(),
            scratch: Scratch::default(),
            policy: Arc::default(),
            // two runs share no event id; microseconds stay below 2^53, which JSON readers can hold
            start_id: u64::try_from(since_epoch.as_micros()).unwrap_or_default(),
            requests: 0,
            attacks: 0,
            line: Vec::new(),
        }
    }

    /// Writes an event for each attack in `message`, which comes from the file `name`, and a note if it is only suspect.
    fn scan(&mut self, name: &str, message: &Message, out: &mut impl Write) -> Result<(), Error> {
        let headers = message.headers();
        let request = message.request(&headers);
        let start = Instant::now();
        let verdict = self.engine.scan(&request, &self.limits, &mut self.scratch);
        let scan_us = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        let (meta, place) = (self.meta(message), message.place.within(name));
        let origin = Origin {
            node: env!("CARGO_PKG_NAME"),
            start_id: self.start_id,
            slot: 0,
            seq: self.requests,
            meta: &meta,
            host: message.header("host").unwrap_or_default(),
            request_id: place.as_bytes(),
            queue_ms: 0,
            scan_us,
        };
        self.requests += 1;
        if verdict.suspect {
            note_suspect(&place);
        }
        for mut event in report::events(&origin, &request, &verdict) {
            self.attacks += 1;
            if message.client.is_none() {
                event.remote_addr.clear();
            }
            if message.server.is_none() {
                event.server_addr.clear();
            }
            self.line.clear();
            event.encode(&mut self.line).map_err(|error| Error::stdout(error.into()))?;
            out.write_all(&self.line).map_err(Error::stdout)?;
        }
        Ok(())
    }

    fn meta(&self, message: &Message) -> Meta {
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        Meta {
            time_ms: message.time_ms.unwrap_or_else(|| u64::try_from(now()).unwrap_or_default()),
            queued_ms: 0,
            peer: peer(message.client),
            peer_rewritten: false,
            proxy_protocol: None,
            server: peer(message.server),
            forced: Forced::default(),
            application: -1,
            body_absent: false,
            from_mirror: false,
            policy: Arc::clone(&self.policy),
        }
    }
}

/// On standard error: events are for attacks alone. A note that cannot be written is no reason to stop.
fn note_suspect(place: &str) {
    let _ = writeln!(std::io::stderr(), "{}: {place}: suspect, no attack", env!("CARGO_PKG_NAME"));
}

fn peer(address: Option<IpAddr>) -> Peer {
    Peer::Ip(address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), 0)
}
