//! Create on servers that refuse what others permit.

use serde_json::json;
use test_servers::{Flavour, Options, fixture, require};

use crate::support::Bench;

/// ProFTPD as it is packaged replaces nothing: neither STOR nor RNTO onto a file.
#[test]
fn a_server_that_replaces_nothing_is_overwritten_by_renaming_aside() {
    let Some(server) = require(&Options::new(Flavour::ProFtpd).packaged()) else { return };
    fixture(&server.root()).unwrap();
    let bench = Bench::new(server, &json!({}));
    let options = json!({"actionIfFileExists": "overwrite"});
    bench.create(&options, "upload/x.txt", b"first").single();
    bench.create(&options, "upload/x.txt", b"second").single();
    assert_eq!(bench.on_server("upload/x.txt").unwrap(), b"second");
    let left = std::fs::read_dir(bench.server.root().join("upload")).unwrap().count();
    assert_eq!(left, 1, "the replaced file and the temporary one are gone");
}

/// A directory of its own for uploads may not let them be renamed out of it.
#[test]
fn a_refused_rename_leaves_the_old_file_and_no_new_one() {
    let Some(server) = require(&Options::new(Flavour::VsFtpd)) else { return };
    fixture(&server.root()).unwrap();
    let bench = Bench::new(server, &json!({}));
    let options = json!({"actionIfFileExists": "overwrite", "stagingDirectory": "upload"});
    let error = bench.create(&options, "readonly/inside.txt", b"new").refusal();
    assert_eq!(error.kind(), host_sdk::ErrorKind::Permission);
    assert_eq!(bench.on_server("readonly/inside.txt").unwrap(), b"readable");
    assert_eq!(std::fs::read_dir(bench.server.root().join("upload")).unwrap().count(), 0);
}
