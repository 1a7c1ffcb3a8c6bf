//! Bindings for what `extra.h` declares, written to `OUT_DIR/extra.rs`. Types come from nginx-sys, so
//! that both sets of bindings mean the same struct.

use std::error::Error;

use crate::Nginx;

pub(crate) fn generate(nginx: &Nginx) -> Result<(), Box<dyn Error>> {
    let includes = nginx.includes.iter().map(|path| format!("-I{}", path.display()));

    bindgen::Builder::default()
        .header("build/extra.h")
        .clang_args(includes)
        .clang_args(&nginx.defines)
        .allowlist_file(r".*build/extra\.h")
        .allowlist_recursively(false)
        .layout_tests(false)
        .use_core()
        .raw_line("use nginx_sys::*;")
        .generate()?
        .write_to_file(nginx.out_dir.join("extra.rs"))?;
    Ok(())
}
