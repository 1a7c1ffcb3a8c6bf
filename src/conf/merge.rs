//! How the settings of a level become those of the levels below it.

use core::ffi::{c_char, c_void};
use std::sync::Arc;

use ngx::ffi::{ngx_conf_t, ngx_http_conf_ctx_t};
use wallarm_pipeline::{Policy, RealIp, RealIpHeader};

use super::{conf_log, finish, Forced, LocConf, Mode, Text, Value};
use crate::{ext, handlers, stock_realip};

pub(crate) unsafe extern "C" fn merge_loc_conf(
    cf: *mut ngx_conf_t,
    prev: *mut c_void,
    conf: *mut c_void,
) -> *mut c_char {
    // SAFETY: NGINX passes two different settings of this module, the outer level's first, and cf->ctx is the level's.
    unsafe {
        let (prev, conf) = (&*prev.cast::<LocConf>(), &mut *conf.cast::<LocConf>());
        inherit(conf, prev);
        if let Err(message) = check_sink(cf, conf, prev) {
            return finish(cf, Err(message));
        }
        conf.node = conf.sink.is_some() || !conf.forced.is_empty();
        let default = if conf.node { Mode::Monitoring } else { Mode::Off };
        conf.active = conf.mode.unwrap_or(default) != Mode::Off;
        conf.policy = Arc::new(policy(cf, conf));
        ext::main_of_cf(cf).active |= conf.active;
    }
    ext::CONF_OK
}

/// Values not set here are those of the outer level; `wallarm_force` is inherited name by name.
fn inherit(conf: &mut LocConf, prev: &LocConf) {
    conf.mode = conf.mode.or(prev.mode);
    conf.forced.inherit(&prev.forced);
    or_clone(&mut conf.request_id, &prev.request_id);
    or_clone(&mut conf.application, &prev.application);
    or_clone(&mut conf.real_ip_header, &prev.real_ip_header);
    conf.real_ip_recursive = conf.real_ip_recursive.or(prev.real_ip_recursive);
    conf.parser_disable = conf.parser_disable.or(prev.parser_disable);
    conf.trusted = match core::mem::take(&mut conf.real_ip_from) {
        own if !own.is_empty() => own.into(),
        // The http level is nobody's inner level: what stands there has not been moved.
        _ if !prev.real_ip_from.is_empty() => prev.real_ip_from.clone().into(),
        _ => prev.trusted.clone(),
    };
}

fn or_clone<T: Clone>(value: &mut Option<T>, outer: &Option<T>) {
    if value.is_none() {
        value.clone_from(outer);
    }
}

impl Forced {
    fn inherit(&mut self, outer: &Self) {
        or_clone(&mut self.server_addr, &outer.server_addr);
        or_clone(&mut self.server_port, &outer.server_port);
        or_clone(&mut self.response_status, &outer.response_status);
        or_clone(&mut self.response_time, &outer.response_time);
        or_clone(&mut self.response_size, &outer.response_size);
    }

    /// See [`Text::header_names`].
    fn header_names(&self) -> Vec<Vec<u8>> {
        let Self { server_addr, server_port, response_status, response_time, response_size } = self;
        let figures = [response_status, response_time, response_size].into_iter().flatten();
        let names = figures.flat_map(Value::header_names);
        let names = names.chain(server_addr.iter().flat_map(Value::header_names));
        names.chain(server_port.iter().flat_map(Value::header_names)).collect()
    }

    fn is_empty(&self) -> bool {
        self.server_addr.is_none()
            && self.server_port.is_none()
            && self.response_status.is_none()
            && self.response_time.is_none()
            && self.response_size.is_none()
    }
}

/// The sink must be the location's only content handler, also where `limit_except` or `if` made a level of its own.
unsafe fn check_sink(
    cf: *mut ngx_conf_t,
    conf: &mut LocConf,
    prev: &LocConf,
) -> Result<(), String> {
    // SAFETY: cf stands in the http block; the core module has merged its settings of this level before us.
    let clcf = unsafe { &mut *ext::core_location(cf) };
    if conf.sink.is_none() && clcf.noname() != 0 {
        conf.sink.clone_from(&prev.sink);
        // Only `limit_except` drops the handler: an `if` leaves that of its location in r->content_handler.
        if conf.sink.is_some() && clcf.lmt_excpt() != 0 && clcf.handler.is_none() {
            clcf.handler = Some(handlers::sink);
        }
        return Ok(());
    }
    let Some(place) = &conf.sink else { return Ok(()) };
    if !handlers::is_sink(clcf.handler) {
        return Err(format!(
            "\"wallarm_sink\" in {place} conflicts with another content handler in that location"
        ));
    }
    if clcf.client_max_body_size != 0 {
        conf_log!(
            NGX_LOG_WARN,
            cf,
            "\"client_max_body_size\" is not 0 for the \"wallarm_sink\" in {place}: \
             larger requests are refused before they are seen"
        );
    }
    Ok(())
}

/// What the scan threads have to know of this location.
unsafe fn policy(cf: *mut ngx_conf_t, conf: &LocConf) -> Policy {
    let header = conf.real_ip_header.clone().unwrap_or(RealIpHeader::XRealIp);
    let mut helpers = conf.forced.header_names();
    helpers.extend(conf.request_id.iter().flat_map(Text::header_names));
    // SAFETY: static modules merge their settings before a dynamic one.
    helpers.extend(unsafe {
        stock_realip::header((*(*cf).ctx.cast::<ngx_http_conf_ctx_t>()).loc_conf)
    });
    let real_ip = (!conf.trusted.is_empty()).then(|| {
        helpers.extend(header.name().map(<[u8]>::to_vec));
        RealIp {
            trusted: conf.trusted.clone(),
            header,
            recursive: conf.real_ip_recursive.unwrap_or(false),
        }
    });
    Policy { real_ip, helpers, disabled: conf.parser_disable.unwrap_or_default() }
}
