//! Attack detection in one HTTP request: parse, decode, match, confirm, score. No I/O, no threads.
#![forbid(unsafe_code)]
