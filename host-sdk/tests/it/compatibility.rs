//! Older and newer builds of the interface load each other; a broken promise is refused.
//!
//! The feature `interface-first` builds the interface 1.0; `interface-next` and `changed-record`
//! build what a later one would be. They have a target directory of their own, so that nobody
//! else finds these libraries.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use host_sdk::LoadError;
use host_sdk::loader::load;
use log::LevelFilter;

use crate::support::{Recorder, cargo_build, library_among};

/// A connector and a host of one build of the interface.
struct Build {
    connector: PathBuf,
    host: PathBuf,
}

struct Builds {
    first: Build,
    current: Build,
    next: Build,
    changed: Build,
}

fn builds() -> &'static Builds {
    static BUILDS: OnceLock<Builds> = OnceLock::new();
    BUILDS.get_or_init(|| Builds {
        first: build("first", &["--features", "interface-first"]),
        current: build("current", &[]),
        next: build("next", &["--features", "interface-next"]),
        changed: build("changed", &["--features", "changed-record"]),
    })
}

fn build(name: &str, features: &[&str]) -> Build {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("interface");
    let mut arguments = vec!["--examples", "--target-dir", directory.to_str().unwrap()];
    // Without debug information the builds take half the time.
    arguments.extend(["--config", "profile.dev.debug=0"]);
    arguments.extend(features);
    let built = cargo_build(&arguments);
    let program = format!("echo_host{}", std::env::consts::EXE_SUFFIX);
    let host = built.iter().find(|path| path.ends_with(&program)).unwrap();
    // The next build puts its own under the same names.
    let kept = directory.join(name);
    fs::create_dir_all(&kept).unwrap();
    let keep = |path: &Path| {
        let copy = kept.join(path.file_name().unwrap());
        _ = fs::remove_file(&copy);
        fs::copy(path, &copy).unwrap();
        copy
    };
    Build { connector: keep(&library_among(&built, "echo_connector")), host: keep(host) }
}

fn run(host: &Build, connector: &Build) -> Output {
    Command::new(&host.host).arg(&connector.connector).output().unwrap()
}

/// What the host prints of a connector that works.
fn works(host: &Build, connector: &Build) -> String {
    let output = run(host, connector);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("echo: hello"), "{text}");
    text
}

#[test]
fn equal_interfaces_load() {
    let Builds { current, next, .. } = builds();
    let text = works(current, current);
    assert!(text.contains("loaded echo 1.1.0"), "{text}");
    assert!(text.contains("the host holds 3 bytes"), "{text}");
    let text = works(next, next);
    assert!(text.contains("loaded echo 1.2.0"), "{text}");
    assert!(text.contains("the connector knows 11 of the next interface"), "{text}");
    assert!(text.contains("the host knows 11 of the next interface"), "{text}");
}

#[test]
fn an_older_connector_in_a_newer_host_falls_back_to_the_default() {
    let text = works(&builds().next, &builds().current);
    assert!(text.contains("loaded echo 1.1.0"), "{text}");
    assert!(text.contains("the connector knows 0 of the next interface"), "{text}");
}

#[test]
fn a_newer_connector_in_an_older_host_falls_back_to_the_default() {
    let text = works(&builds().current, &builds().next);
    assert!(text.contains("loaded echo 1.2.0"), "{text}");
    assert!(text.contains("the host knows 0 of the next interface"), "{text}");
}

#[test]
fn where_either_side_is_of_the_first_interface_nothing_is_resumed() {
    let Builds { first, current, next, .. } = builds();
    for newer in [current, next] {
        for (host, connector) in [(newer, first), (first, newer), (first, first)] {
            let text = works(host, connector);
            assert!(text.contains("the host holds 0 bytes"), "{text}");
        }
    }
}

#[test]
fn a_changed_record_is_refused_in_one_line_by_every_host() {
    let Builds { first, current, next, changed } = builds();
    for host in [first, current, next] {
        let output = run(host, changed);
        assert!(!output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("does not fit"), "{text}");
        assert!(text.contains("RawFile"), "{text}");
    }
    let error = load(&changed.connector, Recorder::new(LevelFilter::Off)).unwrap_err();
    assert!(matches!(error, LoadError::LayoutDiffers { .. }), "{error:?}");
    assert!(error.report().is_some_and(|report| report.lines().count() > 50));
}

#[test]
fn older_and_newer_connectors_live_in_one_process() {
    let Builds { first, current, next, .. } = builds();
    for build in [next, current, first] {
        load(&build.connector, Recorder::new(LevelFilter::Off)).unwrap();
    }
}

#[test]
fn a_connector_that_panics_while_it_is_made_is_refused() {
    let Builds { current, .. } = builds();
    let output = Command::new(&current.host)
        .arg(&current.connector)
        .env("ECHO_REFUSES", "1")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("refused: "), "{text}");
    assert!(text.contains("made no connector: the connector panicked in create at "), "{text}");
}
