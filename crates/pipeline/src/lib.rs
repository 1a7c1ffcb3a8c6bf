//! What happens to a captured request between the event loop and the attack log.
#![forbid(unsafe_code)]
