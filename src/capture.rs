//! Copies one request into a job: line, headers, body, addresses, ids. Runs on the event loop, so it only copies.
//!
//! Everything is copied, since NGINX reuses its buffers; nothing here may fail, slow or change the request.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ngx::ffi::{
    ngx_connection_local_sockaddr, ngx_connection_t, ngx_current_msec, ngx_http_request_t,
    ngx_http_variable_value_t, ngx_int_t, NGX_OK,
};
use wallarm_pipeline::{Draft, Kind, Line, Meta, NoArena, Peer};

use crate::conf::{Forced, LocConf};
use crate::guard::{self, Captured, Guard};
use crate::{body, ext, stock_realip, worker};

/// How much of the request an entry point can offer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Line and headers.
    Head,
    /// Those and the body, which has been read or will never be.
    Whole,
}

/// Hands the request over to a scan thread, unless that has been done. What cannot be handed over is counted.
///
/// # Safety
/// `r` is a live request; the caller holds no reference into it or into the worker.
pub(crate) unsafe fn capture(r: *mut ngx_http_request_t, part: Part) {
    if !worker::is_running() {
        return;
    }
    // SAFETY: the request is live; the guard lives as long as its main request, and no reference to it is kept.
    let (guard, seen) = unsafe {
        let guard = guard::obtain(r);
        let Some(seen) = guard.as_ref().copied() else { return };
        (guard, seen)
    };
    let (kind, after) = match (seen.captured, part) {
        (Captured::Nothing | Captured::Reading, Part::Head) => (Kind::Head, Captured::Head),
        (Captured::Nothing | Captured::Reading, Part::Whole) => (Kind::Whole, Captured::Whole),
        (Captured::Head, Part::Whole) => match seen.head {
            Some(id) => (Kind::Body(id), Captured::Whole),
            // The head was dropped, and with it the request.
            None => return,
        },
        _ => return,
    };
    // SAFETY: the request is live and its location's settings are complete. Variables are evaluated before the worker is
    // borrowed, since their handlers are anybody's.
    unsafe {
        let conf = ext::location(r);
        let request_id = request_id(r, conf);
        let meta = meta(r, conf, is_body_absent(r, seen.captured, part));
        let id = worker::with(|worker| {
            let mut draft = worker.intake.begin(kind)?;
            copy_head(r, request_id, &mut draft).ok()?;
            if kind != Kind::Head {
                body::find(r).copy(&mut draft);
            }
            draft.submit(meta, None)
        });
        *guard = Guard { captured: after, head: id.flatten() };
    }
}

/// Line and headers. The client's line: a mirror subrequest keeps the original in `unparsed_uri`.
unsafe fn copy_head(
    r: *mut ngx_http_request_t,
    request_id: &[u8],
    draft: &mut Draft<'_>,
) -> Result<(), NoArena> {
    // SAFETY: the request is live; all slices are copied before this function returns.
    unsafe {
        let host = match (*r).headers_in.host.as_ref() {
            Some(field) => ext::bytes(field.value),
            None => ext::bytes((*r).headers_in.server),
        };
        draft.line(Line {
            method: method(r),
            uri: ext::bytes((*r).unparsed_uri),
            protocol: protocol(r),
            host,
            request_id,
        })?;
        for (name, value) in ext::headers(r) {
            draft.header(name, value)?;
        }
    }
    Ok(())
}

unsafe fn meta(r: *mut ngx_http_request_t, conf: &LocConf, body_absent: bool) -> Meta {
    // SAFETY: the request and its connection are live.
    unsafe {
        let c = (*r).connection;
        let main = (*r).main;
        Meta {
            time_ms: (*main).start_sec as u64 * 1000 + (*main).start_msec as u64,
            queued_ms: ngx_current_msec as u64,
            peer: peer((*c).sockaddr.cast()),
            peer_rewritten: stock_realip::rewrote(main, ext::main(r)),
            proxy_protocol: proxy_protocol(r, conf),
            server: server(r),
            forced: forced(r, conf),
            application: conf.application.as_ref().map_or(-1, |value| value.eval(r)),
            body_absent,
            from_mirror: r == main && conf.node,
            policy: conf.policy.clone(),
        }
    }
}

/// The method as the client wrote it: `ngx_http_send_error_page()` makes `method_name` GET.
unsafe fn method<'a>(r: *const ngx_http_request_t) -> &'a [u8] {
    // SAFETY: the request is live.
    unsafe {
        let line = ext::bytes((*r).request_line);
        match line.iter().position(|byte| *byte == b' ') {
            Some(end) => line.split_at(end).0,
            None => ext::bytes((*r).method_name),
        }
    }
}

/// Whether a body was announced that NGINX does not hand over: `mirror_request_body off`, or one that broke off.
unsafe fn is_body_absent(r: *const ngx_http_request_t, before: Captured, part: Part) -> bool {
    // SAFETY: the request is live.
    unsafe {
        let headers = &(*r).headers_in;
        let announced = headers.content_length_n > 0 || headers.chunked() != 0;
        match part {
            Part::Whole => announced && (*r).request_body.is_null(),
            Part::Head => before == Captured::Reading,
        }
    }
}

