//! Answers a request for the counters.

use ngx::ffi::{
    ngx_buf_t, ngx_chain_t, ngx_http_discard_request_body, ngx_http_output_filter,
    ngx_http_request_t, ngx_http_send_header, ngx_int_t, ngx_pcalloc, ngx_pnalloc, ngx_str_t,
    NGX_ERROR, NGX_HTTP_FORBIDDEN, NGX_HTTP_GET, NGX_HTTP_HEAD, NGX_HTTP_INTERNAL_SERVER_ERROR,
    NGX_HTTP_NOT_ALLOWED, NGX_HTTP_OK, NGX_OK,
};
use wallarm_pipeline::Peer;

use crate::conf::StatusFormat;
use crate::{capture, ext, shm};

const OK: ngx_int_t = NGX_OK as ngx_int_t;

/// Content handler of `wallarm_status`.
pub(crate) unsafe extern "C" fn answer(r: *mut ngx_http_request_t) -> ngx_int_t {
    // SAFETY: NGINX calls content handlers with a live request.
    unsafe {
        let Some(Some(status)) = &ext::location(r).status else {
            return NGX_HTTP_INTERNAL_SERVER_ERROR as ngx_int_t;
        };
        if (*r).method & (NGX_HTTP_GET | NGX_HTTP_HEAD) as usize == 0 {
            return NGX_HTTP_NOT_ALLOWED as ngx_int_t;
        }
        if !connection_peer(r).is_some_and(|peer| status.allows(&peer)) {
            return NGX_HTTP_FORBIDDEN as ngx_int_t;
        }
        let rc = ngx_http_discard_request_body(r);
        if rc != OK {
            return rc;
        }
        let kind = match status.format {
            StatusFormat::Json => "application/json",
            StatusFormat::Prometheus => "text/plain; version=0.0.4",
        };
        match shm::status_text(ext::main(r), status.format) {
            Some(text) => send(r, kind, &text),
            None => NGX_HTTP_INTERNAL_SERVER_ERROR as ngx_int_t,
        }
    }
}

/// The address at the other end of the socket, whatever a realip module made of it.
unsafe fn connection_peer(r: *const ngx_http_request_t) -> Option<Peer> {
    // SAFETY: storage is large enough for any address and getpeername() is told its size.
    unsafe {
        let mut storage: libc::sockaddr_storage = core::mem::zeroed();
        let mut len = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
        let address = (&raw mut storage).cast::<libc::sockaddr>();
        let rc = libc::getpeername((*(*r).connection).fd, address, &raw mut len);
        (rc == 0).then(|| capture::peer(address))
    }
}

unsafe fn send(r: *mut ngx_http_request_t, kind: &'static str, text: &str) -> ngx_int_t {
    // SAFETY: the request is live; the text is copied into its pool before it is sent.
    unsafe {
        let buf: *mut ngx_buf_t = ngx_pcalloc((*r).pool, size_of::<ngx_buf_t>()).cast();
        let data = ngx_pnalloc((*r).pool, text.len()).cast::<u8>();
        if buf.is_null() || data.is_null() {
            return NGX_HTTP_INTERNAL_SERVER_ERROR as ngx_int_t;
        }
        data.copy_from_nonoverlapping(text.as_ptr(), text.len());
        (*buf).pos = data;
        (*buf).last = data.add(text.len());
        (*buf).set_memory(1);
        (*buf).set_last_buf(u32::from(r == (*r).main));
        (*buf).set_last_in_chain(1);

        let headers = &mut (*r).headers_out;
        headers.status = NGX_HTTP_OK as usize;
        headers.content_length_n = text.len() as i64;
        headers.content_type = ngx_str_t { len: kind.len(), data: kind.as_ptr().cast_mut() };
        headers.content_type_len = kind.len();

        let rc = ngx_http_send_header(r);
        if rc == NGX_ERROR as ngx_int_t || rc > OK || (*r).header_only() != 0 {
            return rc;
        }
        let mut out = ngx_chain_t { buf, next: core::ptr::null_mut() };
        ngx_http_output_filter(r, &raw mut out)
    }
}
