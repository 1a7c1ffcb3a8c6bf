//! Remembers on the main request what has been captured of it, so that a client request is seen once.
//!
//! The request's module context is not enough: `ngx_http_internal_redirect()` zeroes it (`index`, `try_files`,
//! `error_page`, filters that answer themselves). The record therefore hangs on the request's pool as a cleanup, as the realip module does it.

use core::ffi::c_void;
use core::ptr;

use ngx::ffi::{ngx_http_request_t, ngx_pool_cleanup_add, NGX_ALIGNMENT};

use wallarm_pipeline::CaptureId;

use crate::ext;

/// How much of a client request has been handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Captured {
    Nothing,
    /// The body is being read for us; nothing is handed over yet.
    Reading,
    /// Line and headers.
    Head,
    /// All there is.
    Whole,
}

/// The record itself.
#[derive(Clone, Copy)]
pub(crate) struct Guard {
    pub(crate) captured: Captured,
    /// Under which the head was handed over, if it was; its completion carries the same.
    pub(crate) head: Option<CaptureId>,
}

type Cleanup = unsafe extern "C" fn(*mut c_void);

/// Marks our record in the pool's list of cleanups.
unsafe extern "C" fn guard_cleanup(_data: *mut c_void) {}

/// What has been captured of the client request that `r` belongs to.
///
/// # Safety
/// `r` is a live request.
pub(crate) unsafe fn captured(r: *mut ngx_http_request_t) -> Captured {
    // SAFETY: find() returns null or our own record.
    unsafe { find(r).as_ref() }.map_or(Captured::Nothing, |guard| guard.captured)
}

/// The record of the client request that `r` belongs to; null when there is none.
///
/// # Safety
/// `r` is a live request; the record lives as long as its main request.
pub(crate) unsafe fn find(r: *mut ngx_http_request_t) -> *mut Guard {
    // SAFETY: a request's main request and its pool live at least as long as the request.
    unsafe {
        let main = (*r).main;
        let ctx = ext::request_ctx(main);
        let cleared = (*main).internal() != 0 || (*main).filter_finalize() != 0;
        if !(*ctx).is_null() || !cleared {
            return (*ctx).cast();
        }
        let mut cleanup = (*(*main).pool).cleanup;
        while let Some(record) = cleanup.as_ref() {
            if record
                .handler
                .is_some_and(|handler| ptr::fn_addr_eq(handler, guard_cleanup as Cleanup))
            {
                *ctx = record.data;
                return record.data.cast();
            }
            cleanup = record.next;
        }
        ptr::null_mut()
    }
}

/// The record of the client request that `r` belongs to, made if there is none; null when memory is out.
///
/// # Safety
/// As for [`find`].
pub(crate) unsafe fn obtain(r: *mut ngx_http_request_t) -> *mut Guard {
    const { assert!(align_of::<Guard>() <= NGX_ALIGNMENT) };
    // SAFETY: ngx_pool_cleanup_add() gives `size` bytes of ngx_palloc(), which live with the pool.
    unsafe {
        let known = find(r);
        if !known.is_null() {
            return known;
        }
        let main = (*r).main;
        let cleanup = ngx_pool_cleanup_add((*main).pool, size_of::<Guard>());
        if cleanup.is_null() {
            return ptr::null_mut();
        }
        (*cleanup).handler = Some(guard_cleanup);
        let guard = (*cleanup).data.cast::<Guard>();
        guard.write(Guard { captured: Captured::Nothing, head: None });
        *ext::request_ctx(main) = guard.cast();
        guard
    }
}
