//! Configurations: a frame that suits a test machine, with the part under test in the middle.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};

use super::nginx::Nginx;
use super::process::is_root;

/// Topology A of the design: the mirror ends in a sink of the same server.
const SAME_INSTANCE: &str = "
    server {
        listen 127.0.0.1:@FRONT@;
        location / { mirror /wallarm; proxy_pass http://127.0.0.1:@APP@; }
        location = /wallarm { internal; client_max_body_size 0; wallarm_sink; }
    }
    server { listen 127.0.0.1:@APP@; location / { return 200 app; } }";

/// An NGINX and the module that was built for it.
#[derive(Clone)]
pub(crate) struct Binaries {
    pub(crate) nginx: PathBuf,
    pub(crate) module: PathBuf,
}

impl Binaries {
    /// What `scripts/build` leaves in `dist/`, unless WALLARM_NGINX and WALLARM_MODULE name others.
    pub(crate) fn built() -> Self {
        Self {
            nginx: artifact("WALLARM_NGINX", "dist/nginx"),
            module: artifact("WALLARM_MODULE", "dist/ngx_http_wallarm_mirror_module.so"),
        }
    }

    /// The distribution's NGINX, where WALLARM_SYSTEM_NGINX or `scripts/build --nginx system` tells of one.
    pub(crate) fn system() -> Self {
        Self {
            nginx: artifact("WALLARM_SYSTEM_NGINX", "dist/system/nginx"),
            module: artifact(
                "WALLARM_SYSTEM_MODULE",
                "dist/system/ngx_http_wallarm_mirror_module.so",
            ),
        }
    }

    /// An NGINX without the realip module, which `scripts/test` compiles.
    pub(crate) fn without_realip() -> Self {
        Self {
            nginx: artifact("WALLARM_BARE_NGINX", "dist/custom/nginx"),
            module: artifact(
                "WALLARM_BARE_MODULE",
                "dist/custom/ngx_http_wallarm_mirror_module.so",
            ),
        }
    }
}

fn artifact(variable: &str, default: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join(std::env::var_os(variable).unwrap_or_else(|| default.into()));
    assert!(path.exists(), "{} ({variable}) is missing: run scripts/build first", path.display());
    path
}

/// A configuration under construction. `@NAME@` stands for a free loopback port, the same wherever the name is the
/// same, `@DIR@` for the prefix.
pub(crate) struct Conf {
    binaries: Binaries,
    dir: PathBuf,
    ports: BTreeMap<String, u16>,
    main: String,
    workers: usize,
    http_head: String,
    http: Option<String>,
    master: bool,
    memory: Option<u64>,
}

impl Conf {
    /// `http` goes into the `http` block, beside an attack log and a server that gives the status.
    pub(crate) fn new(http: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("wallarm-test-{}-{number}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        for folder in ["logs", "tmp", "html"] {
            std::fs::create_dir_all(dir.join(folder)).unwrap();
        }
        Self {
            binaries: Binaries::built(),
            dir,
            ports: BTreeMap::new(),
            main: String::new(),
            workers: 1,
            http_head: "wallarm_attack_log logs/attacks.log;".into(),
            http: Some(http.into()),
            master: true,
            memory: None,
        }
    }

    /// Topology A of the design: FRONT mirrors to its own sink and proxies to APP.
    pub(crate) fn same_instance() -> Self {
        Self::new(SAME_INSTANCE)
    }

    /// No `http` block at all.
    pub(crate) fn without_http() -> Self {
        let mut conf = Self::new("");
        conf.http = None;
        conf
    }

    pub(crate) fn binaries(mut self, binaries: Binaries) -> Self {
        self.binaries = binaries;
        self
    }

    /// Lines for the main context.
    pub(crate) fn main(mut self, lines: &str) -> Self {
        self.main.push_str(lines);
        self
    }

    /// Lines for the head of the `http` block.
    pub(crate) fn http(mut self, lines: &str) -> Self {
        self.http_head.push('\n');
        self.http_head.push_str(lines);
        self
    }

    /// Leaves the attack log out.
    pub(crate) fn without_attack_log(mut self) -> Self {
        self.http_head = self.http_head.replace("wallarm_attack_log logs/attacks.log;", "");
        self
    }

    pub(crate) fn workers(mut self, count: usize) -> Self {
        self.workers = count;
        self
    }

    /// `master_process off`.
    pub(crate) fn single_process(mut self) -> Self {
        self.master = false;
        self
    }

    /// Lets NGINX have no more than `bytes` of address space.
    pub(crate) fn memory(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    pub(crate) fn has_master(&self) -> bool {
        self.master
    }

    /// How many processes serve requests.
    pub(crate) fn processes(&self) -> usize {
        if self.master {
            self.workers
        } else {
            1
        }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Puts a file below the prefix.
    pub(crate) fn file(self, path: &str, content: &str) -> Self {
        std::fs::write(self.dir.join(path), content).unwrap();
        self
    }

    /// Replaces `from` by `to` in the part under test, for a reload with a changed configuration.
    pub(crate) fn replace(&mut self, from: &str, to: &str) {
        let http = self.http.as_mut().unwrap();
        assert!(http.contains(from) || self.http_head.contains(from), "no {from:?} to replace");
        *http = http.replace(from, to);
        self.http_head = self.http_head.replace(from, to);
    }

    /// The port that `@name@` stands for.
    pub(crate) fn port(&mut self, name: &str) -> u16 {
        *self.ports.entry(name.into()).or_insert_with(free_port)
    }

    /// Writes nginx.conf and gives its path.
    pub(crate) fn write(&mut self) -> PathBuf {
        let text = self.render();
        let path = self.dir.join("nginx.conf");
        std::fs::write(&path, text).unwrap();
        path
    }

    fn render(&mut self) -> String {
        let mut text = format!("load_module {};\n", self.binaries.module.display());
        if is_root() {
            text.push_str("user root;\n");
        }
        let master = if self.master { "on" } else { "off" };
        text.push_str(&format!(
            "daemon off;\nmaster_process {master};\npid nginx.pid;\nerror_log logs/error.log info;\n\
             worker_processes {};\n{}\nevents {{\nworker_connections 1024;\n}}\n",
            self.workers, self.main
        ));
        if let Some(http) = &self.http {
            text.push_str(&format!(
                "http {{\naccess_log off;\nclient_body_temp_path tmp/body;\nproxy_temp_path tmp/proxy;\n\
                 fastcgi_temp_path tmp/fastcgi;\nuwsgi_temp_path tmp/uwsgi;\nscgi_temp_path tmp/scgi;\n\
                 {}\n{http}\n\
                 server {{\nlisten 127.0.0.1:@STATUS@;\nwallarm_mode off;\nlocation / {{ wallarm_status; }}\n}}\n}}\n",
                self.http_head
            ));
        }
        self.substitute(&text)
    }

    fn substitute(&mut self, text: &str) -> String {
        let mut parts = text.split('@');
        let mut out = String::from(parts.next().unwrap_or_default());
        let mut was_name = false;
        for part in parts {
            let is_name =
                !part.is_empty() && part.chars().all(|c| c.is_ascii_uppercase() || c == '_');
            match is_name && !was_name {
                true if part == "DIR" => out.push_str(&self.dir.display().to_string()),
                true => out.push_str(&self.port(part).to_string()),
                false if was_name => out.push_str(part),
                false => {
                    out.push('@');
                    out.push_str(part);
                }
            }
            was_name = is_name && !was_name;
        }
        out
    }

    /// `nginx -t`: whether it passed, and what it said.
    pub(crate) fn test(&mut self) -> (bool, String) {
        self.write();
        let output = self.command().arg("-t").output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Starts NGINX and waits until it listens.
    pub(crate) fn start(mut self) -> Nginx {
        self.write();
        let stderr = std::fs::File::create(self.dir.join("logs/stderr")).unwrap();
        let child = self.command().stdin(Stdio::null()).stderr(stderr).spawn().unwrap();
        Nginx::started(self, child)
    }

    fn command(&self) -> Command {
        let mut command = match self.memory {
            Some(bytes) => {
                let mut command = Command::new("prlimit");
                command.arg(format!("--as={bytes}")).arg(&self.binaries.nginx);
                command
            }
            None => Command::new(&self.binaries.nginx),
        };
        command.arg("-p").arg(&self.dir).arg("-c").arg(self.dir.join("nginx.conf"));
        command
    }

    /// Ports that some part of the configuration listens on: all but those that only name a foreign backend.
    pub(crate) fn listening(&self) -> Vec<u16> {
        let text = std::fs::read_to_string(self.dir.join("nginx.conf")).unwrap();
        let listens = |port: &u16| {
            text.contains(&format!("listen 127.0.0.1:{port}"))
                || text.contains(&format!("listen {port};"))
        };
        self.ports.values().copied().filter(listens).collect()
    }
}

impl Drop for Conf {
    /// What a failed test leaves is worth a look; WALLARM_KEEP keeps the rest, too.
    fn drop(&mut self) {
        if !std::thread::panicking() && std::env::var_os("WALLARM_KEEP").is_none() {
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}

/// Below the range the kernel takes for outgoing connections, and never twice in this process.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = (std::process::id() % 600) as u16 * 20;
    loop {
        let port = 20_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
