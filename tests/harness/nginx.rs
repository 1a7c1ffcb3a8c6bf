//! A running NGINX: started, asked, signalled, and stopped with a look at what it wrote to its error log.

use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;

use super::client::{get, Client, Response};
use super::conf::Conf;
use super::process::{children, named_threads, title};
use super::record::{Event, Status};
use super::{wait_for, PATIENCE};

/// What no error log may hold after a test.
const BAD_SIGNS: [&str; 6] =
    ["[alert]", "[emerg]", "open socket", "signal 11", "panicked", "too many open files"];

pub(crate) struct Nginx {
    conf: Conf,
    child: Child,
    expected: Vec<String>,
    exited: Option<ExitStatus>,
}

impl Nginx {
    pub(super) fn started(conf: Conf, child: Child) -> Self {
        let mut nginx = Self { conf, child, expected: Vec::new(), exited: None };
        nginx.wait_until_up();
        nginx
    }

    fn wait_until_up(&mut self) {
        let ports = self.conf.listening();
        let pid_file = self.dir().join("nginx.pid");
        let up = wait_for(|| {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.exited = Some(status);
                return Some(false);
            }
            let listening =
                ports.iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok());
            let ready = listening && pid_file.exists() && self.has_all_workers();
            ready.then_some(true)
        });
        assert!(up == Some(true), "nginx did not start: {:?}", self.exited);
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.conf.dir().to_owned()
    }

    pub(crate) fn port(&mut self, name: &str) -> u16 {
        self.conf.port(name)
    }

    /// A connection to the server that listens on `@name@`.
    pub(crate) fn client(&mut self, name: &str) -> Client {
        Client::connect(self.port(name))
    }

    /// One GET of `target` over a connection of its own.
    pub(crate) fn get(&mut self, name: &str, target: &str) -> Response {
        self.client(name).ask(&get(target))
    }

    /// One request over a connection of its own.
    pub(crate) fn ask(&mut self, name: &str, request: &[u8]) -> Response {
        self.client(name).ask(request)
    }

    /// Process id of the master, or of the only process.
    pub(crate) fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    /// Process ids of the workers that are not shutting down, or of the only process.
    pub(crate) fn workers(&self) -> Vec<i32> {
        if !self.conf.has_master() {
            return vec![self.pid()];
        }
        let is_worker =
            |pid: &i32| title(*pid).is_some_and(|t| t.trim() == "nginx: worker process");
        children(self.pid()).into_iter().filter(is_worker).collect()
    }

    /// NGINX names a process for what it does only after the modules have started in it.
    fn has_all_workers(&self) -> bool {
        self.workers().len() == self.conf.processes()
    }

    /// Thread id of the one thread of the one worker whose name starts with `name`.
    pub(crate) fn thread(&self, name: &str) -> i32 {
        let worker = self.worker();
        named_threads(worker, name, 1)[0]
    }

    /// Process id of the one worker.
    pub(crate) fn worker(&self) -> i32 {
        let workers = wait_for(|| Some(self.workers()).filter(|workers| workers.len() == 1));
        workers.expect("one worker")[0]
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).unwrap();
    }

    /// Changes the configuration and reloads; returns when the workers are new ones and the old are gone.
    pub(crate) fn reload(&mut self, from: &str, to: &str) {
        let old = children(self.pid());
        self.conf.replace(from, to);
        self.conf.write();
        self.signal(Signal::SIGHUP);
        let done = wait_for(|| {
            let now = children(self.pid());
            let gone = now.iter().all(|pid| !old.contains(pid));
            (gone && self.has_all_workers()).then_some(())
        });
        assert!(done.is_some(), "the workers were not replaced");
    }

    /// Changes the configuration and sends HUP, without waiting for new workers.
    pub(crate) fn change(&mut self, from: &str, to: &str) {
        self.conf.replace(from, to);
        self.conf.write();
        self.signal(Signal::SIGHUP);
    }

    /// A line of the error log that holds `sign` is no failure.
    pub(crate) fn expect_in_error_log(&mut self, sign: &str) {
        self.expected.push(sign.into());
    }

    pub(crate) fn error_log(&self) -> String {
        let read = |name: &str| std::fs::read(self.dir().join(name)).unwrap_or_default();
        let text = [read("logs/error.log"), read("logs/stderr")].concat();
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Waits until the error log holds `sign`.
    pub(crate) fn wait_for_error(&self, sign: &str) {
        let found = wait_for(|| self.error_log().contains(sign).then_some(()));
        assert!(found.is_some(), "no {sign:?} in the error log");
    }

    pub(crate) fn attack_log(&self) -> PathBuf {
        self.dir().join("logs/attacks.log")
    }

    /// Every event of the attack log so far; each line must be whole and valid.
    pub(crate) fn events(&self) -> Vec<Event> {
        Event::read(&self.attack_log())
    }

    /// Waits for `count` events of type `kind`, and fails if there are more.
    pub(crate) fn hits(&self, kind: &str, count: usize) -> Vec<Event> {
        let of_kind =
            || self.events().into_iter().filter(|e| e.str("type") == kind).collect::<Vec<_>>();
        let found = wait_for(|| Some(of_kind()).filter(|hits| hits.len() >= count));
        let found = found
            .unwrap_or_else(|| panic!("waited for {count} {kind}, found {:#?}", self.events()));
        assert_eq!(found.len(), count, "more than {count} {kind}: {found:#?}");
        found
    }

    /// Waits for the one event of type `kind`.
    pub(crate) fn hit(&self, kind: &str) -> Event {
        self.hits(kind, 1).remove(0)
    }

    pub(crate) fn status(&mut self) -> Status {
        let response = self.get("STATUS", "/");
        assert_eq!(response.status, 200, "status page: {}", response.text());
        Status::parse(&response.body)
    }

    /// The counters once nothing is in flight and every event is written or lost; the identity must hold then.
    pub(crate) fn settled(&mut self) -> Status {
        let start = Instant::now();
        let mut before = None;
        loop {
            let status = self.status();
            // A request may be counted a moment before its events are.
            if status.is_settled() && before.as_ref().is_some_and(|before| status.same_as(before)) {
                status.assert_identity();
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "never settled: {status:?}");
            before = Some(status);
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Like [`Nginx::settled`], once `seen` client requests were captured (and no more).
    pub(crate) fn settled_after(&mut self, seen: u64) -> Status {
        let _ = wait_for(|| (self.status().count("seen") >= seen).then_some(()));
        let status = self.settled();
        assert_eq!(status.count("seen"), seen, "{status:?}");
        status
    }

    /// Stops with `signal`; fails on a bad exit or a bad sign in the error log.
    pub(crate) fn stop(&mut self, signal: Signal) {
        self.signal(signal);
        self.wait_for_exit();
        self.check_exit();
    }

    /// Waits for an exit that something else asked for.
    pub(crate) fn wait_for_exit(&mut self) {
        let status = wait_for(|| self.child.try_wait().unwrap()).expect("nginx does not stop");
        self.exited = Some(status);
    }

    /// Fails on a bad exit or a bad sign in the error log.
    fn check_exit(&self) {
        let status = self.exited.unwrap();
        assert!(
            status.success(),
            "nginx exited with {:?}, signal {:?}",
            status.code(),
            status.signal()
        );
        let log = self.error_log();
        let expected = |line: &&str| self.expected.iter().any(|sign| line.contains(sign));
        let bad = |line: &&str| {
            let line = line.to_ascii_lowercase();
            BAD_SIGNS.iter().any(|sign| line.contains(sign))
        };
        let found: Vec<&str> = log.lines().filter(|line| bad(line) && !expected(line)).collect();
        assert!(found.is_empty(), "error log: {found:#?}");
    }

    fn print_logs(&self) {
        let conf = std::fs::read_to_string(self.dir().join("nginx.conf")).unwrap_or_default();
        let log = self.error_log();
        let tail = log.len().saturating_sub(20_000);
        let tail = log.get(tail..).unwrap_or(&log);
        println!("--- {}\n{conf}\n--- error log\n{tail}\n---", self.dir().display());
    }

    fn kill(&mut self) {
        let workers = children(self.pid());
        for pid in std::iter::once(self.pid()).chain(workers) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        let _ = self.child.wait();
    }
}

impl Drop for Nginx {
    /// A test that ends well stops NGINX gracefully and has its exit checked; one that failed shows the logs.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.print_logs();
            if self.exited.is_none() {
                self.kill();
            }
            return;
        }
        if self.exited.is_none() {
            self.signal(Signal::SIGQUIT);
            let status = wait_for(|| self.child.try_wait().unwrap());
            if status.is_none() {
                self.print_logs();
                self.kill();
                panic!("nginx does not stop");
            }
            self.exited = status;
        }
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.check_exit()));
        if let Err(cause) = checked {
            self.print_logs();
            std::panic::resume_unwind(cause);
        }
    }
}
