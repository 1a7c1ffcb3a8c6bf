//! What one worker process owns: the intake that the event loop fills, and the threads behind it.

use std::io;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::Arc;
use std::time::Duration;
use std::{mem, ptr};

use ngx::ffi::{
    ngx_cycle, ngx_cycle_t, ngx_delete_posted_event, ngx_event_t, ngx_log_t, ngx_open_file_t,
    ngx_post_event, ngx_posted_next_events, ngx_process, NGX_LOG_ALERT, NGX_LOG_NOTICE,
    NGX_LOG_WARN, NGX_PROCESS_SINGLE, NGX_PROCESS_WORKER,
};
use ngx::ngx_log_error;
use wallarm_detect::Limits;
use wallarm_pipeline::counters::Slot;
use wallarm_pipeline::{Config, Context, Intake, ThreadKind, Threads};

use crate::conf::{AttackLog, MainConf};
use crate::{ext, shm};

/// How long an exiting worker waits for its threads. The master kills after about 1.5 s.
const EXIT_WAIT: Duration = Duration::from_millis(500);

/// Set from `init_process` to `exit_process`, in processes that serve requests where some mode is on.
static WORKER: AtomicPtr<Worker> = AtomicPtr::new(ptr::null_mut());

/// Owned by the event loop's thread.
pub(crate) struct Worker {
    pub(crate) intake: Intake,
    threads: Threads,
    slot: &'static Slot,
    log_file: *mut ngx_open_file_t,
    reopen: ngx_event_t,
}

/// Runs `act` on this process's worker; nothing happens where there is none. Only the event loop's thread calls it.
///
/// While `act` runs there is none, so that the reference is exclusive whatever `act` does.
pub(crate) fn with<T>(act: impl FnOnce(&mut Worker) -> T) -> Option<T> {
    let place = WORKER.load(Ordering::Relaxed);
    // SAFETY: made from a Box in init_process(), and out of reach in exit_process() before that is freed; the event
    // loop is one thread.
    let worker = unsafe { place.as_mut() }?;
    WORKER.store(ptr::null_mut(), Ordering::Relaxed);
    let result = act(worker);
    WORKER.store(place, Ordering::Relaxed);
    Some(result)
}

/// Whether this process captures.
pub(crate) fn is_running() -> bool {
    !WORKER.load(Ordering::Relaxed).is_null()
}

/// Counts a variable whose value could not be used.
pub(crate) fn count_bad_value() {
    with(|worker| worker.slot.count_bad_value());
}

/// Starts the threads, after the fork: threads do not survive one. The cache manager and loader also run
/// `init_process` and never `exit_process`: not there.
pub(crate) unsafe extern "C" fn init_process(cycle: *mut ngx_cycle_t) -> isize {
    // SAFETY: NGINX passes the cycle that this process will serve.
    unsafe {
        let kind = ngx_process as u32;
        if kind != NGX_PROCESS_WORKER && kind != NGX_PROCESS_SINGLE {
            return 0;
        }
        let Some(conf) = ext::main_of_cycle((*cycle).conf_ctx) else { return 0 };
        if !conf.active {
            return 0;
        }
        match Worker::start(conf, (*cycle).log) {
            Ok(worker) => WORKER.store(Box::into_raw(worker), Ordering::Relaxed),
            // Traffic goes on without analysis.
            Err(error) => {
                ngx_log_error!(
                    NGX_LOG_ALERT,
                    (*cycle).log,
                    "wallarm: requests are not analysed by this process: {error}"
                );
            }
        }
    }
    0
}

/// Waits for the threads as long as [`EXIT_WAIT`]; those that do not end stay behind, with all that they use.
pub(crate) unsafe extern "C" fn exit_process(cycle: *mut ngx_cycle_t) {
    let worker = WORKER.swap(ptr::null_mut(), Ordering::Relaxed);
    if worker.is_null() {
        return;
    }
    // SAFETY: made by Box::into_raw() in init_process(); nobody else can reach it any more.
    let mut worker = unsafe { Box::from_raw(worker) };
    // SAFETY: NGINX passes the running cycle; the event is ours.
    unsafe {
        if worker.reopen.posted() != 0 {
            ngx_delete_posted_event(&raw mut worker.reopen);
        }
        let Worker { intake, threads, .. } = *worker;
        let totals = threads.stop(intake, EXIT_WAIT);
        ngx_log_error!(NGX_LOG_NOTICE, (*cycle).log, "wallarm: {totals}");
    }
}

