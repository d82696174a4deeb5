//! Finding and loading, and every refusal.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use host_sdk::loader::load;
use host_sdk::{Connector, LoadError, SearchPath};
use log::LevelFilter;

use crate::support::{Recorder, echo, echo_copy, scratch};

fn refusal(path: &Path) -> LoadError {
    let error = load(path, Recorder::new(LevelFilter::Off)).unwrap_err();
    let line = error.to_string();
    assert!(!line.contains('\n'), "more than one line: {line}");
    assert!(line.contains(&path.display().to_string()), "does not name the file: {line}");
    error
}

/// Builds `fixtures/handshake.rs`, which cargo could not: its answers are options of the compiler.
fn fixture(name: &str, options: &[&str]) -> PathBuf {
    let library = scratch(name).join("libfixture.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/handshake.rs");
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let status = Command::new(compiler)
        .args(["--edition", "2024", "--crate-type", "cdylib", "--cap-lints", "allow", "-o"])
        .args([&library, &source])
        .args(options)
        .status()
        .unwrap();
    assert!(status.success());
    library
}

#[test]
fn a_loaded_connector_says_who_it_is() {
    let loaded = load(echo(), Recorder::new(LevelFilter::Off)).unwrap();
    assert_eq!(loaded.manifest().id, "echo");
    assert_eq!(loaded.manifest().label, "Echo");
    assert_eq!(loaded.manifest().version, env!("CARGO_PKG_VERSION"));
    assert_eq!(loaded.manifest().interface, "1.0.0");
    assert_eq!(loaded.path(), echo());
    assert_eq!(loaded.descriptor().unwrap().id, "echo");
}

#[test]
fn a_missing_file_is_refused() {
    let error = refusal(&scratch("missing").join("libnone_connector.so"));
    assert!(matches!(error, LoadError::NoSuchFile { .. }), "{error:?}");
}

#[test]
fn what_is_no_library_is_refused() {
    let directory = scratch("no_library");
    let text = directory.join("libtext_connector.so");
    fs::write(&text, "just text").unwrap();
    for path in [&text, &directory] {
        let error = refusal(path);
        assert!(matches!(error, LoadError::NotALibrary { .. }), "{error:?}");
    }
}

#[test]
fn a_library_that_is_no_connector_is_refused() {
    for (name, options) in
        [("silent", &["--cfg", "silent"][..]), ("stranger", &["--cfg", "stranger"]), ("bare", &[])]
    {
        let error = refusal(&fixture(name, options));
        assert!(matches!(error, LoadError::NotAConnector { .. }), "{name}: {error:?}");
    }
}

#[test]
fn another_major_interface_is_refused() {
    let error = refusal(&fixture("other_major", &["--cfg", "other_major"]));
    let LoadError::OtherInterface { id, connector, .. } = &error else { panic!("{error:?}") };
    assert_eq!((id.as_str(), connector.to_string().as_str()), ("fixture", "2.0"));
    assert!(error.to_string().contains("rebuild it against host-sdk 1"), "{error}");
}

#[test]
fn a_library_whose_panics_abort_is_refused() {
    let error = refusal(&fixture("aborting", &["-C", "panic=abort"]));
    assert!(matches!(error, LoadError::PanicsAbort { .. }), "{error:?}");
}

#[test]
fn the_first_directory_wins_and_every_id_is_listed_once() {
    let (first, second) = (scratch("first"), scratch("second"));
    let suffix = std::env::consts::DLL_SUFFIX;
    let prefix = std::env::consts::DLL_PREFIX;
    let name = |id: &str| format!("{prefix}{id}_connector{suffix}");
    for (directory, id) in
        [(&first, "zeta"), (&first, "two_words"), (&second, "zeta"), (&second, "alpha")]
    {
        fs::write(directory.join(name(id)), "").unwrap();
    }
    fs::write(first.join("readme.txt"), "").unwrap();
    let search = SearchPath::new(vec![first.clone(), scratch("gone").join("away"), second.clone()]);
    assert_eq!(
        search.available(),
        [second.join(name("alpha")), first.join(name("two_words")), first.join(name("zeta"))]
    );
    assert_eq!(search.find("zeta").unwrap(), first.join(name("zeta")));
    assert_eq!(search.find("two-words").unwrap(), first.join(name("two_words")));

    let error = search.find("zetta").unwrap_err().to_string();
    assert!(error.contains(&first.display().to_string()), "{error}");
    assert!(error.contains(&second.display().to_string()), "{error}");
    assert!(error.contains("did you mean \"zeta\"?"), "{error}");
    let error = SearchPath::new(Vec::new()).find("ftp").unwrap_err().to_string();
    assert!(error.contains("an empty search path"), "{error}");
}

#[test]
fn a_connector_under_another_name_is_refused_where_it_is_asked_for_by_id() {
    let copy = echo_copy("renamed");
    let name = copy.file_name().unwrap().to_str().unwrap().replace("echo", "radio");
    fs::rename(&copy, copy.with_file_name(&name)).unwrap();
    let search = SearchPath::new(vec![copy.parent().unwrap().to_owned()]);
    let error = search.load("radio", Recorder::new(LevelFilter::Off)).unwrap_err();
    let LoadError::OtherId { found, .. } = &error else { panic!("{error:?}") };
    assert_eq!(found, "echo");
    assert!(load(&copy.with_file_name(&name), Recorder::new(LevelFilter::Off)).is_ok());
}

#[test]
fn a_refused_library_does_not_stand_in_the_way_of_the_next() {
    refusal(&fixture("before", &[]));
    let loaded = load(echo(), Recorder::new(LevelFilter::Off)).unwrap();
    assert_eq!(loaded.manifest().id, "echo");
}
