//! An unbuffered upload reaches the application while the client still sends, with the module on.

use crate::harness::{Backend, Conf};

const FRONT: &str = "
    server {
        listen 127.0.0.1:@FRONT@;
        location / {
            proxy_http_version 1.1;
            proxy_request_buffering off;
            proxy_pass http://127.0.0.1:@APP@;
        }
    }";

fn streams(settings: &str) {
    let mut nginx = Conf::new(FRONT).http(settings).start();
    let backend = Backend::listen(nginx.port("APP"));
    let mut client = nginx.client("FRONT");
    client.send(b"POST /?id=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\nfirst half");
    let mut upload = backend.accept().expect("the head did not reach the application");
    assert!(upload.has_received(b"first half"), "the upload was held back");
    client.send(b"other half");
    assert!(upload.has_received(b"other half"));
    upload.answer("stored");
    assert_eq!(client.response().text(), "stored");
    nginx.settled_after(u64::from(!settings.is_empty()));
}

#[test]
fn streams_where_the_mode_is_on_for_the_whole_http_block() {
    streams("wallarm_mode monitoring;");
}

#[test]
fn streams_where_the_mode_is_off() {
    streams("");
}
