//! Hands the configuration of the NGINX that we build against to the compiler.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(ngx_feature, values(any()))");
    println!("cargo::rerun-if-env-changed=DEP_NGINX_FEATURES");
    for feature in std::env::var("DEP_NGINX_FEATURES").unwrap_or_default().split(',') {
        println!("cargo::rustc-cfg=ngx_feature=\"{feature}\"");
    }
    // dlclose() runs inside an exiting worker while a wedged scan thread may still execute our code.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
