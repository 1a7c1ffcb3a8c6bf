//! The attack log: whole lines, appended with one write each.
//!
//! Several workers append to one file; with O_APPEND the lines of single writes do not mix. A full disk must not fill
//! further, and whatever a failed write left of a line is ended before the next one.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::time::{Duration, Instant};

use rustix::fs::fstatvfs;

use crate::shared::EventEnd;

/// How often the free space is looked at.
const CHECK: Duration = Duration::from_secs(1);

pub(crate) struct Log {
    file: File,
    /// The last line is not complete.
    torn: bool,
    /// The file is on a file system whose free space counts.
    regular: bool,
    /// Percentage of the file system that must be free; 0 without a check.
    min_free: u8,
    /// When the free space was looked at, and whether there was too little.
    checked: Option<(Instant, bool)>,
}

impl Log {
    pub(crate) fn new(file: File, min_free: u8) -> Self {
        let regular = is_regular(&file);
        Log { file, torn: false, regular, min_free, checked: None }
    }

    /// Goes on in the reopened log, which may be the same file: a torn line is still ended first.
    pub(crate) fn replace(&mut self, file: File) {
        self.regular = is_regular(&file);
        self.file = file;
        self.checked = None;
    }

    /// Appends a line, which ends with a line end. `scratch` is used where a torn line has to be ended first.
    pub(crate) fn append(&mut self, line: &[u8]) -> EventEnd {
        if self.disk_is_low() {
            return EventEnd::Disk;
        }
        let written = if self.torn {
            let mut whole = Vec::with_capacity(line.len() + 1);
            whole.push(b'\n');
            whole.extend_from_slice(line);
            self.write(&whole)
        } else {
            self.write(line)
        };
        match written {
            Ok(()) => EventEnd::Written,
            Err(error) => loss(&error),
        }
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let mut rest = line;
        while !rest.is_empty() {
            match (&self.file).write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(n) => {
                    rest = rest.get(n..).unwrap_or_default();
                    self.torn = !rest.is_empty();
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn disk_is_low(&mut self) -> bool {
        if self.min_free == 0 || !self.regular {
            return false;
        }
        if let Some((when, low)) = self.checked {
            if when.elapsed() < CHECK {
                return low;
            }
        }
        let low =
            fstatvfs(&self.file).is_ok_and(|fs| is_low(fs.f_bavail, fs.f_blocks, self.min_free));
        self.checked = Some((Instant::now(), low));
        low
    }
}

/// A device has no free space to speak of.
fn is_regular(file: &File) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file())
}

fn is_low(available: u64, blocks: u64, min_free: u8) -> bool {
    u128::from(available) * 100 < u128::from(blocks) * u128::from(min_free)
}

fn loss(error: &io::Error) -> EventEnd {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            EventEnd::Disk
        }
        _ => EventEnd::Write,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::OpenOptions;

    #[test]
    fn a_full_device_is_a_full_disk() {
        let full = OpenOptions::new().append(true).open("/dev/full").unwrap();
        let mut log = Log::new(full, 5);
        assert_eq!(log.append(b"{}\n"), EventEnd::Disk);
        assert!(!log.torn, "nothing was written");
    }

    #[test]
    fn a_file_that_refuses_writing_loses_the_event() {
        let mut log = Log::new(File::open("/dev/null").unwrap(), 5);
        assert_eq!(log.append(b"{}\n"), EventEnd::Write);
    }

    #[test]
    fn a_torn_line_is_ended_before_the_next() {
        let path = std::env::temp_dir().join(format!("wallarm-torn-{}", std::process::id()));
        let open = || OpenOptions::new().append(true).create(true).open(&path).unwrap();
        let mut log = Log::new(open(), 0);
        open().write_all(b"{\"half").unwrap();
        log.torn = true;
        assert_eq!(log.append(b"{\"a\":1}\n"), EventEnd::Written);
        assert_eq!(log.append(b"{\"a\":2}\n"), EventEnd::Written);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(text, "{\"half\n{\"a\":1}\n{\"a\":2}\n");
    }

    #[test]
    fn little_free_space_stops_the_log() {
        for (available, blocks, min_free, low) in [
            (49, 1000, 5, true),
            (50, 1000, 5, false),
            (0, 0, 5, false),
            (u64::MAX, u64::MAX, 100, false),
            (0, 1, 1, true),
        ] {
            assert_eq!(is_low(available, blocks, min_free), low, "{available} of {blocks}");
        }
        let path = std::env::temp_dir().join(format!("wallarm-low-{}", std::process::id()));
        let file = OpenOptions::new().append(true).create(true).open(&path).unwrap();
        let mut log = Log::new(file, 101);
        assert_eq!(log.append(b"{}\n"), EventEnd::Disk);
        assert_eq!(std::fs::read(&path).unwrap(), b"");
        std::fs::remove_file(&path).unwrap();
    }
}
