//! The counters in shared memory: they outlive workers and reloads.

use core::ffi::c_void;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use ngx::ffi::{
    ngx_conf_t, ngx_cycle, ngx_int_t, ngx_shared_memory_add, ngx_shm_zone_t, ngx_slab_calloc,
    ngx_slab_pool_t, ngx_str_t, NGX_ERROR, NGX_OK,
};
use ngx::ngx_string;
use wallarm_pipeline::counters::{self, About, Slot, Snapshot};

use crate::conf::{MainConf, StatusFormat};
use crate::ext;

/// How many processes may count at a time: workers of all generations that are still alive.
const SLOTS: usize = 256;

/// What stands in the zone. All-zero is a valid state.
#[repr(C, align(64))]
pub(crate) struct Shared {
    /// Random per start of NGINX, never 0 once set; survives reloads.
    start_id: AtomicU64,
    slots: [Slot; SLOTS],
}

/// Asks for the zone, in every configuration that has an `http` block: a counter must not depend on which
/// directives a reload adds.
///
/// # Safety
/// `cf` is inside the `http` block.
pub(crate) unsafe fn add_zone(cf: *mut ngx_conf_t) -> *mut ngx_shm_zone_t {
    let mut name: ngx_str_t = ngx_string!("wallarm_mirror");
    // The slab allocator needs a few pages of its own, and whole pages whatever their size is.
    // SAFETY: ngx_pagesize is set before any configuration is read.
    let page = unsafe { ngx::ffi::ngx_pagesize };
    let size = (size_of::<Shared>().div_ceil(page) + 8) * page;
    // SAFETY: the tag is only compared; NGINX copies the name.
    unsafe {
        let zone = ngx_shared_memory_add(cf, &raw mut name, size, ext::module().cast_mut().cast());
        if let Some(zone) = zone.as_mut() {
            // Set at once: NGINX calls it without a check.
            zone.init = Some(init_zone);
        }
        zone
    }
}

/// First start: takes the memory, zeroed. Reload: keeps what the old cycle had.
unsafe extern "C" fn init_zone(zone: *mut ngx_shm_zone_t, old: *mut c_void) -> ngx_int_t {
    // SAFETY: NGINX has initialised the slab pool at the start of the zone; its `data` is ours to use.
    unsafe {
        if !old.is_null() {
            (*zone).data = old;
            return NGX_OK as ngx_int_t;
        }
        let pool = (*zone).shm.addr.cast::<ngx_slab_pool_t>();
        if (*pool).data.is_null() {
            (*pool).data = ngx_slab_calloc(pool, size_of::<Shared>());
        }
        let Some(shared) = (*pool).data.cast::<Shared>().as_ref() else {
            return NGX_ERROR as ngx_int_t;
        };
        (*zone).data = (*pool).data;
        // 53 bits: what reads JSON numbers as doubles still reads it exactly.
        let random = RandomState::new().hash_one(0_u8) >> 11 | 1;
        let _ = shared.start_id.compare_exchange(0, random, Ordering::Relaxed, Ordering::Relaxed);
        NGX_OK as ngx_int_t
    }
}

/// The zone's contents; `None` before NGINX has initialised it.
///
/// The reference is `'static` because NGINX never unmaps a zone in the process that uses it, as long as every
/// configuration asks for it (see [`add_zone`]).
pub(crate) fn shared(conf: &MainConf) -> Option<&'static Shared> {
    // SAFETY: init_zone() has set `data` to a zeroed Shared, which holds nothing but atomics.
    unsafe { conf.zone.as_ref()?.data.cast::<Shared>().as_ref() }
}

/// The counters of all processes together, as the status page shows them.
pub(crate) fn status_text(conf: &MainConf, format: StatusFormat) -> Option<String> {
    let shared = shared(conf)?;
    let about = About {
        node: &node_name(),
        version: env!("CARGO_PKG_VERSION"),
        start_id: shared.start_id(),
        timestamp: u64::try_from(ngx::ffi::ngx_time()).unwrap_or(0),
    };
    let sum = Snapshot::sum(&shared.slots);
    Some(match format {
        StatusFormat::Json => sum.to_json(&about),
        StatusFormat::Prometheus => sum.to_prometheus(&about),
    })
}

impl Shared {
    /// Random id of this start of NGINX.
    pub(crate) fn start_id(&self) -> u64 {
        self.start_id.load(Ordering::Relaxed)
    }

    /// Takes a slot for this process, and books what a dead owner left unfinished.
    pub(crate) fn claim(&'static self) -> Option<(u32, &'static Slot)> {
        let index = counters::claim(&self.slots, std::process::id().into(), is_alive)?;
        Some((u32::try_from(index).ok()?, self.slots.get(index)?))
    }
}

fn is_alive(pid: u64) -> bool {
    let Ok(pid) = libc::pid_t::try_from(pid) else { return false };
    // SAFETY: signal 0 only asks whether the process is there.
    let rc = unsafe { libc::kill(pid, 0) };
    rc == 0 || std::io::Error::last_os_error().raw_os_error() == Some(libc::EPERM)
}

/// The host's name, as NGINX has it.
pub(crate) fn node_name() -> String {
    // SAFETY: the cycle of a process that handles requests or starts up is set.
    let name = unsafe { ngx_cycle.as_ref().map(|cycle| ext::bytes(cycle.hostname)) };
    String::from_utf8_lossy(name.unwrap_or_default()).into_owned()
}
