//! Small safe-looking faces over NGINX's C structures, so that the rest of the module reads without casts.

use core::ffi::{c_char, c_void};
use core::{ptr, slice};
use std::fs::File;
use std::os::fd::{FromRawFd, OwnedFd};

use ngx::ffi::{
    ngx_array_push, ngx_array_t, ngx_conf_t, ngx_fd_t, ngx_http_conf_ctx_t,
    ngx_http_core_loc_conf_t, ngx_http_core_main_conf_t, ngx_http_core_module, ngx_http_module,
    ngx_http_request_t, ngx_module_t, ngx_palloc, ngx_pool_cleanup_add, ngx_pool_t, ngx_str_t,
    ngx_table_elt_t, NGX_ALIGNMENT,
};

use crate::conf::{LocConf, MainConf};
use crate::ngx_http_wallarm_mirror_module;

/// `NGX_CONF_OK`.
pub(crate) const CONF_OK: *mut c_char = ptr::null_mut();
/// `NGX_CONF_ERROR`: the handler has logged why.
pub(crate) const CONF_ERROR: *mut c_char = ptr::null_mut::<c_char>().wrapping_sub(1);
/// What NGINX prints as `"NAME" directive is duplicate`.
pub(crate) const CONF_DUPLICATE: *mut c_char = c"is duplicate".as_ptr().cast_mut();

/// The bytes of an NGINX string; a null pointer with length 0 is an empty slice.
///
/// # Safety
/// `s` is initialised and what it points to outlives `'a` unchanged.
pub(crate) unsafe fn bytes<'a>(s: ngx_str_t) -> &'a [u8] {
    if s.len == 0 || s.data.is_null() {
        return &[];
    }
    // SAFETY: by the caller's contract `data` points to `len` bytes.
    unsafe { slice::from_raw_parts(s.data, s.len) }
}

/// The words of the directive that is being read, its name first.
///
/// # Safety
/// Called from a directive handler with the `cf` it was given.
pub(crate) unsafe fn args<'a>(cf: *mut ngx_conf_t) -> impl Iterator<Item = &'a [u8]> {
    // SAFETY: NGINX fills cf->args with the words before it calls the handler.
    let words = unsafe { (*(*cf).args).as_slice::<ngx_str_t>() };
    // SAFETY: the words live in the configuration pool.
    words.iter().map(|word| unsafe { bytes(*word) })
}

/// Moves `value` into the pool and has the pool drop it; null when memory is out.
///
/// # Safety
/// `pool` is a live pool. The value is dropped when the pool is destroyed.
pub(crate) unsafe fn pool_box<T>(pool: *mut ngx_pool_t, value: T) -> *mut T {
    unsafe extern "C" fn drop_value<T>(data: *mut c_void) {
        // SAFETY: registered below with a pointer to an initialised T; NGINX runs a cleanup once.
        unsafe { ptr::drop_in_place(data.cast::<T>()) }
    }

    const { assert!(align_of::<T>() <= NGX_ALIGNMENT) };
    // SAFETY: the pool is live; ngx_palloc() aligns to NGX_ALIGNMENT.
    unsafe {
        let place = ngx_palloc(pool, size_of::<T>()).cast::<T>();
        let cleanup = ngx_pool_cleanup_add(pool, 0);
        if place.is_null() || cleanup.is_null() {
            return ptr::null_mut();
        }
        place.write(value);
        (*cleanup).handler = Some(drop_value::<T>);
        (*cleanup).data = place.cast();
        place
    }
}

/// Appends to an NGINX array; `false` when memory is out.
///
/// # Safety
/// `array` is initialised for elements of type `T`.
pub(crate) unsafe fn push<T>(array: *mut ngx_array_t, value: T) -> bool {
    // SAFETY: the array is initialised by the caller's contract.
    let place = unsafe { ngx_array_push(array).cast::<T>() };
    if place.is_null() {
        return false;
    }
    // SAFETY: ngx_array_push returned room for one element.
    unsafe { place.write(value) };
    true
}

/// Where `module` keeps its data in an array that is indexed by `ctx_index`.
///
/// # Safety
/// `array` has a slot for every HTTP module, as NGINX makes them; `module` is an HTTP module.
unsafe fn slot<T>(array: *mut *mut c_void, module: *const ngx_module_t) -> *mut T {
    // SAFETY: ctx_index is given out by ngx_count_modules() below the array's length.
    unsafe { (*array.add((*module).ctx_index)).cast() }
}

/// Our module's description, as NGINX knows it.
pub(crate) fn module() -> *const ngx_module_t {
    &raw const ngx_http_wallarm_mirror_module
}

