//! Create while the document is on its way: where it lies, and under which name.

use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use host_sdk::Outcome;
use host_sdk::testing::MemoryHost;
use serde_json::{Value, json};

use super::{Behaviour, parity};
use crate::support::{Bench, with_properties};

pub(super) const CASES: &[Behaviour] = parity! {
    "Create", EveryRow => {
        "with a Staging Directory the file is uploaded there and renamed into place":
            uploads_into_the_staging_directory,
        "directories inside File Name are ignored for the temporary file":
            ignores_directories_for_the_temporary_file,
        "the temporary file ends in the Temporary Extension": ends_in_the_temporary_extension,
        "a Temporary Extension of .tmp and of tmp means the same":
            takes_the_extension_with_or_without_its_dot,
        "the temporary name is unique": finds_unique_temporary_names,
        "Append ignores Staging Directory and Temporary Extension":
            appends_without_staging_and_extension,
    }
    "Tracked properties", EveryRow => {
        "an input's Staging Directory overrides the operation's":
            takes_the_inputs_staging_directory,
        "an input's Temporary Extension overrides the operation's": takes_the_inputs_extension,
        "blank Staging Directory and Temporary Extension override nothing":
            is_not_overridden_by_blanks,
    }
};

/// How long a server may take until an upload that it agreed to shows on its disk.
const PATIENCE: Duration = Duration::from_secs(10);

/// A body that looks around when more of it is wanted than its beginning.
struct Watched<F> {
    beginning: Option<&'static [u8]>,
    look: Option<F>,
}

impl<F: FnOnce()> Read for Watched<F> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if let Some(beginning) = self.beginning.take() {
            return (&mut &*beginning).read(buffer);
        }
        if let Some(look) = self.look.take() {
            look();
        }
        Ok(0)
    }
}

/// Creates a file and tells which files lay below `folder` while its body was on the way.
fn during(
    bench: &Bench,
    options: &Value,
    properties: &[(&str, &str)],
    folder: &'static str,
) -> Vec<String> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let server = Arc::clone(&bench.server);
    let noted = Arc::clone(&seen);
    let look = move || {
        let deadline = Instant::now() + PATIENCE;
        let mut files = Vec::new();
        while files.is_empty() && Instant::now() < deadline {
            files = crate::support::files_below(&server.root().join(folder));
            std::thread::yield_now();
        }
        *noted.lock().unwrap() = files;
    };
    let host = MemoryHost::new();
    let body = Watched { beginning: Some(b"watched"), look: Some(look) };
    let input = host.add_stream(with_properties(properties), body, None);
    bench.execute(&json!({"operation": "create", "options": options}), &host).unwrap();
    assert_eq!(host.answer(input), Some(Outcome::Success));
    seen.lock().unwrap().clone()
}

/// The only path of `during`.
#[track_caller]
fn only(files: Vec<String>) -> String {
    assert_eq!(files.len(), 1, "{files:?}");
    files.into_iter().next().unwrap()
}

fn uploads_into_the_staging_directory(bench: &Bench) {
    let options = json!({"stagingDirectory": "upload/s1/stage"});
    let file = only(during(bench, &options, &[("fileName", "upload/s1/s.txt")], "upload/s1"));
    assert!(file.starts_with("stage/"), "{file}");
    assert_eq!(bench.files_below("upload/s1"), ["s.txt"]);
    assert_eq!(bench.on_server("upload/s1/s.txt").unwrap(), b"watched");
}

fn ignores_directories_for_the_temporary_file(bench: &Bench) {
    let options = json!({"stagingDirectory": "upload/s2/stage"});
    let name = [("fileName", "upload/s2/in/deep/s.txt")];
    let file = only(during(bench, &options, &name, "upload/s2"));
    assert_eq!(file.matches('/').count(), 1, "{file}");
    assert!(file.starts_with("stage/s.txt"), "{file}");
    assert_eq!(bench.files_below("upload/s2"), ["in/deep/s.txt"]);
}

fn ends_in_the_temporary_extension(bench: &Bench) {
    let options = json!({"temporaryExtension": "wip"});
    let file = only(during(bench, &options, &[("fileName", "upload/s3/e.txt")], "upload/s3"));
    assert!(file.ends_with(".wip") && !file.contains('/'), "{file}");
    assert_eq!(bench.files_below("upload/s3"), ["e.txt"]);
}

fn takes_the_extension_with_or_without_its_dot(bench: &Bench) {
    for extension in [".tmp", "tmp"] {
        let options = json!({"temporaryExtension": extension, "actionIfFileExists": "overwrite"});
        bench.clear("upload/s4");
        let file = only(during(bench, &options, &[("fileName", "upload/s4/e.txt")], "upload/s4"));
        assert!(file.ends_with(".tmp") && !file.ends_with("..tmp"), "{extension}: {file}");
    }
}

fn finds_unique_temporary_names(bench: &Bench) {
    let options = json!({"stagingDirectory": "upload/s5", "temporaryExtension": "tmp"});
    let name = [("fileName", "upload/same.txt")];
    let first = only(during(bench, &options, &name, "upload/s5"));
    let second = only(during(bench, &options, &name, "upload/s5"));
    assert_ne!(first, second);
}

fn appends_without_staging_and_extension(bench: &Bench) {
    let options = json!({
        "actionIfFileExists": "append",
        "stagingDirectory": "upload/s6/stage",
        "temporaryExtension": "tmp",
    });
    let properties = [
        ("fileName", "upload/s6/log.txt"),
        ("stagingDirectory", "upload/s6/other"),
        ("temporaryExtension", "wip"),
    ];
    for _ in 0..2 {
        assert_eq!(during(bench, &options, &properties, "upload/s6"), ["log.txt"]);
    }
    assert_eq!(bench.on_server("upload/s6/log.txt").unwrap(), b"watchedwatched");
    for never in ["stage", "other"] {
        assert!(!bench.server.root().join("upload/s6").join(never).exists(), "{never}");
    }
}

fn takes_the_inputs_staging_directory(bench: &Bench) {
    let options = json!({"stagingDirectory": "upload/s7/operations"});
    let properties = [("fileName", "upload/s7/p.txt"), ("stagingDirectory", "upload/s7/inputs")];
    let file = only(during(bench, &options, &properties, "upload/s7"));
    assert!(file.starts_with("inputs/"), "{file}");
}

fn takes_the_inputs_extension(bench: &Bench) {
    let options = json!({"temporaryExtension": "operation"});
    let properties = [("fileName", "upload/s8/p.txt"), ("temporaryExtension", ".input")];
    let file = only(during(bench, &options, &properties, "upload/s8"));
    assert!(file.ends_with(".input"), "{file}");
}

fn is_not_overridden_by_blanks(bench: &Bench) {
    let options = json!({"stagingDirectory": "upload/s9/stage", "temporaryExtension": "tmp"});
    let properties =
        [("fileName", "upload/s9/p.txt"), ("stagingDirectory", ""), ("temporaryExtension", "  ")];
    let file = only(during(bench, &options, &properties, "upload/s9"));
    assert!(file.starts_with("stage/") && file.ends_with(".tmp"), "{file}");
}
