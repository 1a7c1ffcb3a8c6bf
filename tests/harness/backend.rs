//! An application that reports what has reached it so far, and answers when it is told to.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{channel, Receiver};

use super::{wait_for, PATIENCE};

pub(crate) struct Backend {
    listener: TcpListener,
}

/// One connection to a [`Backend`].
pub(crate) struct Upload {
    stream: std::net::TcpStream,
    received: Vec<u8>,
    chunks: Receiver<Vec<u8>>,
}

impl Backend {
    pub(crate) fn listen(port: u16) -> Self {
        Self { listener: TcpListener::bind(("127.0.0.1", port)).unwrap() }
    }

    /// The next connection; its bytes are read as they come.
    pub(crate) fn accept(&self) -> Option<Upload> {
        self.listener.set_nonblocking(true).unwrap();
        let (stream, _) = wait_for(|| self.listener.accept().ok())?;
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut reader = stream.try_clone().unwrap();
        let (send, chunks) = channel();
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut chunk) {
                if send.send(chunk[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Some(Upload { stream, received: Vec::new(), chunks })
    }
}

impl Upload {
    /// Waits until `part` has arrived.
    pub(crate) fn has_received(&mut self, part: &[u8]) -> bool {
        wait_for(|| {
            self.received.extend(self.chunks.try_iter().flatten());
            self.received.windows(part.len()).any(|w| w == part).then_some(())
        })
        .is_some()
    }

    pub(crate) fn answer(&mut self, body: &str) {
        let text = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        self.stream.write_all(text.as_bytes()).unwrap();
    }
}
