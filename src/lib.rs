//! `ngx_http_wallarm_mirror_module`: finds attacks in a mirrored copy of HTTP traffic.
//!
//! This crate is the only one with unsafe code. It copies requests on the event loop (`capture`, `body`, `guard`,
//! `handlers`), reads the configuration (`conf`, `log`) and keeps the threads of a worker process (`worker`, `shm`).
//! What the threads do is in `wallarm-pipeline` and `wallarm-detect`, which know nothing of NGINX.

mod body;
mod capture;
mod conf;
mod ext;
mod extra;
mod guard;
mod handlers;
mod layout;
mod log;
mod package;
mod shm;
mod status;
mod stock_realip;
mod worker;

use core::ptr;

use ngx::ffi::{
    ngx_conf_t, ngx_http_get_variable_index, ngx_http_handler_pt, ngx_http_module_t,
    ngx_http_phases_NGX_HTTP_ACCESS_PHASE, ngx_http_phases_NGX_HTTP_PRECONTENT_PHASE, ngx_int_t,
    ngx_module_t, ngx_str_t, NGX_ERROR, NGX_HTTP_MODULE, NGX_OK,
};

use crate::conf::{conf_log, AttackLog};

static MODULE_CTX: ngx_http_module_t = ngx_http_module_t {
    preconfiguration: None,
    postconfiguration: Some(postconfiguration),
    create_main_conf: Some(conf::create_main_conf),
    init_main_conf: None,
    create_srv_conf: None,
    merge_srv_conf: None,
    create_loc_conf: Some(conf::create_loc_conf),
    merge_loc_conf: Some(conf::merge_loc_conf),
};

ngx::ngx_modules!(ngx_http_wallarm_mirror_module);

/// The module, as NGINX finds it through `ngx_modules`.
#[used]
#[allow(non_upper_case_globals, reason = "NGINX's name for it")]
pub static mut ngx_http_wallarm_mirror_module: ngx_module_t = ngx_module_t {
    ctx: ptr::addr_of!(MODULE_CTX).cast_mut().cast(),
    commands: &raw mut conf::commands::COMMANDS as *mut _,
    type_: NGX_HTTP_MODULE as usize,
    init_process: Some(worker::init_process),
    exit_process: Some(worker::exit_process),
    ..ngx_module_t::default()
};

/// Runs when all levels are merged, in the master, `nginx -t` and `nginx -s`.
unsafe extern "C" fn postconfiguration(cf: *mut ngx_conf_t) -> ngx_int_t {
    // SAFETY: NGINX passes a configuration inside the http block; nobody else holds our main settings.
    unsafe {
        let main = ext::main_of_cf(cf);
        main.zone = shm::add_zone(cf);
        main.request_id_index = variable_index(cf, "request_id");
        if let Some(name) = stock_realip::PEER_VARIABLE {
            main.realip_peer_index = variable_index(cf, name);
        }
        if main.zone.is_null() || !register_handlers(cf) {
            return NGX_ERROR as ngx_int_t;
        }
        if !log::is_exclusive(&main.log) {
            conf_log!(NGX_LOG_EMERG, cf, "the file of \"wallarm_attack_log\" is another log's");
            return NGX_ERROR as ngx_int_t;
        }
        if let Err(error) = worker::config(main, 0).check() {
            conf_log!(NGX_LOG_EMERG, cf, "{error}");
            return NGX_ERROR as ngx_int_t;
        }
        if main.active {
            match worker::compile_rules() {
                Ok(engine) => main.engine = Some(engine),
                Err(error) => {
                    conf_log!(NGX_LOG_EMERG, cf, "wallarm: {error}");
                    return NGX_ERROR as ngx_int_t;
                }
            }
            if matches!(main.log, AttackLog::Unset) {
                conf_log!(
                    NGX_LOG_WARN,
                    cf,
                    "no \"wallarm_attack_log\" is set: attacks are counted, but not recorded"
                );
            }
        }
    }
    if let Some(warning) = package::warning() {
        conf_log!(NGX_LOG_WARN, cf, "{warning}");
    }
    NGX_OK as ngx_int_t
}

/// # Safety
/// `cf` is inside the http block.
unsafe fn variable_index(cf: *mut ngx_conf_t, name: &'static str) -> ngx_int_t {
    let mut name = ngx_str_t { len: name.len(), data: name.as_ptr().cast_mut() };
    // SAFETY: the name lives for ever; NGINX only reads it.
    unsafe { ngx_http_get_variable_index(cf, &raw mut name) }
}

unsafe fn register_handlers(cf: *mut ngx_conf_t) -> bool {
    // SAFETY: the core module has initialised the array of each phase (ngx_http_init_phases()).
    unsafe {
        let phases = &mut (*ext::core_main(cf)).phases;
        let access: ngx_http_handler_pt = Some(handlers::access);
        let precontent: ngx_http_handler_pt = Some(handlers::precontent);
        [
            (ngx_http_phases_NGX_HTTP_ACCESS_PHASE, access),
            (ngx_http_phases_NGX_HTTP_PRECONTENT_PHASE, precontent),
        ]
        .into_iter()
        .all(|(phase, handler)| {
            phases
                .get_mut(phase as usize)
                .is_some_and(|phase| ext::push(&raw mut phase.handlers, handler))
        })
    }
}
