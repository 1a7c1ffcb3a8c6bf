//! `wallarm_attack_log`: NGINX opens and reopens the file, the writer thread owns a duplicate of the descriptor.

use core::ffi::{c_char, c_void};
use std::os::unix::fs::FileTypeExt;

use ngx::ffi::{
    ngx_command_t, ngx_conf_full_name, ngx_conf_open_file, ngx_conf_t, ngx_int_t, ngx_log_t,
    ngx_open_file_t, ngx_str_t, NGX_OK,
};

use crate::conf::{AttackLog, MainConf};
use crate::{ext, worker};

/// Events a second and worker, where the directive does not say.
const DEFAULT_RATE: u32 = 1000;

pub(crate) unsafe extern "C" fn cmd_set_attack_log(
    cf: *mut ngx_conf_t,
    _cmd: *mut ngx_command_t,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: NGINX passes this module's main settings; the table asks for one or two values.
    unsafe {
        let conf = &mut *conf.cast::<MainConf>();
        if !matches!(conf.log, AttackLog::Unset) {
            return ext::CONF_DUPLICATE;
        }
        let mut words = ext::args(cf).skip(1);
        let (path, rate) = (words.next().unwrap_or_default(), words.next());
        let result = open(cf, path, rate).map(|log| conf.log = log);
        crate::conf::finish(cf, result.map_err(|e| format!("\"wallarm_attack_log\": {e}")))
    }
}

unsafe fn open(cf: *mut ngx_conf_t, path: &[u8], rate: Option<&[u8]>) -> Result<AttackLog, String> {
    let rate = rate.map_or(Ok(DEFAULT_RATE), parse_rate)?;
    if path == b"off" {
        return Ok(AttackLog::Off);
    }
    if path.is_empty() {
        return Err("empty path".into());
    }
    if path.starts_with(b"syslog:") || path.starts_with(b"unix:") {
        return Err(format!("\"{}\" is not supported, expected a path", path.escape_ascii()));
    }
    // SAFETY: cf is live; NGINX copies the name and keeps the record as long as the cycle.
    unsafe {
        let mut name = ngx_str_t { len: path.len(), data: path.as_ptr().cast_mut() };
        if ngx_conf_full_name((*cf).cycle, &raw mut name, 0) != NGX_OK as ngx_int_t {
            return Err("no memory".into());
        }
        check_kind(&String::from_utf8_lossy(ext::bytes(name)))?;
        let file = ngx_conf_open_file((*cf).cycle, &raw mut name);
        if file.is_null() {
            return Err("no memory".into());
        }
        if (*file).flush.is_some() || !(*file).data.is_null() {
            return Err("the file is another log's".into());
        }
        (*file).flush = Some(before_reopen);
        Ok(AttackLog::File { file, rate })
    }
}

/// `rate=N/s`
fn parse_rate(word: &[u8]) -> Result<u32, String> {
    core::str::from_utf8(word)
        .ok()
        .and_then(|word| word.strip_prefix("rate=")?.strip_suffix("/s")?.parse().ok())
        .filter(|rate| *rate > 0)
        .ok_or_else(|| {
            format!("invalid parameter \"{}\", expected \"rate=N/s\"", word.escape_ascii())
        })
}

/// Whether the file is still ours alone when all directives are read: a buffered `access_log` on the same path takes
/// the hook without asking.
pub(crate) fn is_exclusive(log: &AttackLog) -> bool {
    type Flush = unsafe extern "C" fn(*mut ngx_open_file_t, *mut ngx_log_t);
    let AttackLog::File { file, .. } = log else { return true };
    // SAFETY: the record belongs to the cycle whose configuration is being read.
    let (flush, data) = unsafe { ((**file).flush, (**file).data) };
    data.is_null() && flush.is_some_and(|f| core::ptr::fn_addr_eq(f, before_reopen as Flush))
}

/// Opening a FIFO that nobody reads would block NGINX itself.
fn check_kind(path: &str) -> Result<(), String> {
    match std::fs::metadata(path) {
        Ok(found) if !found.is_file() && !found.file_type().is_char_device() => {
            Err(format!("\"{path}\" is neither a regular file nor a character device"))
        }
        // What is not there yet is made by NGINX, which also reports what it may not open.
        _ => Ok(()),
    }
}

/// `ngx_reopen_files()` calls this in every kind of process and *before* it opens the new file: all that can be done
/// here is to look at the descriptor later.
pub(crate) unsafe extern "C" fn before_reopen(file: *mut ngx_open_file_t, _log: *mut ngx_log_t) {
    worker::with(|worker| worker.reopen_soon(file));
}