impl Worker {
    unsafe fn start(conf: &MainConf, log: *mut ngx_log_t) -> io::Result<Box<Self>> {
        let engine = conf.engine.clone().ok_or_else(|| io::Error::other("no rules"))?;
        let shared = shm::shared(conf).ok_or_else(|| io::Error::other("no shared memory"))?;
        let (slot_index, slot) = shared.claim().unwrap_or_else(|| {
            ngx_log_error!(NGX_LOG_WARN, log, "wallarm: no free slot for counters");
            (std::process::id() | 1 << 31, Box::leak(Box::default()))
        });
        let (log_file, rate) = match conf.log {
            AttackLog::File { file, rate } => (file, rate),
            AttackLog::Unset | AttackLog::Off => (ptr::null_mut(), 0),
        };
        // SAFETY: the record belongs to the running cycle.
        let file = unsafe { log_file.as_ref().and_then(|file| ext::duplicate(file.fd)) };
        if !log_file.is_null() && file.is_none() {
            return Err(io::Error::last_os_error());
        }
        let context = Context {
            engine,
            limits: Limits::default(),
            node: shm::node_name(),
            start_id: shared.start_id(),
            slot,
            slot_index,
            log: file,
        };
        let (intake, threads) = with_signals_blocked(|| {
            wallarm_pipeline::start(&config(conf, rate), context, set_up_thread)
        })?;
        // SAFETY: an all-zero event is what NGINX starts from.
        let event = unsafe { mem::zeroed() };
        let mut worker = Box::new(Self { intake, threads, slot, log_file, reopen: event });
        worker.reopen.handler = Some(reopen);
        worker.reopen.log = log;
        Ok(worker)
    }

    /// Has the descriptor of the attack log looked at in the next turn of the event loop, when NGINX has the new one.
    pub(crate) fn reopen_soon(&mut self, file: *mut ngx_open_file_t) {
        self.log_file = file;
        // SAFETY: the event lives in this worker, which exit_process() takes out of the queue before it is freed.
        unsafe { ngx_post_event(&raw mut self.reopen, &raw mut ngx_posted_next_events) };
    }
}

/// Gives the writer the new descriptor.
unsafe extern "C" fn reopen(_ev: *mut ngx_event_t) {
    with(|worker| {
        // SAFETY: the record belongs to the running cycle.
        match unsafe { worker.log_file.as_ref().and_then(|file| ext::duplicate(file.fd)) } {
            Some(file) => worker.threads.reopen(file),
            None => {
                // SAFETY: the running cycle has a log.
                unsafe {
                    let error = io::Error::last_os_error();
                    ngx_log_error!(NGX_LOG_ALERT, (*ngx_cycle).log, "wallarm: attack log: {error}");
                }
            }
        }
    });
}

/// The sizes of a worker.
pub(crate) fn config(conf: &MainConf, event_rate: u32) -> Config {
    let default = Config::default();
    Config {
        scan_threads: conf.scan_threads.unwrap_or(default.scan_threads),
        queue_size: conf.queue_size.unwrap_or(default.queue_size),
        arena_size: conf.arena_size.unwrap_or(default.arena_size),
        arenas: conf.arenas.unwrap_or(default.arenas),
        body_limit: conf.body_limit.unwrap_or(default.body_limit),
        body_files: body_files(conf.body_files, default.body_files),
        event_rate,
        ..default
    }
}

/// By default at most a sixteenth of the descriptors that the process may open, never more than half of them: a full
/// table would stop `accept()`.
fn body_files(set: Option<usize>, most: usize) -> usize {
    // SAFETY: getrlimit() fills the structure it is given.
    let limit = unsafe {
        let mut limit: libc::rlimit = mem::zeroed();
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) == 0 {
            limit.rlim_cur
        } else {
            0
        }
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    set.map_or(most.min(limit / 16), |set| set.min(limit / 2))
}

/// Threads inherit the mask: a signal that one of them took would set NGINX's flag but not interrupt its poll.
fn with_signals_blocked<T>(start: impl FnOnce() -> T) -> T {
    // SAFETY: the sets are initialised by sigfillset() and pthread_sigmask().
    unsafe {
        let mut all: libc::sigset_t = mem::zeroed();
        let mut before: libc::sigset_t = mem::zeroed();
        libc::sigfillset(&raw mut all);
        for fault in [libc::SIGILL, libc::SIGFPE, libc::SIGSEGV, libc::SIGBUS] {
            libc::sigdelset(&raw mut all, fault);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const all, &raw mut before);
        let started = start();
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, ptr::null_mut());
        started
    }
}

/// Analysis takes only what is left of the CPU, on any CPU: both priority and `worker_cpu_affinity` are inherited.
/// What is refused stays as it is.
fn set_up_thread(_kind: ThreadKind) {
    // SAFETY: these calls act on the calling thread (0) and read only what is passed.
    unsafe {
        let param = libc::sched_param { sched_priority: 0 };
        libc::sched_setscheduler(0, libc::SCHED_BATCH, &raw const param);
        // worker_priority is inherited: stay below the event loop, whatever it is.
        let nice = libc::getpriority(libc::PRIO_PROCESS, 0);
        libc::setpriority(libc::PRIO_PROCESS, 0, (nice + 5).clamp(10, 19));
        // The master keeps the CPUs that NGINX was started with.
        let mut cpus: libc::cpu_set_t = mem::zeroed();
        let size = size_of::<libc::cpu_set_t>();
        if libc::sched_getaffinity(libc::getppid(), size, &raw mut cpus) == 0 {
            libc::sched_setaffinity(0, size, &raw const cpus);
        }
    }
}

/// The rules, once per configuration.
pub(crate) fn compile_rules() -> Result<Arc<wallarm_detect::Engine>, String> {
    wallarm_detect::Engine::builtin().map(Arc::new).map_err(|error| error.to_string())
}
