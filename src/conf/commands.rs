//! One handler per directive, and the table that NGINX looks them up in.

use core::ffi::{c_char, c_void};
use core::ops::RangeInclusive;

use ngx::ffi::{
    ngx_command_t, ngx_conf_t, ngx_parse_size, ngx_str_t, ngx_uint_t, NGX_CONF_ANY,
    NGX_CONF_NOARGS, NGX_CONF_TAKE1, NGX_CONF_TAKE12, NGX_CONF_TAKE2, NGX_HTTP_LOC_CONF,
    NGX_HTTP_LOC_CONF_OFFSET, NGX_HTTP_MAIN_CONF, NGX_HTTP_MAIN_CONF_OFFSET, NGX_HTTP_SRV_CONF,
};
use ngx::ngx_string;
use wallarm_detect::ParserSet;

use super::value::digits as count;
use super::{
    conf_log, finish, real_ip, status, Application, LocConf, MainConf, Mode, Parse, Text, Value,
};
use crate::{ext, handlers, log};

type Handler =
    unsafe extern "C" fn(*mut ngx_conf_t, *mut ngx_command_t, *mut c_void) -> *mut c_char;

const EVERYWHERE: u32 = NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF;

macro_rules! command {
    ($name:literal, $context:expr, $set:path, $offset:expr) => {
        ngx_command_t {
            name: ngx_string!($name),
            type_: ($context) as ngx_uint_t,
            set: Some($set as Handler),
            conf: $offset,
            offset: 0,
            post: core::ptr::null_mut(),
        }
    };
}

macro_rules! location {
    ($name:literal, $context:expr, $set:path) => {
        command!($name, $context, $set, NGX_HTTP_LOC_CONF_OFFSET)
    };
}

macro_rules! main {
    ($name:literal, $arguments:expr, $set:path) => {
        command!($name, NGX_HTTP_MAIN_CONF | $arguments, $set, NGX_HTTP_MAIN_CONF_OFFSET)
    };
}

#[cfg(ngx_module = "http_realip")]
const STOCK_NAMES: usize = 0;
#[cfg(not(ngx_module = "http_realip"))]
const STOCK_NAMES: usize = 3;

pub(crate) static mut COMMANDS: [ngx_command_t; 19 + STOCK_NAMES] = [
    location!("wallarm_mode", EVERYWHERE | NGX_CONF_TAKE1, cmd_set_mode),
    location!("wallarm_force", EVERYWHERE | NGX_CONF_TAKE2, cmd_add_force),
    location!("wallarm_sink", NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS, cmd_set_sink),
    location!("wallarm_request_id", EVERYWHERE | NGX_CONF_TAKE1, cmd_set_request_id),
    location!("wallarm_application", EVERYWHERE | NGX_CONF_TAKE1, cmd_set_application),
    location!("wallarm_instance", EVERYWHERE | NGX_CONF_TAKE1, cmd_set_application),
    location!("wallarm_parser_disable", EVERYWHERE | NGX_CONF_TAKE1, cmd_add_parser_disable),
    location!("wallarm_status", NGX_HTTP_LOC_CONF | NGX_CONF_ANY, status::cmd_set_status),
    location!("wallarm_set_real_ip_from", EVERYWHERE | NGX_CONF_TAKE1, real_ip::cmd_add_from),
    location!("wallarm_real_ip_header", EVERYWHERE | NGX_CONF_TAKE1, real_ip::cmd_set_header),
    location!("wallarm_real_ip_recursive", EVERYWHERE | NGX_CONF_TAKE1, real_ip::cmd_set_recursive),
    main!("wallarm_attack_log", NGX_CONF_TAKE12, log::cmd_set_attack_log),
    main!("wallarm_scan_threads", NGX_CONF_TAKE1, cmd_set_scan_threads),
    main!("wallarm_queue_size", NGX_CONF_TAKE1, cmd_set_queue_size),
    main!("wallarm_arena_size", NGX_CONF_TAKE1, cmd_set_arena_size),
    main!("wallarm_arenas", NGX_CONF_TAKE1, cmd_set_arenas),
    main!("wallarm_body_limit", NGX_CONF_TAKE1, cmd_set_body_limit),
    main!("wallarm_body_files", NGX_CONF_TAKE1, cmd_set_body_files),
    // With realip in the NGINX, its own directives of these names come first in load order and ours would never run.
    #[cfg(not(ngx_module = "http_realip"))]
    location!("set_real_ip_from", EVERYWHERE | NGX_CONF_TAKE1, real_ip::cmd_add_from),
    #[cfg(not(ngx_module = "http_realip"))]
    location!("real_ip_header", EVERYWHERE | NGX_CONF_TAKE1, real_ip::cmd_set_header),
    #[cfg(not(ngx_module = "http_realip"))]
    location!("real_ip_recursive", EVERYWHERE | NGX_CONF_TAKE1, real_ip::cmd_set_recursive),
    ngx_command_t::empty(),
];

