//! The three places where NGINX hands a request to us.
//!
//! | entry point | requests | what it does |
//! |---|---|---|
//! | [`access`] | main requests | hands over line and headers; at a node waits for the body first |
//! | [`sink`] | where `wallarm_sink` stands | hands over all there is and answers 204 |
//! | [`precontent`] | mirror subrequests whose location proxies on | hands over all there is |
//!
//! The access phase never runs for a subrequest (`ngx_http_core_access_phase()`), and `return 204` ends in the rewrite
//! phase: that is why a sink exists. Phase handlers return `NGX_DECLINED`; `NGX_OK` would satisfy `satisfy any`.

use core::ffi::c_void;

use ngx::ffi::{
    ngx_http_cleanup_add, ngx_http_core_run_phases, ngx_http_discard_request_body,
    ngx_http_finalize_request, ngx_http_read_client_request_body, ngx_http_request_t,
    ngx_http_send_header, ngx_int_t, NGX_DECLINED, NGX_DONE, NGX_HTTP_NO_CONTENT,
    NGX_HTTP_SPECIAL_RESPONSE, NGX_OK,
};

use crate::capture::{capture, Part};
use crate::ext;
use crate::guard::{self, Captured};
use crate::worker;

/// A content or phase handler.
pub(crate) type Handler = unsafe extern "C" fn(*mut ngx_http_request_t) -> ngx_int_t;

const OK: ngx_int_t = NGX_OK as ngx_int_t;
const DECLINED: ngx_int_t = NGX_DECLINED as ngx_int_t;
const DONE: ngx_int_t = NGX_DONE as ngx_int_t;

/// Access phase: sees also what authentication or `deny` will reject, since a dynamic module's handler runs first.
pub(crate) unsafe extern "C" fn access(r: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: NGINX calls phase handlers with a live request. No reference into it is alive across read_body(), which may
    // re-enter this handler.
    unsafe {
        let conf = ext::location(r);
        if !conf.active || !worker::is_running() {
            return DECLINED;
        }
        match guard::captured(r) {
            Captured::Nothing | Captured::Head if conf.node => return read_body(r),
            Captured::Nothing => capture(r, Part::Head),
            // While a body is read the phases stand still: the read has failed and this is the way to its error_page.
            Captured::Reading => capture(r, Part::Head),
            Captured::Head | Captured::Whole => {}
        }
    }
    DECLINED
}

/// Reads the body, then hands the request over and lets the phases go on.
///
/// Re-entrant: with no body, or one that was read before, [`body_read`] runs the phases to their end inside
/// `ngx_http_read_client_request_body()`.
unsafe fn read_body(r: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: the caller passes a live main request and holds no reference into it.
    unsafe {
        let guard = guard::obtain(r);
        if guard.is_null() {
            return DECLINED;
        }
        let cleanup = ngx_http_cleanup_add(r, 0);
        if cleanup.is_null() {
            return DECLINED;
        }
        (*cleanup).handler = Some(body_abandoned);
        (*cleanup).data = r.cast();
        (*guard).captured = Captured::Reading;
        let rc = ngx_http_read_client_request_body(r, Some(body_read));
        if rc >= NGX_HTTP_SPECIAL_RESPONSE as ngx_int_t {
            return rc;
        }
        // Gives back the reference that the read took.
        ngx_http_finalize_request(r, DONE);
    }
    DONE
}

/// The request ends. If its body never came to its end (the mirror's client went away, a chunked body grew too large),
/// [`body_read`] was not called and the head is all there is.
unsafe extern "C" fn body_abandoned(r: *mut c_void) {
    let r: *mut ngx_http_request_t = r.cast();
    // SAFETY: registered with the request, whose cleanups run while it and its connection are still whole
    // (ngx_http_free_request(), ngx_http_terminate_request()).
    unsafe {
        if guard::captured(r) == Captured::Reading {
            capture(r, Part::Head);
        }
    }
}

unsafe extern "C" fn body_read(r: *mut ngx_http_request_t) {
    // SAFETY: NGINX calls the post handler with a live request, with the body read; `r` may be freed by the last call.
    unsafe {
        capture(r, Part::Whole);
        // Whoever comes after us may want the body as well (ngx_http_upstream_send_response() drops it otherwise).
        (*r).set_preserve_body(1);
        (*r).write_event_handler = Some(ngx_http_core_run_phases);
        ngx_http_core_run_phases(r);
    }
}

/// Precontent phase: a mirror location that also proxies on. Neither `auth_request` nor SSI subrequests are both
/// background and header-only.
pub(crate) unsafe extern "C" fn precontent(r: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: NGINX calls phase handlers with a live request.
    unsafe {
        let mirror = r != (*r).main && (*r).background() != 0 && (*r).header_only() != 0;
        if mirror && ext::location(r).active && !is_sink((*r).content_handler) {
            capture(r, Part::Whole);
        }
    }
    DECLINED
}

/// Whether a content handler is [`sink`].
pub(crate) fn is_sink(handler: Option<Handler>) -> bool {
    handler.is_some_and(|handler| core::ptr::fn_addr_eq(handler, sink as Handler))
}

/// Content handler of `wallarm_sink`: 204 on every path, since an error from a mirror subrequest terminates the
/// client's request (`ngx_http_terminate_request()` acts on `r->main`).
pub(crate) unsafe extern "C" fn sink(r: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: NGINX calls content handlers with a live request.
    unsafe {
        if ext::location(r).active {
            capture(r, Part::Whole);
        }
        (*r).headers_out.status = NGX_HTTP_NO_CONTENT as usize;
        // As an error_page, too: ngx_http_send_header() would take the error's status instead.
        (*r).err_status = 0;
        if r != (*r).main {
            // Nothing of a background subrequest reaches the client; the status is for log_subrequest.
            return OK;
        }
        let rc = ngx_http_discard_request_body(r);
        if rc != OK {
            return rc;
        }
        ngx_http_send_header(r)
    }
}
