//! The configurations that ship with the module load as they are.

use std::path::Path;
use std::process::Command;

use crate::harness::{Binaries, Conf};

/// The files load the module by a line that is commented out, since its path depends on the installation; `-g` stands
/// before the file and brings it here.
fn passes(file: &Path, prefix: &Path) {
    let binaries = Binaries::built();
    let output = Command::new(&binaries.nginx)
        .args(["-t", "-p"])
        .arg(prefix)
        .arg("-c")
        .arg(file)
        .arg("-g")
        .arg(format!("load_module {};", binaries.module.display()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{said}", file.display());
    assert!(!said.contains("[warn]"), "{}\n{said}", file.display());
}

#[test]
fn every_file_passes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("nginx-conf");
    let conf = Conf::new("");
    let files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        assert_eq!(
            file.extension().and_then(|name| name.to_str()),
            Some("conf"),
            "{}",
            file.display()
        );
        passes(&file, conf.dir());
    }
}