/// The name and the first value of the directive that is being read.
///
/// # Safety
/// Called from a directive handler whose table entry asks for at least one value.
pub(super) unsafe fn name_and_value<'a>(
    cf: *mut ngx_conf_t,
) -> (std::borrow::Cow<'a, str>, &'a [u8]) {
    // SAFETY: by the caller's contract.
    let mut words = unsafe { ext::args(cf) };
    let name = String::from_utf8_lossy(words.next().unwrap_or_default());
    (name, words.next().unwrap_or_default())
}

unsafe extern "C" fn cmd_set_mode(
    cf: *mut ngx_conf_t,
    _cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: NGINX passes this module's location settings, and cf stands in the http block.
    unsafe { set(cf, &mut (*conf.cast::<LocConf>()).mode, |value| mode(cf, value)) }
}

/// # Safety
/// `cf` stands in the http block.
unsafe fn mode(cf: *mut ngx_conf_t, value: &[u8]) -> Result<Mode, String> {
    match value {
        b"off" => Ok(Mode::Off),
        b"monitoring" => Ok(Mode::Monitoring),
        b"safe_blocking" | b"block" => {
            // SAFETY: by the caller's contract.
            let main = unsafe { ext::main_of_cf(cf) };
            if !core::mem::replace(&mut main.warned_of_blocking, true) {
                conf_log!(
                    NGX_LOG_WARN,
                    cf,
                    "\"wallarm_mode {}\" acts as \"monitoring\": a copy of a request cannot be blocked",
                    value.escape_ascii()
                );
            }
            Ok(Mode::Monitoring)
        }
        _ => Err("expected \"off\", \"monitoring\", \"safe_blocking\" or \"block\"".into()),
    }
}

unsafe extern "C" fn cmd_add_force(
    cf: *mut ngx_conf_t,
    _cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: NGINX passes this module's location settings; the table asks for two values.
    unsafe {
        let forced = &mut (*conf.cast::<LocConf>()).forced;
        let mut words = ext::args(cf).skip(1);
        let (name, value) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let directive = format!("wallarm_force {}", name.escape_ascii());
        let result = match name {
            b"server_addr" => force(cf, &directive, &mut forced.server_addr, value),
            b"server_port" => force(cf, &directive, &mut forced.server_port, value),
            b"response_status" => force(cf, &directive, &mut forced.response_status, value),
            b"response_time" => force(cf, &directive, &mut forced.response_time, value),
            b"response_size" => force(cf, &directive, &mut forced.response_size, value),
            _ => Err(format!(
                "unknown name in \"{directive}\", expected \"server_addr\", \"server_port\", \
                 \"response_status\", \"response_time\" or \"response_size\""
            )),
        };
        finish(cf, result)
    }
}

/// # Safety
/// `cf` stands in the http block; `value` is one of its words.
unsafe fn force<T: Copy + Parse>(
    cf: *mut ngx_conf_t,
    directive: &str,
    place: &mut Option<Value<T>>,
    value: &[u8],
) -> Result<(), String> {
    if place.is_some() {
        return Err(format!("duplicate name in \"{directive}\""));
    }
    // SAFETY: by the caller's contract.
    *place = Some(unsafe { Value::compile(cf, value) }.map_err(|e| invalid(value, directive, &e))?);
    Ok(())
}

/// The words of an error. `expected` completes the sentence.
fn invalid(value: &[u8], directive: &str, expected: &str) -> String {
    format!("invalid value \"{}\" in \"{directive}\", {expected}", value.escape_ascii())
}

/// A content handler, like `proxy_pass`: what else may answer here is checked when levels are merged.
unsafe extern "C" fn cmd_set_sink(
    cf: *mut ngx_conf_t,
    _cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: NGINX passes this module's location settings; conf_file is the file that is being read.
    unsafe {
        let conf = &mut *conf.cast::<LocConf>();
        if conf.sink.is_some() {
            return ext::CONF_DUPLICATE;
        }
        let file = (*cf).conf_file;
        let name = String::from_utf8_lossy(ext::bytes((*file).file.name));
        conf.sink = Some(format!("{name}:{}", (*file).line));
        let result = set_content_handler(cf, handlers::sink);
        finish(cf, result.map_err(|e| format!("\"wallarm_sink\" {e}")))
    }
}

