//! A client that sends exactly the bytes it is given: split writes, odd methods and HTTP/0.9 included.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::sys::socket::{bind, connect, socket, AddressFamily, SockFlag, SockType, SockaddrIn};

use super::PATIENCE;

/// `GET target` over HTTP/1.1.
pub(crate) fn get(target: &str) -> Vec<u8> {
    request("GET", target, &[], b"")
}

/// A form post of `body`.
pub(crate) fn form(target: &str, body: &str) -> Vec<u8> {
    request(
        "POST",
        target,
        &[("Content-Type", "application/x-www-form-urlencoded")],
        body.as_bytes(),
    )
}

/// An HTTP/1.1 request; a body brings its Content-Length.
pub(crate) fn request(
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Vec<u8> {
    let mut out = format!("{method} {target} HTTP/1.1\r\nHost: shop.example\r\n");
    for (name, value) in headers {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() || method == "POST" {
        out.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    out.push_str("\r\n");
    [out.as_bytes(), body].concat()
}

/// Sends `count` requests over each of `connections` keep-alive connections at the same time; gives the number that
/// were answered with a status below 300. A connection that breaks is given up.
pub(crate) fn load(port: u16, connections: usize, count: usize, request: &[u8]) -> usize {
    let good = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..connections {
            scope.spawn(|| {
                let Some(mut client) = Client::try_connect(port) else { return };
                for _ in 0..count {
                    match client.try_ask(request) {
                        Some(response) if response.status < 300 => {
                            good.fetch_add(1, Ordering::Relaxed)
                        }
                        Some(_) => continue,
                        None => return,
                    };
                }
            });
        }
    });
    good.into_inner()
}

pub(crate) struct Response {
    pub(crate) status: u16,
    /// Status line and header lines.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

pub(crate) struct Client {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(port: u16) -> Self {
        Self::try_connect(port).expect("connect")
    }

    fn try_connect(port: u16) -> Option<Self> {
        TcpStream::connect(("127.0.0.1", port)).ok().map(Self::over)
    }

    /// From another address of the loopback network, such as 127.0.0.22.
    pub(crate) fn connect_from(source: Ipv4Addr, port: u16) -> Self {
        let fd =
            socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).unwrap();
        bind(fd.as_raw_fd(), &SockaddrIn::from(SocketAddrV4::new(source, 0))).unwrap();
        let target = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
        connect(fd.as_raw_fd(), &SockaddrIn::from(target)).unwrap();
        Self::over(TcpStream::from(fd))
    }

    /// To another address of this machine than loopback.
    pub(crate) fn connect_to(address: IpAddr, port: u16) -> Self {
        Self::over(TcpStream::connect((address, port)).expect("connect"))
    }

    /// The address that packets to the outside would carry; nothing is sent to find out.
    pub(crate) fn outward_address() -> Option<IpAddr> {
        let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
        socket.connect("192.0.2.1:9").ok()?;
        Some(socket.local_addr().ok()?.ip())
    }

    fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self { stream, read: Vec::new() }
    }

    /// This end's port, as the server sees it.
    pub(crate) fn local_port(&self) -> u16 {
        self.stream.local_addr().unwrap().port()
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("send");
    }

    /// Sends a request and reads its response.
    pub(crate) fn ask(&mut self, request: &[u8]) -> Response {
        self.try_ask(request).expect("no response")
    }

    /// `None` when the connection broke before a whole response.
    pub(crate) fn try_ask(&mut self, request: &[u8]) -> Option<Response> {
        // The server may answer and close before it has read everything; what it answered still counts.
        let _ = self.stream.write_all(request);
        self.read_response(!request.starts_with(b"HEAD "))
    }

    /// The status of an interim response.
    pub(crate) fn interim(&mut self) -> u16 {
        self.read_head().expect("no response").status
    }

    pub(crate) fn response(&mut self) -> Response {
        self.read_response(true).expect("no response")
    }

    /// Everything until the server closes.
    pub(crate) fn rest(mut self) -> Vec<u8> {
        let _ = self.stream.read_to_end(&mut self.read);
        self.read
    }

    fn read_response(&mut self, has_body: bool) -> Option<Response> {
        let mut response = self.read_head()?;
        while response.status == 100 {
            response = self.read_head()?;
        }
        if !has_body || matches!(response.status, 204 | 304) {
            return Some(response);
        }
        let chunked = response.header("transfer-encoding").is_some_and(|v| v.contains("chunked"));
        let length = response.header("content-length").and_then(|v| v.parse().ok());
        response.body = match length {
            _ if chunked => self.read_chunks()?,
            Some(length) => self.take(length)?,
            None => {
                self.stream.read_to_end(&mut self.read).ok()?;
                std::mem::take(&mut self.read)
            }
        };
        Some(response)
    }

    fn read_head(&mut self) -> Option<Response> {
        let end = loop {
            if let Some(at) = self.read.windows(4).position(|w| w == b"\r\n\r\n") {
                break at;
            }
            self.fill()?;
        };
        let head = String::from_utf8_lossy(&self.take(end + 4)?).into_owned();
        let status = head.split(' ').nth(1)?.get(..3)?.parse().ok()?;
        Some(Response { status, head, body: Vec::new() })
    }

    fn read_chunks(&mut self) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = loop {
                if let Some(at) = self.read.windows(2).position(|w| w == b"\r\n") {
                    break self.take(at + 2)?;
                }
                self.fill()?;
            };
            let size = usize::from_str_radix(std::str::from_utf8(&line).ok()?.trim(), 16).ok()?;
            let chunk = self.take(size + 2)?;
            if size == 0 {
                return Some(body);
            }
            body.extend_from_slice(&chunk[..size]);
        }
    }

    fn take(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.read.len() < length {
            self.fill()?;
        }
        Some(self.read.drain(..length).collect())
    }

    /// `None` at the end, or when nothing came for too long.
    fn fill(&mut self) -> Option<()> {
        let mut chunk = [0; 4096];
        let count = self.stream.read(&mut chunk).ok().filter(|count| *count > 0)?;
        self.read.extend_from_slice(&chunk[..count]);
        Some(())
    }
}