/// The protocol as the client wrote it, or as NGINX knows it where no text was sent.
unsafe fn protocol<'a>(r: *const ngx_http_request_t) -> &'a [u8] {
    // SAFETY: the request is live.
    unsafe {
        match ext::bytes((*r).http_protocol) {
            [] => match (*r).http_version {
                9 => b"HTTP/0.9",
                1000 => b"HTTP/1.0",
                2000 => b"HTTP/2.0",
                3000 => b"HTTP/3.0",
                _ => b"HTTP/1.1",
            },
            text => text,
        }
    }
}

/// The id that events carry: what `wallarm_request_id` names, or `$request_id` where somebody has evaluated it.
unsafe fn request_id<'a>(r: *mut ngx_http_request_t, conf: &LocConf) -> &'a [u8] {
    // SAFETY: the request is live; variables are shared by a request and its subrequests.
    unsafe {
        if let Some(value) = &conf.request_id {
            return value.eval(r);
        }
        let Ok(index) = usize::try_from(ext::main(r).request_id_index) else { return &[] };
        let value: &ngx_http_variable_value_t = &*(*r).variables.add(index);
        if value.valid() == 0 || value.not_found() != 0 || value.data.is_null() {
            return &[];
        }
        core::slice::from_raw_parts(value.data, value.len() as usize)
    }
}

unsafe fn forced(r: *mut ngx_http_request_t, conf: &LocConf) -> wallarm_pipeline::Forced {
    let Forced { server_addr, server_port, response_status, response_time, response_size } =
        &conf.forced;
    // SAFETY: the request is live.
    unsafe {
        wallarm_pipeline::Forced {
            server_addr: server_addr.as_ref().and_then(|value| value.eval(r)),
            server_port: server_port.as_ref().and_then(|value| value.eval(r)),
            response_status: known(response_status.as_ref().and_then(|value| value.eval(r))),
            response_time: known(response_time.as_ref().and_then(|value| value.eval(r))),
            response_size: known(response_size.as_ref().and_then(|value| value.eval(r))),
        }
    }
}

/// A forced response figure of 0 says that it is not known.
fn known(figure: Option<u64>) -> Option<u64> {
    figure.filter(|figure| *figure != 0)
}

/// The address a connection was accepted on. Costs one `getsockname()` per connection where `listen` names no address.
unsafe fn server(r: *mut ngx_http_request_t) -> Peer {
    // SAFETY: the connection is live; a null `s` asks only that local_sockaddr be filled in.
    unsafe {
        let c = transport(r);
        let rc: ngx_int_t = ngx_connection_local_sockaddr(c, core::ptr::null_mut(), 0);
        if rc != NGX_OK as ngx_int_t {
            return Peer::Unix;
        }
        peer((*c).local_sockaddr.cast())
    }
}

/// The connection that has the socket: an HTTP/2 stream has a copy of it, which would ask the kernel again.
unsafe fn transport(r: *const ngx_http_request_t) -> *mut ngx_connection_t {
    #[cfg(ngx_feature = "http_v2")]
    // SAFETY: a stream belongs to a live HTTP/2 connection.
    unsafe {
        if let Some(stream) = (*r).stream.as_ref() {
            return (*stream.connection).connection;
        }
    }
    // SAFETY: the request is live.
    unsafe { (*r).connection }
}

/// The client's address as the PROXY protocol gave it, where the settings ask for it.
unsafe fn proxy_protocol(r: *mut ngx_http_request_t, conf: &LocConf) -> Option<(IpAddr, u16)> {
    if !conf.wants_proxy_protocol() {
        return None;
    }
    // SAFETY: the connection is live; proxy_protocol is null or filled.
    unsafe {
        let header = (*(*r).connection).proxy_protocol.as_ref()?;
        let text = core::str::from_utf8(ext::bytes(header.src_addr)).ok()?;
        Some((text.parse().ok()?, header.src_port))
    }
}

/// # Safety
/// `address` is null or points to an address whose size fits its family.
pub(crate) unsafe fn peer(address: *const libc::sockaddr) -> Peer {
    if address.is_null() {
        return Peer::Unix;
    }
    // SAFETY: the family says which structure stands there; an unnamed UNIX address has nothing but the family.
    unsafe {
        match i32::from((&raw const (*address).sa_family).read()) {
            libc::AF_INET => {
                let v4 = &*address.cast::<libc::sockaddr_in>();
                let ip = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
                Peer::Ip(IpAddr::V4(ip), u16::from_be(v4.sin_port))
            }
            libc::AF_INET6 => {
                let v6 = &*address.cast::<libc::sockaddr_in6>();
                let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
                Peer::Ip(IpAddr::V6(ip), u16::from_be(v6.sin6_port))
            }
            _ => Peer::Unix,
        }
    }
}
