//! The servers come up, and the scripted server tells right from wrong.

mod options;
mod raw;

mod start;
mod tls;
