//! The servers come up, and the scripted server tells right from wrong.

mod raw;
mod start;
