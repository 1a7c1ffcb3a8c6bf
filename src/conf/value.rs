//! Directive values that may hold variables.

use std::net::IpAddr;

use ngx::ffi::{
    ngx_conf_t, ngx_http_compile_complex_value, ngx_http_compile_complex_value_t,
    ngx_http_complex_value, ngx_http_complex_value_t, ngx_http_request_t, ngx_int_t, ngx_pcalloc,
    ngx_str_t, NGX_OK,
};

use crate::{ext, worker};

/// Text that may hold variables; compiled, in the configuration's pool.
#[derive(Clone)]
pub(crate) struct Text {
    compiled: *mut ngx_http_complex_value_t,
    /// As written.
    source: String,
}

impl Text {
    /// Compiles `source`; `Err` when NGINX refused it, which it has logged then.
    ///
    /// # Safety
    /// `cf` is inside the `http` block; `source` is one of its words.
    pub(crate) unsafe fn compile(cf: *mut ngx_conf_t, source: &[u8]) -> Result<Self, String> {
        // SAFETY: the compiled value and the word both live in the configuration pool.
        unsafe {
            let compiled = ngx_pcalloc((*cf).pool, size_of::<ngx_http_complex_value_t>())
                .cast::<ngx_http_complex_value_t>();
            if compiled.is_null() {
                return Err("there is no memory for it".into());
            }
            let mut word = ngx_str_t { len: source.len(), data: source.as_ptr().cast_mut() };
            let mut compile: ngx_http_compile_complex_value_t = core::mem::zeroed();
            compile.cf = cf;
            compile.value = &raw mut word;
            compile.complex_value = compiled;
            if ngx_http_compile_complex_value(&raw mut compile) != NGX_OK as ngx_int_t {
                return Err("it does not compile".into());
            }
            Ok(Self { compiled, source: String::from_utf8_lossy(source).into_owned() })
        }
    }

    /// Whether there is no variable in it.
    pub(crate) fn is_literal(&self) -> bool {
        // SAFETY: compiled by the constructor, in a pool that lives as long as the configuration.
        unsafe { (*self.compiled).lengths.is_null() }
    }

    /// The text for this request; empty when memory is out.
    ///
    /// # Safety
    /// `r` is a live request; the result lives as long.
    pub(crate) unsafe fn eval<'a>(&self, r: *mut ngx_http_request_t) -> &'a [u8] {
        // SAFETY: the request is live; ngx_http_complex_value() fills `value` when it returns NGX_OK.
        unsafe {
            let mut value = ngx_str_t { len: 0, data: core::ptr::null_mut() };
            if ngx_http_complex_value(r, self.compiled, &raw mut value) != NGX_OK as ngx_int_t {
                return &[];
            }
            ext::bytes(value)
        }
    }

    /// Lower-cased names of the request headers that the text takes its value from (`$http_NAME`).
    pub(crate) fn header_names(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        self.source.split('$').skip(1).filter_map(|rest| {
            let name = rest.trim_start_matches('{').strip_prefix("http_")?;
            let name: String =
                name.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            Some(name.replace('_', "-").to_ascii_lowercase().into_bytes())
        })
    }
}

/// A value of type `T`, known at configuration time or taken from variables.
#[derive(Clone)]
pub(crate) enum Value<T> {
    Literal(T),
    Variable(Text),
}

impl<T: Copy + Parse> Value<T> {
    /// # Safety
    /// As for [`Text::compile`].
    pub(crate) unsafe fn compile(cf: *mut ngx_conf_t, source: &[u8]) -> Result<Self, String> {
        // SAFETY: by the caller's contract.
        let text = unsafe { Text::compile(cf, source)? };
        if !text.is_literal() {
            return Ok(Self::Variable(text));
        }
        T::parse(source).map(Self::Literal).ok_or_else(|| format!("expected {}", T::EXPECTED))
    }

    /// The value for this request. One that is empty or does not parse is `None` and counts.
    ///
    /// # Safety
    /// `r` is a live request.
    pub(crate) unsafe fn eval(&self, r: *mut ngx_http_request_t) -> Option<T> {
        let text = match self {
            Self::Literal(value) => return Some(*value),
            // SAFETY: the request is live.
            Self::Variable(text) => unsafe { text.eval(r) },
        };
        let value = T::parse(text);
        if value.is_none() {
            worker::count_bad_value();
        }
        value
    }

    /// See [`Text::header_names`].
    pub(crate) fn header_names(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        let text = match self {
            Self::Literal(_) => None,
            Self::Variable(text) => Some(text),
        };
        text.into_iter().flat_map(Text::header_names)
    }
}

/// What a directive's value can be read as.
pub(crate) trait Parse: Sized {
    /// Completes "expected …".
    const EXPECTED: &'static str;
    fn parse(text: &[u8]) -> Option<Self>;
}

impl Parse for IpAddr {
    const EXPECTED: &'static str = "an IP address";
    fn parse(text: &[u8]) -> Option<Self> {
        core::str::from_utf8(text).ok()?.parse().ok()
    }
}

impl Parse for u16 {
    const EXPECTED: &'static str = "a port from 0 to 65535";
    fn parse(text: &[u8]) -> Option<Self> {
        digits(text)
    }
}

impl Parse for u64 {
    const EXPECTED: &'static str = "a number";
    fn parse(text: &[u8]) -> Option<Self> {
        digits(text)
    }
}

/// Decimal digits alone: `parse()` would take a sign.
pub(super) fn digits<T: core::str::FromStr>(text: &[u8]) -> Option<T> {
    if !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    core::str::from_utf8(text).ok()?.parse().ok()
}

/// `wallarm_application`: a positive number.
#[derive(Clone)]
pub(crate) struct Application(Value<ApplicationId>);

#[derive(Clone, Copy)]
struct ApplicationId(i64);

impl Parse for ApplicationId {
    const EXPECTED: &'static str = "a number from 1 to 2147483647";
    fn parse(text: &[u8]) -> Option<Self> {
        digits::<u32>(text).filter(|id| (1..=0x7fff_ffff).contains(id)).map(|id| Self(id.into()))
    }
}

impl Application {
    /// # Safety
    /// As for [`Text::compile`].
    pub(crate) unsafe fn compile(cf: *mut ngx_conf_t, source: &[u8]) -> Result<Self, String> {
        // SAFETY: by the caller's contract.
        unsafe { Value::compile(cf, source).map(Self) }
    }

    /// The application of this request, -1 where the value is empty or bad.
    ///
    /// # Safety
    /// `r` is a live request.
    pub(crate) unsafe fn eval(&self, r: *mut ngx_http_request_t) -> i64 {
        // SAFETY: the request is live.
        unsafe { self.0.eval(r) }.map_or(-1, |id| id.0)
    }
}
