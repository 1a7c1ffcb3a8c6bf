//! The module says at load time when the running NGINX is not the one that it was built for.

use std::os::unix::fs::PermissionsExt;

use crate::harness::{Binaries, Conf};

/// How the linker's build id begins in an ELF file: the sizes of name and id, the note's type, its name.
const NOTE: [u8; 16] = [4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, b'G', b'N', b'U', 0];

/// A copy of NGINX in the prefix of `conf`, which differs from the original in its build id alone.
fn rebuilt(conf: &Conf) -> Binaries {
    let built = Binaries::built();
    let mut image = std::fs::read(&built.nginx).unwrap();
    let note = image.windows(NOTE.len()).position(|bytes| bytes == NOTE).expect("a build id");
    image[note + NOTE.len()] ^= 0xff;
    let nginx = conf.dir().join("nginx");
    std::fs::write(&nginx, image).unwrap();
    std::fs::set_permissions(&nginx, std::fs::Permissions::from_mode(0o755)).unwrap();
    Binaries { nginx, module: built.module }
}

#[test]
fn another_build_of_nginx_is_warned_of_by_name() {
    let conf = Conf::new("");
    let binaries = rebuilt(&conf);
    let (passed, output) = conf.binaries(binaries).test();
    assert!(passed, "{output}");
    assert!(output.contains("[warn]") && output.contains("the module was built for"), "{output}");
    assert_eq!(output.matches("build id").count(), 2, "both are named:\n{output}");
}

#[test]
fn the_nginx_it_was_built_for_is_not() {
    let (passed, output) = Conf::new("").test();
    assert!(passed && !output.contains("built for"), "{output}");
}
