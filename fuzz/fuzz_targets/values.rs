//! Values as rules and model see them.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wallarm_detect_fuzz::values(data));
