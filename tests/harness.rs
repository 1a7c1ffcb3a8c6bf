//! What the tests share: a real NGINX in a temporary prefix, a small client, and views of what the module leaves behind.

mod backend;
mod client;
mod conf;
mod h2;
mod nginx;
mod process;
mod record;

pub(crate) use backend::Backend;
pub(crate) use client::{form, get, load, request, Client};
pub(crate) use conf::{Binaries, Conf};
pub(crate) use h2::H2Client;
pub(crate) use nginx::Nginx;
pub(crate) use process::{
    alive, allowed_cpus, children, is_single_threaded, named_threads, title, Wedge,
};
pub(crate) use record::Event;

use std::time::{Duration, Instant};

/// How long a test waits for something that normally takes milliseconds: a loaded machine must not fail it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A value that every engine calls an SQL injection.
pub(crate) const SQLI: &str = "1' union select password from users-- -";
/// The same as a request target.
pub(crate) const SQLI_TARGET: &str = "/?id=1%27%20union%20select%20password%20from%20users--%20-";
/// A value that every engine calls cross-site scripting.
pub(crate) const XSS: &str = "<script>alert(document.cookie)</script>";

/// Asks until there is an answer; `None` after [`PATIENCE`].
pub(crate) fn wait_for<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if start.elapsed() > PATIENCE {
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
