//! `wallarm_status`: who may ask for the counters.

use core::ffi::{c_char, c_void};

use ngx::ffi::{ngx_command_t, ngx_conf_t};
use wallarm_pipeline::{Cidr, Peer};

use super::commands::set_content_handler;
use super::{finish, LocConf};
use crate::{ext, status};

/// How the counters are written.
#[derive(Clone, Copy, Default)]
pub(crate) enum Format {
    #[default]
    Json,
    Prometheus,
}

/// A location that answers with the counters.
#[derive(Default)]
pub(crate) struct Status {
    pub(crate) format: Format,
    allow: Vec<Cidr>,
}

impl Status {
    /// Whether `peer`, the connection's own address, may read the counters: local ones always, others if listed.
    pub(crate) fn allows(&self, peer: &Peer) -> bool {
        match peer {
            Peer::Unix => true,
            Peer::Ip(ip, _) => {
                ip.to_canonical().is_loopback() || self.allow.iter().any(|cidr| cidr.contains(*ip))
            }
        }
    }
}

pub(super) unsafe extern "C" fn cmd_set_status(
    cf: *mut ngx_conf_t,
    _cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: NGINX passes this module's location settings, and cf stands in the http block.
    unsafe {
        let conf = &mut *conf.cast::<LocConf>();
        if conf.status.is_some() {
            return ext::CONF_DUPLICATE;
        }
        let result = parse(ext::args(cf).skip(1)).and_then(|status| {
            if status.is_some() {
                set_content_handler(cf, status::answer)?;
            }
            conf.status = Some(status);
            Ok(())
        });
        finish(cf, result.map_err(|e| format!("\"wallarm_status\": {e}")))
    }
}

/// `[on|off] [format=json|prometheus] [allow=CIDR …]`; `None` is `off`.
fn parse<'a>(words: impl Iterator<Item = &'a [u8]>) -> Result<Option<Status>, String> {
    let mut status = Status::default();
    let mut on = true;
    for word in words {
        let text = core::str::from_utf8(word).unwrap_or("");
        match text.split_once('=') {
            None if text == "on" => on = true,
            None if text == "off" => on = false,
            Some(("format", "json")) => status.format = Format::Json,
            Some(("format", "prometheus")) => status.format = Format::Prometheus,
            Some(("allow", network)) => {
                let cidr = network.parse::<Cidr>().map_err(|e| format!("{e} \"{network}\""))?;
                status.allow.push(cidr);
            }
            _ => return Err(format!("invalid parameter \"{}\"", word.escape_ascii())),
        }
    }
    Ok(on.then_some(status))
}
