//! The directives: their table, where their values are kept, and how levels merge.

pub(crate) mod commands;
mod merge;
mod real_ip;
mod status;
mod value;

use core::ffi::{c_char, c_void};
use core::ptr;
use std::sync::Arc;

use ngx::ffi::{ngx_conf_t, ngx_int_t, ngx_open_file_t, ngx_shm_zone_t};
use wallarm_detect::{Engine, ParserSet};
use wallarm_pipeline::{Policy, RealIpHeader, Trusted};

pub(crate) use merge::merge_loc_conf;
pub(crate) use status::{Format as StatusFormat, Status};
pub(crate) use value::{Application, Parse, Text, Value};

use crate::ext;

/// Settings of the `http` block.
pub(crate) struct MainConf {
    /// `wallarm_scan_threads`
    pub(crate) scan_threads: Option<usize>,
    /// `wallarm_queue_size`, jobs per scan thread
    pub(crate) queue_size: Option<usize>,
    /// `wallarm_arena_size`, bytes
    pub(crate) arena_size: Option<usize>,
    /// `wallarm_arenas`, per worker
    pub(crate) arenas: Option<usize>,
    /// `wallarm_body_limit`, bytes
    pub(crate) body_limit: Option<usize>,
    /// `wallarm_body_files`, per worker
    pub(crate) body_files: Option<usize>,
    /// `wallarm_attack_log`
    pub(crate) log: AttackLog,
    /// Some location's mode is not `off`.
    pub(crate) active: bool,
    /// The rules, compiled before the workers are forked so that they share the pages.
    pub(crate) engine: Option<Arc<Engine>>,
    /// The counters' shared memory.
    pub(crate) zone: *mut ngx_shm_zone_t,
    /// Of `$request_id`; negative when it could not be had.
    pub(crate) request_id_index: ngx_int_t,
    /// Of the variable that names the peer before stock realip rewrote the address; negative without that module.
    pub(crate) realip_peer_index: ngx_int_t,
    /// `safe_blocking` and `block` are warned of once.
    pub(crate) warned_of_blocking: bool,
}

/// Where attack events go.
#[derive(Clone, Copy)]
pub(crate) enum AttackLog {
    /// No directive.
    Unset,
    Off,
    File {
        file: *mut ngx_open_file_t,
        /// Events a second and worker.
        rate: u32,
    },
}

impl Default for MainConf {
    fn default() -> Self {
        Self {
            scan_threads: None,
            queue_size: None,
            arena_size: None,
            arenas: None,
            body_limit: None,
            body_files: None,
            log: AttackLog::Unset,
            active: false,
            engine: None,
            zone: ptr::null_mut(),
            request_id_index: -1,
            realip_peer_index: -1,
            warned_of_blocking: false,
        }
    }
}

/// Whether requests are analysed. The public node's blocking modes act as `Monitoring` on a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Off,
    Monitoring,
}

/// Settings of a location; those of servers and of the `http` block are merged into them.
#[derive(Default)]
pub(crate) struct LocConf {
    /// `wallarm_mode` as written here or above.
    mode: Option<Mode>,
    /// The effective mode is not `off`.
    pub(crate) active: bool,
    /// Requests here are copies that a mirror sent: their bodies may be read.
    pub(crate) node: bool,
    /// `wallarm_force`
    pub(crate) forced: Forced,
    /// `wallarm_request_id`
    pub(crate) request_id: Option<Text>,
    /// `wallarm_application`, `wallarm_instance`
    pub(crate) application: Option<Application>,
    /// `wallarm_sink`: where it stands, as `FILE:LINE`.
    sink: Option<String>,
    /// `wallarm_status`, on or off
    pub(crate) status: Option<Option<Status>>,
    /// `wallarm_set_real_ip_from`
    real_ip_from: Vec<Trusted>,
    /// The same, or that of the level above; shared by the levels below.
    trusted: Arc<[Trusted]>,
    /// `wallarm_real_ip_header`
    real_ip_header: Option<RealIpHeader>,
    /// `wallarm_real_ip_recursive`
    real_ip_recursive: Option<bool>,
    /// `wallarm_parser_disable`
    parser_disable: Option<ParserSet>,
    /// What a scan thread has to know of the location; made when levels are merged.
    pub(crate) policy: Arc<Policy>,
}

/// Values of `wallarm_force`, by name.
#[derive(Clone, Default)]
pub(crate) struct Forced {
    pub(crate) server_addr: Option<Value<std::net::IpAddr>>,
    pub(crate) server_port: Option<Value<u16>>,
    pub(crate) response_status: Option<Value<u64>>,
    pub(crate) response_time: Option<Value<u64>>,
    pub(crate) response_size: Option<Value<u64>>,
}

impl LocConf {
    /// Whether attribution needs the address of the PROXY protocol.
    pub(crate) fn wants_proxy_protocol(&self) -> bool {
        matches!(&self.policy.real_ip, Some(real_ip) if real_ip.header == RealIpHeader::ProxyProtocol)
    }
}

pub(crate) unsafe extern "C" fn create_main_conf(cf: *mut ngx_conf_t) -> *mut c_void {
    // SAFETY: NGINX passes a live configuration with its pool.
    unsafe { ext::pool_box((*cf).pool, MainConf::default()).cast() }
}

pub(crate) unsafe extern "C" fn create_loc_conf(cf: *mut ngx_conf_t) -> *mut c_void {
    // SAFETY: NGINX passes a live configuration with its pool.
    unsafe { ext::pool_box((*cf).pool, LocConf::default()).cast() }
}

/// Logs a configuration error or warning; NGINX adds the file and line.
macro_rules! conf_log {
    ($level:ident, $cf:expr, $($arg:tt)+) => {{
        // SAFETY: cf is the one that NGINX passed to the running handler.
        ::ngx::ngx_conf_log_error!(::ngx::ffi::$level, $cf, $($arg)+);
    }};
}
pub(crate) use conf_log;

/// The last bits of a directive handler: an error is logged behind the directive's name and refused.
///
/// # Safety
/// `cf` is the one that NGINX passed to the running handler.
pub(crate) unsafe fn finish(cf: *mut ngx_conf_t, result: Result<(), String>) -> *mut c_char {
    match result {
        Ok(()) => ext::CONF_OK,
        Err(message) => {
            conf_log!(NGX_LOG_EMERG, cf, "{message}");
            ext::CONF_ERROR
        }
    }
}
