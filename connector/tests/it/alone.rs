//! Tests that need a process of their own: what they measure belongs to the whole process.

use std::process::Command;
use std::time::{Duration, Instant};

/// Runs the ignored test `name` of this executable, alone in a copy of it; what it printed.
#[track_caller]
pub(crate) fn run(name: &str) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture", "--test-threads", "1"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 passed"), "{name} did not run:\n{text}");
    text
}

/// The descriptors and the threads of this process.
pub(crate) fn open_things() -> (usize, usize) {
    let count = |folder| std::fs::read_dir(folder).unwrap().count();
    (count("/proc/self/fd"), count("/proc/self/task"))
}

/// Checks that nothing is open but what was `before`.
#[track_caller]
pub(crate) fn assert_nothing_left(before: (usize, usize)) {
    // Threads that were left to themselves while connecting end a moment later.
    let end = Instant::now() + Duration::from_secs(10);
    while open_things() != before && Instant::now() < end {
        std::thread::yield_now();
    }
    assert_eq!(open_things(), before, "descriptors and threads");
}
