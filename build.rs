//! Hands the configuration of the NGINX that we build against to the compiler: its feature macros as
//! `cfg(ngx_feature = "…")`, bindings that nginx-sys leaves out, struct layouts as the C compiler sees
//! them, and the identity of the package the module is meant for.

#[path = "build/bindings.rs"]
mod bindings;
#[path = "build/layout.rs"]
mod layout;
#[path = "build/target.rs"]
mod target;

use std::env;
use std::error::Error;
use std::path::PathBuf;

/// What nginx-sys tells its direct dependents about the NGINX source in use.
pub struct Nginx {
    /// Folder of the configured build (`objs`), where a `nginx` executable may be.
    build_dir: PathBuf,
    /// Header folders, in the order NGINX's own Makefile has them.
    includes: Vec<PathBuf>,
    /// Macros of NGINX's CFLAGS, as `-DNAME[=VALUE]`.
    defines: Vec<String>,
    out_dir: PathBuf,
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");

    print_features()?;
    let nginx = Nginx::from_env()?;
    print_modules(&nginx)?;
    bindings::generate(&nginx)?;
    layout::generate(&nginx)?;
    target::print(&nginx)?;

    // dlclose() runs inside an exiting worker while a wedged scan thread may still execute our code.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    Ok(())
}

fn print_features() -> Result<(), Box<dyn Error>> {
    println!("cargo::rustc-check-cfg=cfg(ngx_feature, values({}))", dep("FEATURES_CHECK")?);
    for feature in dep("FEATURES")?.split(',').filter(|feature| !feature.is_empty()) {
        println!("cargo::rustc-cfg=ngx_feature=\"{feature}\"");
    }
    Ok(())
}

/// `cfg(ngx_module = "http_realip")` where realip is linked into NGINX. The feature of that name does not tell:
/// `--with-compat` defines its macro, for the sake of struct layouts, whether the module is there or not.
fn print_modules(nginx: &Nginx) -> Result<(), Box<dyn Error>> {
    let list = nginx.build_dir.join("ngx_modules.c");
    println!("cargo::rerun-if-changed={}", list.display());
    println!("cargo::rustc-check-cfg=cfg(ngx_module, values(\"http_realip\"))");
    let modules = std::fs::read_to_string(&list).map_err(|e| format!("{}: {e}", list.display()))?;
    if modules.contains("&ngx_http_realip_module,") {
        println!("cargo::rustc-cfg=ngx_module=\"http_realip\"");
    }
    Ok(())
}

impl Nginx {
    fn from_env() -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            build_dir: dep("BUILD_DIR")?.into(),
            includes: env::split_paths(&dep("INCLUDE")?).collect(),
            defines: defines(),
            out_dir: env::var("OUT_DIR")?.into(),
        })
    }
}

/// nginx-sys 0.5.0 prints its flags with `cargo:` instead of `cargo::`, so that they arrive as the
/// value of a variable named METADATA; both spellings are accepted.
fn defines() -> Vec<String> {
    let flags = dep("CFLAGS").or_else(|_| dep("METADATA")).unwrap_or_default();
    let flags = flags.strip_prefix("cflags=").unwrap_or(&flags);
    flags.split_whitespace().map(str::to_owned).collect()
}

fn dep(name: &str) -> Result<String, String> {
    let name = format!("DEP_NGINX_{name}");
    env::var(&name).map_err(|error| format!("{name} of nginx-sys: {error}"))
}
