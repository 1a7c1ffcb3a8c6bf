//! What NGINX's own realip module did to a request, and which header it takes the address from.

#[cfg(ngx_module = "http_realip")]
mod imp {
    use core::ptr;

    use ngx::ffi::{
        ngx_array_t, ngx_flag_t, ngx_http_get_indexed_variable, ngx_http_request_t, ngx_module_t,
        ngx_str_t, ngx_uint_t,
    };

    use crate::conf::MainConf;
    use crate::ext;
    use crate::extra::ngx_http_realip_module;

    fn realip() -> *const ngx_module_t {
        ptr::addr_of!(ngx_http_realip_module).cast()
    }

    /// `ngx_http_realip_loc_conf_t`, private to ngx_http_realip_module.c; unchanged from 1.22 to 1.31.
    #[repr(C)]
    struct Settings {
        from: *mut ngx_array_t,
        kind: ngx_uint_t,
        hash: ngx_uint_t,
        header: ngx_str_t,
        recursive: ngx_flag_t,
    }

    /// The variable that gives the address of the peer, before realip rewrote it.
    pub(crate) const PEER_VARIABLE: Option<&str> = Some("realip_remote_addr");

    /// Whether the address of the connection is one that realip took from a trusted peer.
    ///
    /// # Safety
    /// `main` is a live main request, and `conf` this module's settings for it.
    pub(crate) unsafe fn rewrote(main: *mut ngx_http_request_t, conf: &MainConf) -> bool {
        // SAFETY: ngx_http_realip_set_addr() sets its context when it has rewritten the address. A redirect clears it,
        // and then realip's variable looks for its record on the pool (ngx_http_realip_get_module_ctx()).
        unsafe {
            if !(*(*main).ctx.add((*realip()).ctx_index)).is_null() {
                return true;
            }
            if (*main).internal() == 0 && (*main).filter_finalize() == 0 {
                return false;
            }
            let Ok(index) = usize::try_from(conf.realip_peer_index) else { return false };
            let peer = ngx_http_get_indexed_variable(main, index);
            let now = (*(*main).connection).addr_text;
            peer.as_ref().is_some_and(|peer| peer.not_found() == 0 && peer.data != now.data)
        }
    }

    /// The lower-cased name of the header that `real_ip_header` names, where `set_real_ip_from` is in force.
    ///
    /// # Safety
    /// `loc_conf` is the array of a location whose configuration has been merged by the realip module.
    pub(crate) unsafe fn header(loc_conf: *mut *mut core::ffi::c_void) -> Option<Vec<u8>> {
        // SAFETY: the layout is checked against the module's own table of directives before it is used.
        unsafe {
            if !layout_is_known() {
                return None;
            }
            let settings = &*(*loc_conf.add((*realip()).ctx_index)).cast::<Settings>();
            if settings.from.is_null() {
                return None;
            }
            match settings.kind {
                0 => Some(b"x-real-ip".to_vec()),
                1 => Some(b"x-forwarded-for".to_vec()),
                2 => Some(ext::bytes(settings.header).to_ascii_lowercase()),
                _ => None,
            }
        }
    }

    /// `real_ip_recursive` is a plain flag slot, so realip's table of directives gives away where it stands.
    unsafe fn layout_is_known() -> bool {
        // SAFETY: a table of directives ends with an empty name.
        unsafe {
            let mut command = (*realip()).commands;
            while !command.is_null() && (*command).name.len != 0 {
                if ext::bytes((*command).name) == b"real_ip_recursive" {
                    return (*command).offset == core::mem::offset_of!(Settings, recursive);
                }
                command = command.add(1);
            }
            false
        }
    }
}

#[cfg(not(ngx_module = "http_realip"))]
mod imp {
    use ngx::ffi::ngx_http_request_t;

    use crate::conf::MainConf;

    /// There is no realip module in this NGINX.
    pub(crate) const PEER_VARIABLE: Option<&str> = None;

    /// There is no realip module in this NGINX.
    pub(crate) unsafe fn rewrote(_main: *mut ngx_http_request_t, _conf: &MainConf) -> bool {
        false
    }

    /// There is no realip module in this NGINX.
    pub(crate) unsafe fn header(_loc_conf: *mut *mut core::ffi::c_void) -> Option<Vec<u8>> {
        None
    }
}

pub(crate) use imp::{header, rewrote, PEER_VARIABLE};
