//! Encoded values.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wallarm_detect_fuzz::decode(data));
