//! HAR archives, as browsers and proxies save them.
//!
//! An archive holds absolute URLs and decoded strings; the request that was on the wire is put
//! together from them again. HTTP/2 pseudo headers become the request line and `Host`.

use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;
use serde::Deserialize;

use super::{Fault, Message, Messages, ParseError, Place};
use crate::time;

#[derive(Deserialize)]
struct Archive {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    started_date_time: Option<String>,
    /// Not in HAR 1.2, but written by gateways that log in this format.
    #[serde(rename = "clientIPAddress")]
    client: Option<String>,
    #[serde(rename = "serverIPAddress")]
    server: Option<String>,
    request: Recorded,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recorded {
    method: String,
    url: String,
    #[serde(default)]
    http_version: String,
    #[serde(default)]
    headers: Vec<Field>,
    post_data: Option<PostData>,
}

#[derive(Deserialize)]
struct Field {
    name: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostData {
    #[serde(default)]
    mime_type: String,
    text: Option<String>,
    encoding: Option<String>,
    #[serde(default)]
    params: Vec<Field>,
}

/// The requests of an archive; a bad entry does not end it.
pub(crate) fn parse(bytes: &[u8]) -> Messages<'_> {
    match serde_json::from_slice::<Archive>(bytes) {
        Ok(archive) => Box::new(archive.log.entries.into_iter().zip(1u64..).map(|(entry, n)| {
            let place = Place::Entry(n);
            message(&entry, place).map_err(|fault| ParseError { place, fault })
        })),
        Err(error) => {
            let fault = Fault::Json(format!("not a HAR archive: {error}"));
            Box::new(std::iter::once(Err(ParseError::line(error.line() as u64, fault))))
        }
    }
}

fn message(entry: &Entry, place: Place) -> Result<Message, Fault> {
    let recorded = &entry.request;
    let (authority, target) = split_url(&recorded.url);
    let time_ms = match &entry.started_date_time {
        Some(text) => Some(time::parse_rfc3339(text).ok_or(Fault::Time)?),
        None => None,
    };
    let mut headers: Vec<(Vec<u8>, Vec<u8>)> = Vec::with_capacity(recorded.headers.len() + 1);
    let ordinary = recorded.headers.iter().filter(|field| !field.name.starts_with(':'));
    headers.extend(ordinary.map(|f| (f.name.clone().into_bytes(), f.value.clone().into_bytes())));
    let host = |(name, _): &(Vec<u8>, Vec<u8>)| name.eq_ignore_ascii_case(b"host");
    if !authority.is_empty() && !headers.iter().any(host) {
        headers.insert(0, (b"Host".to_vec(), authority.as_bytes().to_vec()));
    }
    Ok(Message {
        place,
        method: recorded.method.clone().into_bytes(),
        uri: target.into_bytes(),
        protocol: protocol(&recorded.http_version).into_bytes(),
        headers,
        body: recorded.post_data.as_ref().map_or(Ok(Vec::new()), body)?,
        body_truncated: false,
        client: entry.client.as_deref().and_then(|text| text.parse().ok()),
        server: entry.server.as_deref().and_then(|text| text.trim_matches(['[', ']']).parse().ok()),
        time_ms,
    })
}

/// Authority and raw target of an absolute URL; a relative one is a target already.
fn split_url(url: &str) -> (&str, String) {
    let url = url.split('#').next().unwrap_or_default();
    let Some((_, rest)) = url.split_once("://") else {
        return ("", url.to_owned());
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    let authority = authority.rsplit('@').next().unwrap_or(authority);
    let slash = if target.starts_with('/') { "" } else { "/" };
    (authority, format!("{slash}{target}"))
}

/// The version in NGINX's spelling; browsers write `h2` and `http/2.0` too.
fn protocol(version: &str) -> String {
    match version.to_ascii_uppercase().as_str() {
        "H2" | "HTTP/2" => "HTTP/2.0".to_owned(),
        "H3" | "HTTP/3" => "HTTP/3.0".to_owned(),
        upper if upper.starts_with("HTTP/") => upper.to_owned(),
        _ => "HTTP/1.1".to_owned(),
    }
}

fn body(data: &PostData) -> Result<Vec<u8>, Fault> {
    match &data.text {
        Some(text) if data.encoding.as_deref() == Some("base64") => {
            STANDARD.decode(text).map_err(|_| Fault::Base64)
        }
        Some(text) if !text.is_empty() || data.params.is_empty() => Ok(text.clone().into_bytes()),
        _ if data.params.is_empty() => Ok(Vec::new()),
        _ if data.mime_type.contains("x-www-form-urlencoded") => Ok(form(&data.params)),
        _ => Err(Fault::FormFields),
    }
}

/// A form body from its decoded fields.
fn form(fields: &[Field]) -> Vec<u8> {
    let mut body = Vec::new();
    for field in fields {
        if !body.is_empty() {
            body.push(b'&');
        }
        encode(&mut body, &field.name);
        body.push(b'=');
        encode(&mut body, &field.value);
    }
    body
}

fn encode(body: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        match byte {
            b' ' => body.push(b'+'),
            b'*' | b'-' | b'.' | b'_' => body.push(byte),
            _ if byte.is_ascii_alphanumeric() => body.push(byte),
            _ => body.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(entry: &str) -> Result<Message, ParseError> {
        let archive = format!("{{\"log\":{{\"version\":\"1.2\",\"entries\":[{entry}]}}}}");
        let mut messages: Vec<_> = parse(archive.as_bytes()).collect();
        assert_eq!(messages.len(), 1);
        messages.remove(0)
    }

    #[test]
    fn an_http2_entry_becomes_a_request() {
        let message = one(r#"{"startedDateTime":"2024-01-02T03:04:05.678Z",
            "clientIPAddress":"203.0.113.9","serverIPAddress":"[2001:db8::1]",
            "request":{"method":"GET","url":"https://u:p@shop.example:8443?a=%20b#frag",
            "httpVersion":"h2","headers":[{"name":":path","value":"/x"},{"name":"accept","value":"*/*"}]}}"#)
        .unwrap();
        assert_eq!(message.uri, b"/?a=%20b");
        assert_eq!(message.protocol, b"HTTP/2.0");
        assert_eq!(message.header("host"), Some(&b"shop.example:8443"[..]));
        assert_eq!(message.headers.len(), 2);
        assert_eq!(message.client, "203.0.113.9".parse().ok());
        assert_eq!(message.server, "2001:db8::1".parse().ok());
        assert_eq!(message.time_ms, Some(1_704_164_645_678));
    }

    #[test]
    fn bodies_come_from_text_base64_or_form_fields() {
        let cases: [(&str, &[u8]); 4] = [
            (r#"{"mimeType":"application/json","text":"{\"a\":1}"}"#, b"{\"a\":1}"),
            (r#"{"mimeType":"image/png","text":"AP8=","encoding":"base64"}"#, b"\x00\xff"),
            (
                r#"{"mimeType":"application/x-www-form-urlencoded","params":
                   [{"name":"a b","value":"'1"},{"name":"c"}]}"#,
                b"a+b=%271&c=",
            ),
            (r#"{"mimeType":""}"#, b""),
        ];
        for (data, expected) in cases {
            let entry = format!(
                r#"{{"request":{{"method":"POST","url":"http://h/","headers":[{{"name":"HOST",
                "value":"x"}}],"postData":{data}}}}}"#
            );
            let message = one(&entry).unwrap();
            assert_eq!(message.body, expected);
            assert_eq!(message.headers.len(), 1);
        }
    }

    #[test]
    fn what_cannot_be_rebuilt_is_an_error() {
        let multipart = r#"{"request":{"method":"POST","url":"/a","postData":
            {"mimeType":"multipart/form-data","params":[{"name":"a"}]}}}"#;
        assert_eq!(
            one(multipart),
            Err(ParseError { place: Place::Entry(1), fault: Fault::FormFields })
        );
        let time = r#"{"startedDateTime":"now","request":{"method":"GET","url":"/a"}}"#;
        assert_eq!(one(time).unwrap_err().fault, Fault::Time);
        let error = parse(b"{\n\"log\":1}").next().unwrap().unwrap_err();
        assert_eq!(error.place, Place::Line(2));
    }
}
