//! Older and newer builds of the interface load each other; a broken promise is refused.
//!
//! `--cfg interface_next` and `--cfg changed_record` build what a later interface would be. The
//! compiler is called for it: with flags of cargo, every dependency would be built again.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use host_sdk::LoadError;
use host_sdk::loader::load;
use log::LevelFilter;

use crate::support::{Dependencies, Recorder, scratch};

/// A connector and a host of one build of the interface.
struct Build {
    connector: PathBuf,
    host: PathBuf,
}

struct Builds {
    current: Build,
    next: Build,
    changed: Build,
}

fn builds() -> &'static Builds {
    static BUILDS: OnceLock<Builds> = OnceLock::new();
    BUILDS.get_or_init(|| {
        let dependencies = Dependencies::read();
        Builds {
            current: build(&dependencies, "current", &[]),
            next: build(&dependencies, "next", &["--cfg", "interface_next"]),
            changed: build(&dependencies, "changed", &["--cfg", "changed_record"]),
        }
    })
}

/// Builds the interface, host-sdk on it, and the test doubles on that.
fn build(dependencies: &Dependencies, name: &str, flags: &[&str]) -> Build {
    let directory = scratch(&format!("interface_{name}"));
    let source = |path: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let compile = |package: &str, kind: &str, name: &str, path: &str, built: &[(&str, &Path)]| {
        let mut compiler = dependencies.compiler(package);
        compiler.args(["--crate-name", name, "--crate-type", kind, "--out-dir"]);
        compiler.arg(&directory).arg(source(path)).args(flags);
        compiler.arg("-L").arg(format!("dependency={}", directory.display()));
        // The same crates, built differently, must not pass for each other.
        compiler.arg("-C").arg(format!("metadata={}", directory.display()));
        for (name, path) in built {
            compiler.arg("--extern").arg(format!("{name}={}", path.display()));
        }
        let output = compiler.output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let library = |name: &str| directory.join(format!("lib{name}.rlib"));
    let (interface, sdk) = (library("connector_interface"), library("host_sdk"));
    let interface = ("connector_interface", interface.as_path());
    compile("connector-interface", "rlib", "connector_interface", "interface/src/lib.rs", &[]);
    compile("host-sdk", "rlib", "host_sdk", "src/lib.rs", &[interface]);
    let built = [interface, ("host_sdk", sdk.as_path())];
    let double = |kind: &str, name: &str| {
        compile("host-sdk", kind, name, &format!("tests/doubles/{name}.rs"), &built);
    };
    double("cdylib", "echo_connector");
    double("bin", "echo_host");
    let file =
        |prefix: &str, name: &str, suffix: &str| directory.join(format!("{prefix}{name}{suffix}"));
    use std::env::consts::{DLL_PREFIX, DLL_SUFFIX, EXE_SUFFIX};
    Build {
        connector: file(DLL_PREFIX, "echo_connector", DLL_SUFFIX),
        host: file("", "echo_host", EXE_SUFFIX),
    }
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
    assert!(text.contains("loaded echo 1.0.0"), "{text}");
    assert!(text.contains("the host holds 3 bytes"), "{text}");
    let text = works(next, next);
    assert!(text.contains("loaded echo 1.1.0"), "{text}");
    assert!(text.contains("the connector knows 11 of the next interface"), "{text}");
    assert!(text.contains("the host knows 11 of the next interface"), "{text}");
}

#[test]
fn an_older_connector_in_a_newer_host_falls_back_to_the_default() {
    let text = works(&builds().next, &builds().current);
    assert!(text.contains("loaded echo 1.0.0"), "{text}");
    assert!(text.contains("the connector knows 0 of the next interface"), "{text}");
}

#[test]
fn a_newer_connector_in_an_older_host_falls_back_to_the_default() {
    let text = works(&builds().current, &builds().next);
    assert!(text.contains("loaded echo 1.1.0"), "{text}");
    assert!(text.contains("the host knows 0 of the next interface"), "{text}");
}

#[test]
fn a_changed_record_is_refused_in_one_line_by_every_host() {
    let Builds { current, next, changed } = builds();
    for host in [current, next] {
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
    let Builds { current, next, .. } = builds();
    for build in [next, current] {
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