/// Makes `handler` the only one that answers in this location.
///
/// # Safety
/// `cf` stands in a location.
pub(super) unsafe fn set_content_handler(
    cf: *mut ngx_conf_t,
    handler: handlers::Handler,
) -> Result<(), String> {
    // SAFETY: by the caller's contract.
    let clcf = unsafe { &mut *ext::core_location(cf) };
    if clcf.handler.is_some() {
        return Err("conflicts with another content handler in this location".into());
    }
    clcf.handler = Some(handler);
    Ok(())
}

unsafe extern "C" fn cmd_set_request_id(
    cf: *mut ngx_conf_t,
    _cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: NGINX passes this module's location settings; the table asks for one value.
    unsafe { set(cf, &mut (*conf.cast::<LocConf>()).request_id, |value| Text::compile(cf, value)) }
}

unsafe extern "C" fn cmd_set_application(
    cf: *mut ngx_conf_t,
    _cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: NGINX passes this module's location settings; the table asks for one value.
    unsafe {
        let place = &mut (*conf.cast::<LocConf>()).application;
        set(cf, place, |value| Application::compile(cf, value))
    }
}

unsafe extern "C" fn cmd_add_parser_disable(
    cf: *mut ngx_conf_t,
    _cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: NGINX passes this module's location settings; the table asks for one value.
    unsafe {
        let disabled = (*conf.cast::<LocConf>()).parser_disable.get_or_insert_default();
        let (name, value) = name_and_value(cf);
        let parser = core::str::from_utf8(value).ok().and_then(ParserSet::named);
        let Some(parser) = parser else {
            let known: Vec<&str> = ParserSet::all().names().collect();
            let expected = format!("expected one of {}", known.join(", "));
            return finish(cf, Err(invalid(value, &name, &expected)));
        };
        if disabled.contains(parser) {
            let value = value.escape_ascii();
            conf_log!(NGX_LOG_WARN, cf, "duplicate value \"{value}\" in \"{name}\"");
        }
        disabled.insert(parser);
        ext::CONF_OK
    }
}

/// Stores what `parse` makes of the directive's value, once. Its error says what was expected.
///
/// # Safety
/// Called from a directive handler with one value.
pub(super) unsafe fn set<T>(
    cf: *mut ngx_conf_t,
    place: &mut Option<T>,
    parse: impl FnOnce(&[u8]) -> Result<T, String>,
) -> *mut c_char {
    if place.is_some() {
        return ext::CONF_DUPLICATE;
    }
    // SAFETY: by the caller's contract.
    unsafe {
        let (name, value) = name_and_value(cf);
        let result = parse(value).map(|value| *place = Some(value));
        finish(cf, result.map_err(|expected| invalid(value, &name, &expected)))
    }
}

/// A number within `range`.
fn number(
    text: &[u8],
    parse: impl FnOnce(&[u8]) -> Option<usize>,
    range: RangeInclusive<usize>,
) -> Result<usize, String> {
    parse(text).filter(|number| range.contains(number)).ok_or_else(|| {
        let (low, high) = (range.start(), range.end());
        format!("expected {low} to {high}")
    })
}

/// Bytes, with NGINX's suffixes `k` and `m`.
fn size(text: &[u8]) -> Option<usize> {
    if text.is_empty() {
        return None; // ngx_parse_size() looks at the last byte first
    }
    let mut word = ngx_str_t { len: text.len(), data: text.as_ptr().cast_mut() };
    // SAFETY: ngx_parse_size() reads `len` bytes of `data` and keeps nothing.
    usize::try_from(unsafe { ngx_parse_size(&raw mut word) }).ok()
}

macro_rules! number_handlers {
    ($($handler:ident => $field:ident, $parse:ident, $range:expr;)+) => {$(
        unsafe extern "C" fn $handler(
            cf: *mut ngx_conf_t,
            _cmd: *mut ngx_command_t,
            conf: *mut c_void,
        ) -> *mut c_char {
            // SAFETY: NGINX passes this module's main settings; the table asks for one value.
            unsafe {
                let place = &mut (*conf.cast::<MainConf>()).$field;
                set(cf, place, |value| number(value, $parse, $range))
            }
        }
    )+};
}

number_handlers! {
    cmd_set_scan_threads => scan_threads, count, 1..=64;
    cmd_set_queue_size => queue_size, count, 16..=1_048_576;
    cmd_set_arena_size => arena_size, size, 1024..=1_048_576;
    cmd_set_arenas => arenas, count, 16..=1_048_576;
    cmd_set_body_limit => body_limit, size, 0..=1_073_741_824;
    cmd_set_body_files => body_files, count, 0..=65_535;
}
