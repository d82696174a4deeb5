//! Tests that need a process of their own: what they measure belongs to the whole process.

use std::process::Command;

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
