//! Scan threads take only what is left of the CPUs, on any of them, and never hold up the event loop.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::libc;
use nix::sched::{sched_getaffinity, sched_setaffinity, CpuSet};
use nix::unistd::Pid;

use crate::harness::{allowed_cpus, form, named_threads, wait_for, Conf, Nginx, SQLI_TARGET};

fn first_cpu() -> CpuSet {
    let all = sched_getaffinity(Pid::from_raw(0)).unwrap();
    let first = (0..CpuSet::count()).find(|cpu| all.is_set(*cpu).unwrap()).unwrap();
    let mut set = CpuSet::new();
    set.set(first).unwrap();
    set
}

#[test]
fn threads_have_all_cpus_where_workers_are_bound_to_one() {
    let nginx = Conf::same_instance().workers(2).main("worker_cpu_affinity auto;").start();
    let all = allowed_cpus(nginx.pid());
    for worker in nginx.workers() {
        for tid in named_threads(worker, "wallarm", 2) {
            let free = wait_for(|| (allowed_cpus(tid) == all).then_some(()));
            assert!(free.is_some(), "thread {tid} is bound to {}, not {all}", allowed_cpus(tid));
        }
    }
}

#[test]
fn threads_run_at_low_priority() {
    let nginx = Conf::same_instance().start();
    let worker = nginx.worker();
    for tid in named_threads(worker, "wallarm", 2) {
        let path = format!("/proc/{worker}/task/{tid}/stat");
        let lowered = wait_for(|| {
            let stat = std::fs::read_to_string(&path).unwrap();
            let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
            // proc(5) counts from 1 and the name is the second: nice is 19, policy 41 (3 is SCHED_BATCH).
            (fields[19 - 3].parse::<i32>().unwrap() > 0 && fields[41 - 3] == "3").then_some(())
        });
        assert!(lowered.is_some(), "{}", std::fs::read_to_string(&path).unwrap());
    }
}

#[test]
fn threads_block_the_signals_that_nginx_handles() {
    let nginx = Conf::same_instance().start();
    let worker = nginx.worker();
    for tid in named_threads(worker, "wallarm", 2) {
        let status = std::fs::read_to_string(format!("/proc/{worker}/task/{tid}/status")).unwrap();
        let blocked = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap();
        let blocked = u64::from_str_radix(blocked.trim(), 16).unwrap();
        for signal in [libc::SIGTERM, libc::SIGQUIT, libc::SIGHUP, libc::SIGUSR1] {
            assert!(blocked & (1 << (signal - 1)) != 0, "signal {signal} of thread {tid}");
        }
    }
}

#[test]
fn an_idle_priority_scanner_on_the_workers_cpu_does_not_stall_it() {
    let settings = "wallarm_scan_threads 1; wallarm_queue_size 32; wallarm_arenas 64;";
    let mut nginx = Conf::same_instance().http(settings).start();
    let worker = nginx.worker();
    let scanner = nginx.thread("wallarm-scan");
    // What the thread sets up for itself comes before its first scan.
    nginx.get("FRONT", "/");
    nginx.settled_after(1);
    let cpu = first_cpu();
    for tid in [worker, scanner] {
        sched_setaffinity(Pid::from_raw(tid), &cpu).unwrap();
    }
    let changed = Command::new("chrt").args(["-i", "-p", "0", &scanner.to_string()]).status();
    assert!(changed.unwrap().success(), "chrt");

    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Keeps the CPU busy, so that the scanner is preempted wherever it stands and for long.
        scope.spawn(|| {
            sched_setaffinity(Pid::from_raw(0), &cpu).unwrap();
            while !stop.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        });
        let slowest = slowest_of(&mut nginx);
        stop.store(true, Ordering::Relaxed);
        assert!(slowest < Duration::from_secs(2), "a request took {slowest:?}");
    });
    nginx.settled_after(3001);
}

fn slowest_of(nginx: &mut Nginx) -> Duration {
    let mut client = nginx.client("FRONT");
    let request = form(SQLI_TARGET, &"a=b&".repeat(100));
    let mut slowest = Duration::ZERO;
    for _ in 0..3000 {
        let start = Instant::now();
        let response = client.ask(&request);
        slowest = slowest.max(start.elapsed());
        assert_eq!(response.status, 200);
        if response.head.contains("Connection: close") {
            client = nginx.client("FRONT");
        }
    }
    slowest
}
