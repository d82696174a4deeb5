//! Directories of real servers that may be entered and not be listed: not empty, but closed.

use host_sdk::ErrorKind;
use serde_json::{Value, json};
use test_servers::{Flavour, Options, require};

use crate::support::{Bench, with_properties};
use crate::transcript::{Play, Transcript};

/// A bench whose directory `closed` belongs to another user, with `mode`; none where the tests do
/// not run as root, who alone can give a directory away.
fn closed(flavour: Flavour, mode: u32) -> Option<Bench> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let server = require(&Options::new(flavour))?;
    let bench = Bench::new(server, &json!({"retry": {"attempts": 1, "delay": 0}}));
    bench.server.place("closed/order.xml", b"<order/>").unwrap();
    let directory = bench.server.root().join("closed");
    chown(&directory, Some(0), Some(0)).unwrap();
    std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(mode)).unwrap();
    Some(bench)
}

/// Each way of saying it, on each server.
#[test]
fn a_closed_directory_is_not_empty() {
    for flavour in [Flavour::VsFtpd, Flavour::PureFtpd, Flavour::ProFtpd] {
        for mode in [0o711, 0o311] {
            let Some(bench) = closed(flavour, mode) else { continue };
            let context = format!("{flavour:?} {mode:o}");
            let listed = bench.list(&json!({"recursive": 0}), &Value::Null, "closed");
            let error = listed.outcome.error().unwrap_or_else(|| panic!("{context}"));
            assert_eq!(error.kind(), ErrorKind::Permission, "{context}: {error}");
        }
    }
}

/// A listing beyond the limit fails as itself, also where its beginning was used to measure the
/// server's clock.
#[test]
fn a_listing_beyond_the_limit_says_so() {
    for (flavour, limit) in [
        (Flavour::VsFtpd, 100),
        (Flavour::ProFtpd, 100),
        (Flavour::ProFtpd, 1000),
        (Flavour::ProFtpd, 1100),
        (Flavour::PyFtpd, 1100),
        (Flavour::PureFtpd, 1100),
    ] {
        let Some(server) = require(&Options::new(flavour)) else { continue };
        for number in 0..1300 {
            server.place(format!("many/{number}.txt"), b"x").unwrap();
        }
        let extra = json!({"maximumListingEntries": limit, "retry": {"attempts": 1, "delay": 0}});
        let bench = Bench::new(server, &extra);
        for operation in ["list", "query"] {
            let request = json!({"operation": operation});
            let header = with_properties(&[("remoteDirectory", "many")]);
            let answered = bench.request(&request, header);
            let error = answered.outcome.error().expect("a failure");
            assert_eq!(error.kind(), ErrorKind::Protocol, "{flavour:?} {limit}: {error}");
            assert!(error.message().contains(&limit.to_string()), "{flavour:?}: {error}");
        }
    }
}

/// No directory has too many entries, and all of them together are: what is read as it comes has no
/// limit, what is kept in memory has.
#[test]
fn a_selection_beyond_the_limit_says_so() {
    let Some(server) = require(&Options::new(Flavour::VsFtpd)) else { return };
    for number in 0..120 {
        server.place(format!("in/{}/{number}.txt", number % 3), b"x").unwrap();
    }
    let bench = Bench::new(server, &json!({"maximumListingEntries": 100}));
    let listed = bench.list(&json!({"recursive": -1}), &Value::Null, "in").json();
    assert_eq!(listed.len(), 123);
    let answered = bench.query(&json!({"recursive": -1}), &Value::Null, "in");
    let error = answered.outcome.error().expect("a failure");
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    assert!(error.message().contains("more than 100 entries"), "{error}");
    let few = json!({"recursive": -1, "maximumFiles": 100});
    assert_eq!(bench.query(&few, &Value::Null, "in").success().len(), 100);
}

/// A server that lists `d` in `d` for ever: the walk ends, and says why.
#[test]
fn a_directory_in_itself_ends() {
    let mut text = "@answers\notherwise MDTM * < 500 What?\n< 220 ready\n".to_owned();
    for _ in 0..=256 {
        text += "> EPSV\npassive EPSV\n> LIST\n< 150 Here.\n\
                 data send \"drwxr-xr-x 1 a a 5 Jan 01 2020 d\\r\\n\"\ndata close\n< 226 Done.\n";
    }
    let script = Transcript::parse(&text).script();
    let mut play = Play::start(&script, &json!({})).with_options(json!({"recursive": -1}));
    play.request("list", "");
    let answer = play.take_last();
    let error = answer.error().expect("a failure");
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    assert!(error.message().contains("deeper than 256 levels"), "{error}");
    play.end().assert_matched();
}

/// The session of an earlier execution stands in a directory that was removed since: that is no
/// empty directory.
#[test]
fn a_directory_that_was_removed_is_missing() {
    for flavour in [Flavour::VsFtpd, Flavour::ProFtpd, Flavour::PureFtpd, Flavour::PyFtpd] {
        let Some(server) = require(&Options::new(flavour)) else { return };
        let bench = Bench::new(server, &json!({}));
        bench.place("in/a.txt", b"a");
        assert_eq!(bench.list(&json!({}), &Value::Null, "in").json().len(), 1);
        bench.clear("in");
        let error = bench.list(&json!({}), &Value::Null, "in").refusal();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{flavour:?} {error:?}");
        bench.create(&json!({"createDirectories": true}), "in/b.txt", b"b").single();
        assert_eq!(bench.files_below("in"), ["b.txt"]);
    }
}
