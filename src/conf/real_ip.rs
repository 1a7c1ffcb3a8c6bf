//! `wallarm_set_real_ip_from`, `wallarm_real_ip_header`, `wallarm_real_ip_recursive`: the stock module's grammar.

use core::ffi::{c_char, c_void};

use ngx::ffi::{
    ngx_command_t, ngx_conf_t, ngx_inet_resolve_host, ngx_int_t, ngx_str_t, ngx_url_t, NGX_OK,
};
use wallarm_pipeline::{Cidr, Peer, RealIpHeader, Trusted};

use super::commands::{name_and_value, set};
use super::{conf_log, finish, LocConf};
use crate::capture;

pub(super) unsafe extern "C" fn cmd_add_from(
    cf: *mut ngx_conf_t,
    _cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: NGINX passes this module's location settings; the table asks for one value.
    unsafe {
        let conf = &mut *conf.cast::<LocConf>();
        let (name, value) = name_and_value(cf);
        let result = trusted(cf, value).map(|trusted| conf.real_ip_from.extend(trusted));
        finish(cf, result.map_err(|e| format!("{e} in \"{name}\"")))
    }
}

/// An address, a network, `unix:`, or a host name, which is looked up now and may have several addresses.
unsafe fn trusted(cf: *mut ngx_conf_t, value: &[u8]) -> Result<Vec<Trusted>, String> {
    if value == b"unix:" {
        return Ok(vec![Trusted::Unix]);
    }
    let text = core::str::from_utf8(value)
        .map_err(|_| format!("invalid value \"{}\"", value.escape_ascii()))?;
    match text.parse::<Cidr>() {
        Ok(cidr) => {
            if cidr.has_low_bits() {
                conf_log!(NGX_LOG_WARN, cf, "low address bits of {text} are meaningless");
            }
            Ok(vec![Trusted::Cidr(cidr)])
        }
        Err(error) if text.contains('/') || text.contains(':') => {
            Err(format!("{error} \"{text}\""))
        }
        // SAFETY: cf is live.
        Err(_) => unsafe { resolve(cf, text) },
    }
}

unsafe fn resolve(cf: *mut ngx_conf_t, host: &str) -> Result<Vec<Trusted>, String> {
    // SAFETY: ngx_inet_resolve_host() fills `url` from the pool; naddrs addresses stand at addrs.
    unsafe {
        let mut url: ngx_url_t = core::mem::zeroed();
        url.host = ngx_str_t { len: host.len(), data: host.as_ptr().cast_mut() };
        if ngx_inet_resolve_host((*cf).pool, &raw mut url) != NGX_OK as ngx_int_t {
            return Err(format!("host not found: \"{host}\""));
        }
        let addresses = (0..url.naddrs).map(|i| capture::peer((*url.addrs.add(i)).sockaddr.cast()));
        Ok(addresses
            .filter_map(|address| match address {
                Peer::Ip(ip, _) => Some(Trusted::Cidr(Cidr::host(ip))),
                Peer::Unix => None,
            })
            .collect())
    }
}

pub(super) unsafe extern "C" fn cmd_set_header(
    cf: *mut ngx_conf_t,
    _cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: NGINX passes this module's location settings; the table asks for one value.
    unsafe {
        let place = &mut (*conf.cast::<LocConf>()).real_ip_header;
        set(cf, place, |value| Ok(RealIpHeader::parse(value)))
    }
}

pub(super) unsafe extern "C" fn cmd_set_recursive(
    cf: *mut ngx_conf_t,
    _cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: NGINX passes this module's location settings; the table asks for one value.
    unsafe { set(cf, &mut (*conf.cast::<LocConf>()).real_ip_recursive, flag) }
}

fn flag(value: &[u8]) -> Result<bool, String> {
    match value.to_ascii_lowercase().as_slice() {
        b"on" => Ok(true),
        b"off" => Ok(false),
        _ => Err("it must be \"on\" or \"off\"".into()),
    }
}
