//! Tells whether the running NGINX is the one that the module was built for.
//!
//! NGINX compares its version and a signature of its options before it accepts a module. Neither changes
//! when a distribution patches a struct in a security update, and a module that reads such a struct at
//! the old offsets crashes the worker. The linker's build id does change, so that a difference can be
//! reported, with the names of both packages, before it hurts.

use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::Path;

use object::Object as _;

/// The one that `build/target.rs` recorded.
const BUILT_FOR: Target<'static> = Target {
    version: env!("WALLARM_TARGET_VERSION"),
    package: env!("WALLARM_TARGET_PACKAGE"),
    build_id: env!("WALLARM_TARGET_BUILD_ID"),
};

const EXECUTABLE: &str = "/proc/self/exe";

/// Where the distribution's packages, and those of nginx.org, put the executable.
const PACKAGED_EXECUTABLE: &str = "/usr/sbin/nginx";

const DPKG_STATUS: &str = "/var/lib/dpkg/status";

/// Debian's names of the package that holds the executable, across releases.
const PACKAGES: &[&str] = &["nginx", "nginx-core", "nginx-full", "nginx-light", "nginx-extras"];

/// An NGINX. Each part is empty if it is not known.
struct Target<'a> {
    version: &'a str,
    package: &'a str,
    build_id: &'a str,
}

/// A warning that names both packages, if the running NGINX is known to be another build than the one
/// that the module was built for. `None` if it is the same, or if either cannot be told.
///
/// Reads files: call it at configuration time only.
pub(crate) fn warning() -> Option<String> {
    let build_id = running_build_id().unwrap_or_default();
    if !build_id.is_empty() && build_id == BUILT_FOR.build_id {
        return None;
    }
    let package = running_package().unwrap_or_default();
    let running = Target { version: "", package: &package, build_id: &build_id };
    BUILT_FOR.differs(&running).then(|| {
        format!(
            "the module was built for {BUILT_FOR}, but is loaded by {running}; their structures may \
             differ, build it again for this NGINX"
        )
    })
}

impl Target<'_> {
    /// The package decides only where one side has no build id.
    fn differs(&self, other: &Target<'_>) -> bool {
        let known = |a: &str, b: &str| !a.is_empty() && !b.is_empty();
        if known(self.build_id, other.build_id) {
            self.build_id != other.build_id
        } else {
            known(self.package, other.package) && self.package != other.package
        }
    }
}

impl Display for Target<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.package, self.version) {
            ("", "") => f.write_str("an NGINX of no known package")?,
            ("", version) => f.write_str(version)?,
            (package, _) => write!(f, "package {package}")?,
        }
        match self.build_id {
            "" => Ok(()),
            build_id => write!(f, " (build id {build_id})"),
        }
    }
}

fn running_build_id() -> Option<String> {
    let bytes = fs::read(EXECUTABLE).ok()?;
    let file = object::File::parse(&*bytes).ok()?;
    let id = file.build_id().ok()??;
    Some(id.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Name and version of the Debian package that the executable comes from.
fn running_package() -> Option<String> {
    if fs::read_link(EXECUTABLE).ok()? != Path::new(PACKAGED_EXECUTABLE) {
        return None;
    }
    let status = String::from_utf8_lossy(&fs::read(DPKG_STATUS).ok()?).into_owned();
    PACKAGES.iter().find_map(|name| {
        let version = installed_version(&status, name)?;
        Some(format!("{name} {version}"))
    })
}

/// The `Version` field of a package in dpkg's status file: stanzas of `Field: value` lines with an
/// empty line between them.
fn installed_version<'a>(status: &'a str, package: &str) -> Option<&'a str> {
    let named = |stanza: &&str| field(stanza, "Package: ") == Some(package);
    let stanza = status.split("\n\n").find(named)?;
    if !field(stanza, "Status: ")?.ends_with(" installed") {
        return None;
    }
    field(stanza, "Version: ")
}

fn field<'a>(stanza: &'a str, name: &str) -> Option<&'a str> {
    stanza.lines().find_map(|line| line.strip_prefix(name))
}
