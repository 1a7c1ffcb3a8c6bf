//! Runs the binary the way a user does.

// clippy.toml allows these in test functions, but not in what they call
#![allow(clippy::panic, clippy::unwrap_used)]

mod eval;
mod explain;
mod general;
mod requests;
mod rules;
mod scan;
mod train;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A request that every rule set must flag, and one that none may.
const HOSTILE: &str =
    "GET /item?id=1'+union+select+password+from+users--+ HTTP/1.1\r\nHost: a.example\r\n\r\n";
const HARMLESS: &str = "GET /item?id=1&page=2 HTTP/1.1\r\nHost: a.example\r\n\r\n";

/// Worth counting, but no attack.
const SUSPECT: &str = "GET / HTTP/1.1\r\nHost: a.example\r\nX-Note: the file /etc/passwd\r\n\r\n";

struct Outcome {
    status: i32,
    stdout: String,
    stderr: String,
}

/// Runs `wallarm-mirror` with `stdin` as standard input.
fn run(arguments: &[&str], stdin: &[u8]) -> Outcome {
    let mut child = Command::new(env!("CARGO_BIN_EXE_wallarm-mirror"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // the program may fail before it has read anything
    let _ = child.stdin.take().unwrap().write_all(stdin);
    let output = child.wait_with_output().unwrap();
    Outcome {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Writes `content` to a file of this test run and returns its path.
fn file(name: &str, content: impl AsRef<[u8]>) -> String {
    let path = temporary(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

fn temporary(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli").join(name)
}

fn json(line: &str) -> serde_json::Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}
