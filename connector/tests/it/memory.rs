//! A server without end does not fill this machine's memory.

#![cfg(target_os = "linux")]

use crate::alone;
use crate::transcript::Transcript;

/// Transcripts in which something has no end; the server would send 256 MiB of it.
const ENDLESS: &[&str] = &[
    "delays_without_end",
    "endless_feature_list",
    "endless_listing",
    "endless_listing_line",
    "endless_reply",
    "endless_reply_line",
    "preliminary_replies_without_end",
];

/// What all of them together may need at their peak, the test itself included.
const MOST: u64 = 64 << 20;

#[test]
fn what_has_no_end_needs_no_memory() {
    alone::run("memory::endless_answers");
}

#[test]
#[ignore = "measures its process: run by what_has_no_end_needs_no_memory"]
fn endless_answers() {
    for name in ENDLESS {
        Transcript::read(name).prove();
        let peak = peak_memory();
        assert!(peak < MOST, "{name}: {} KiB", peak >> 10);
    }
}

/// The most memory that this process ever had, in bytes.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}
