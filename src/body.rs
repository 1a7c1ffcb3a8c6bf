//! Where NGINX keeps a request body, and how it gets into a job.
//!
//! `request_body->bufs` is either all memory or exactly one buffer in a temporary file
//! (`ngx_http_request_body_save_filter()`). The file is already unlinked; a duplicate of its descriptor lets the scan
//! thread read it after the request is gone.

use std::fs::File;

use ngx::ffi::{ngx_chain_t, ngx_http_request_t};
use wallarm_pipeline::{Draft, FilePermit};

use crate::ext;

/// What stands for the body of a request.
pub(crate) enum Source {
    None,
    Memory(*const ngx_chain_t),
    File(TempFile),
}

/// A body in a temporary file of NGINX.
pub(crate) struct TempFile {
    fd: libc::c_int,
    /// Bytes.
    len: u64,
}

/// Finds the body. `content_length_n` is not asked: it is positive with no body (`mirror_request_body off`) and zero
/// after a discard.
///
/// # Safety
/// `r` is a live request; what is found must be used before NGINX goes on with it.
pub(crate) unsafe fn find(r: *const ngx_http_request_t) -> Source {
    // SAFETY: request_body is null or filled in; bufs ends with a null link.
    unsafe {
        let Some(body) = (*r).request_body.as_ref() else { return Source::None };
        let Some(first) = body.bufs.as_ref() else { return Source::None };
        let buf = &*first.buf;
        if buf.in_file() == 0 {
            return Source::Memory(first);
        }
        let len = u64::try_from(buf.file_last - buf.file_pos).unwrap_or(0);
        Source::File(TempFile { fd: (*buf.file).fd, len })
    }
}

impl Source {
    /// Puts the body behind the head.
    ///
    /// # Safety
    /// The request in which the body was found is still live, and NGINX has not gone on with it.
    pub(crate) unsafe fn copy(self, draft: &mut Draft<'_>) {
        match self {
            Self::None => {}
            // SAFETY: by the caller's contract.
            Self::Memory(chain) => unsafe { copy(chain, draft) },
            Self::File(file) => match file.duplicate(draft) {
                Some((duplicate, permit)) => draft.body_file(duplicate, file.len, permit),
                None => draft.body_lost(),
            },
        }
    }
}

impl TempFile {
    /// A descriptor of our own, if the budget allows one more.
    fn duplicate(&self, draft: &Draft<'_>) -> Option<(File, FilePermit)> {
        let permit = draft.file_permit(self.len)?;
        Some((ext::duplicate(self.fd)?, permit))
    }
}

/// Copies a body that is in memory.
///
/// # Safety
/// `chain` is the body of a live request.
unsafe fn copy(mut chain: *const ngx_chain_t, draft: &mut Draft<'_>) {
    // SAFETY: links and buffers live as long as the request; pos..last are initialised bytes. An empty buffer may have
    // a null pos (it carries last_buf only), of which no slice may be made.
    unsafe {
        while let Some(link) = chain.as_ref() {
            let (pos, last) = ((*link.buf).pos, (*link.buf).last);
            if pos < last {
                let chunk = core::slice::from_raw_parts(pos, last.offset_from(pos) as usize);
                if !draft.body(chunk) {
                    return;
                }
            }
            chain = link.next;
        }
    }
}