/// This module's settings for the location that serves `r`.
///
/// # Safety
/// `r` is a live request. The reference must not be kept longer than the request's cycle.
pub(crate) unsafe fn location<'a>(r: *const ngx_http_request_t) -> &'a LocConf {
    // SAFETY: create_loc_conf() filled the slot or the configuration was refused.
    unsafe { &*slot::<LocConf>((*r).loc_conf, module()) }
}

/// This module's settings for the whole `http` block that serves `r`.
///
/// # Safety
/// As for [`location`].
pub(crate) unsafe fn main<'a>(r: *const ngx_http_request_t) -> &'a MainConf {
    // SAFETY: create_main_conf() filled the slot or the configuration was refused.
    unsafe { &*slot::<MainConf>((*r).main_conf, module()) }
}

/// This module's settings for the `http` block that `conf_ctx` (a cycle's) holds; `None` without such a block.
///
/// # Safety
/// `conf_ctx` is `ngx_cycle_t.conf_ctx` of a live cycle.
pub(crate) unsafe fn main_of_cycle(
    conf_ctx: *mut *mut *mut *mut c_void,
) -> Option<&'static MainConf> {
    // SAFETY: conf_ctx is indexed by a core module's index; the http slot is null without an http block.
    unsafe {
        let http = ptr::addr_of!(ngx_http_module);
        let ctx = (*conf_ctx.add((*http).index)).cast::<ngx_http_conf_ctx_t>();
        Some(&*slot::<MainConf>(ctx.as_ref()?.main_conf, module()))
    }
}

/// This module's main settings while the configuration is being read.
///
/// # Safety
/// `cf` is inside the `http` block. No other reference to the settings is alive.
pub(crate) unsafe fn main_of_cf<'a>(cf: *mut ngx_conf_t) -> &'a mut MainConf {
    // SAFETY: inside `http`, cf->ctx is an ngx_http_conf_ctx_t whose arrays are filled.
    unsafe { &mut *slot((*(*cf).ctx.cast::<ngx_http_conf_ctx_t>()).main_conf, module()) }
}

/// The core module's settings of the location that is being read or merged.
///
/// # Safety
/// `cf` is inside the `http` block.
pub(crate) unsafe fn core_location(cf: *mut ngx_conf_t) -> *mut ngx_http_core_loc_conf_t {
    // SAFETY: as above; the core module always has settings.
    unsafe {
        let ctx = (*cf).ctx.cast::<ngx_http_conf_ctx_t>();
        slot((*ctx).loc_conf, ptr::addr_of!(ngx_http_core_module))
    }
}

/// The core module's main settings, where phase handlers are registered.
///
/// # Safety
/// `cf` is inside the `http` block.
pub(crate) unsafe fn core_main(cf: *mut ngx_conf_t) -> *mut ngx_http_core_main_conf_t {
    // SAFETY: as above.
    unsafe {
        let ctx = (*cf).ctx.cast::<ngx_http_conf_ctx_t>();
        slot((*ctx).main_conf, ptr::addr_of!(ngx_http_core_module))
    }
}

/// The request's header fields in the order received, deleted ones (`hash == 0`) left out.
///
/// # Safety
/// `r` is a live request; the items must not outlive it.
pub(crate) unsafe fn headers<'a>(
    r: *const ngx_http_request_t,
) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    // SAFETY: the list is initialised at request start; a 0.9 request has an empty first part.
    let mut part = unsafe { ptr::addr_of!((*r).headers_in.headers.part) };
    let mut index = 0;
    core::iter::from_fn(move || loop {
        // SAFETY: part is a live list part; nelts items of ngx_table_elt_t stand at elts.
        unsafe {
            if index >= (*part).nelts {
                if (*part).next.is_null() {
                    return None;
                }
                part = (*part).next;
                index = 0;
                continue;
            }
            let field = (*part).elts.cast::<ngx_table_elt_t>().add(index);
            index += 1;
            if (*field).hash != 0 {
                return Some((bytes((*field).key), bytes((*field).value)));
            }
        }
    })
}

/// This module's per-request pointer of `r`, which `ngx_http_internal_redirect()` clears.
///
/// # Safety
/// `r` is a live request.
pub(crate) unsafe fn request_ctx(r: *mut ngx_http_request_t) -> *mut *mut c_void {
    // SAFETY: r->ctx has a slot for every HTTP module.
    unsafe { (*r).ctx.add((*module()).ctx_index) }
}

/// A descriptor of our own for what `fd` has open; `None` if it has not, or none is left. CLOEXEC: a binary upgrade
/// executes.
pub(crate) fn duplicate(fd: ngx_fd_t) -> Option<File> {
    // SAFETY: fcntl() takes any number.
    let fd = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) };
    // SAFETY: fcntl() has just made this descriptor and nobody else knows it.
    (fd >= 0).then(|| File::from(unsafe { OwnedFd::from_raw_fd(fd) }))
}
