//! Processes and threads as /proc shows them, and a way to stop one thread dead.

use std::path::PathBuf;
use std::sync::mpsc::{channel, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sys::ptrace;
use nix::sys::wait::{waitpid, WaitPidFlag};
use nix::unistd::{geteuid, Pid};

use super::wait_for;

pub(crate) fn is_root() -> bool {
    geteuid().is_root()
}

fn proc(pid: i32, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{name}"))
}

pub(crate) fn alive(pid: i32) -> bool {
    state(pid).is_some_and(|(state, _)| state != "Z" && state != "X")
}

/// State letter and parent of a process.
fn state(pid: i32) -> Option<(String, i32)> {
    let stat = std::fs::read_to_string(proc(pid, "stat")).ok()?;
    // The name is in parentheses and may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some((fields.next()?.into(), fields.next()?.parse().ok()?))
}

/// The living children of a process.
pub(crate) fn children(parent: i32) -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").unwrap();
    let pids = entries.filter_map(|e| e.ok()?.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| state(*pid).is_some_and(|(state, of)| of == parent && state != "Z")).collect()
}

/// The command line, which NGINX uses to say what a process is for.
pub(crate) fn title(pid: i32) -> Option<String> {
    let line = std::fs::read(proc(pid, "cmdline")).ok()?;
    Some(String::from_utf8_lossy(&line).replace('\0', " "))
}

/// Thread ids of a process whose name starts with `name`, in order of name.
fn threads(pid: i32, name: &str) -> Vec<i32> {
    let Ok(entries) = std::fs::read_dir(proc(pid, "task")) else { return Vec::new() };
    let mut found: Vec<(String, i32)> = entries
        .filter_map(|entry| {
            let tid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let comm = std::fs::read_to_string(proc(pid, &format!("task/{tid}/comm"))).ok()?;
            comm.starts_with(name).then_some((comm, tid))
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, tid)| tid).collect()
}

/// Waits until `count` threads of a process have names that start with `name`: a new thread has yet to take its own.
pub(crate) fn named_threads(pid: i32, name: &str, count: usize) -> Vec<i32> {
    let found = wait_for(|| Some(threads(pid, name)).filter(|found| found.len() == count));
    found.unwrap_or_else(|| panic!("not {count} threads {name:?} but {:?}", threads(pid, name)))
}

/// Whether a process has no thread but its first.
pub(crate) fn is_single_threaded(pid: i32) -> bool {
    threads(pid, "").len() == 1
}

/// The CPUs a thread may run on, as the kernel writes them ("0-1").
pub(crate) fn allowed_cpus(tid: i32) -> String {
    let status = std::fs::read_to_string(proc(tid, "status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    line.unwrap().trim().into()
}

/// One thread held still by ptrace until this is dropped; the other threads of its process go on, and the process can
/// still be killed or exit.
pub(crate) struct Wedge {
    release: Option<Sender<()>>,
    holder: Option<JoinHandle<()>>,
}

impl Wedge {
    pub(crate) fn hold(tid: i32) -> Self {
        let (release, released) = channel::<()>();
        let (ready, is_ready) = channel();
        // Attaching, waiting and detaching must all come from one thread.
        let holder = std::thread::spawn(move || {
            let tid = Pid::from_raw(tid);
            ptrace::seize(tid, ptrace::Options::empty()).expect("ptrace");
            ptrace::interrupt(tid).unwrap();
            waitpid(tid, Some(WaitPidFlag::__WALL)).unwrap();
            ready.send(()).unwrap();
            while released.recv_timeout(Duration::from_millis(5)) == Err(RecvTimeoutError::Timeout)
            {
                // A traced thread that was killed keeps its whole process from ending until its tracer takes notice.
                let _ = waitpid(tid, Some(WaitPidFlag::__WALL | WaitPidFlag::WNOHANG));
            }
            let _ = ptrace::detach(tid, None);
        });
        is_ready.recv().expect("the thread could not be held");
        Self { release: Some(release), holder: Some(holder) }
    }
}

impl Drop for Wedge {
    fn drop(&mut self) {
        drop(self.release.take());
        if let Some(holder) = self.holder.take() {
            let _ = holder.join();
        }
    }
}
