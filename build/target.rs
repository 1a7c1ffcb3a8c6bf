//! Names the NGINX that the module is meant for. NGINX refuses a module of another version, but not one
//! of the same version whose structs a distribution has patched since; `src/package.rs` compares what is
//! recorded here with the NGINX that loads the module.
//!
//! `scripts/build` sets `WALLARM_TARGET_NGINX` (path of the executable; default: the one in the build
//! folder of the NGINX source) and `WALLARM_TARGET_PACKAGE` (name and version; default: none).

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use object::Object as _;

use crate::{dep, Nginx};

pub(crate) fn print(nginx: &Nginx) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed=WALLARM_TARGET_NGINX");
    println!("cargo::rerun-if-env-changed=WALLARM_TARGET_PACKAGE");

    let version = dep("VERSION")?;
    let package = env::var("WALLARM_TARGET_PACKAGE").unwrap_or_default();
    let build_id = match executable(nginx) {
        Some(path) => build_id(&path).map_err(|error| format!("{}: {error}", path.display()))?,
        None => String::new(),
    };
    println!("cargo::rustc-env=WALLARM_TARGET_VERSION={version}");
    println!("cargo::rustc-env=WALLARM_TARGET_PACKAGE={package}");
    println!("cargo::rustc-env=WALLARM_TARGET_BUILD_ID={build_id}");
    Ok(())
}

/// A configured tree need not hold a built executable.
fn executable(nginx: &Nginx) -> Option<PathBuf> {
    match env::var_os("WALLARM_TARGET_NGINX") {
        Some(path) => Some(path.into()),
        None => Some(nginx.build_dir.join("nginx")).filter(|path| path.is_file()),
    }
}

/// The linker's build id in hexadecimal digits; empty if it wrote none.
fn build_id(path: &Path) -> Result<String, Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", path.display());
    let bytes = fs::read(path)?;
    let id = object::File::parse(&*bytes)?.build_id()?.unwrap_or_default();
    Ok(id.iter().map(|byte| format!("{byte:02x}")).collect())
}
