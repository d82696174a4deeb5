//! Every flavour of server, in every mode and TLS version it knows, runs the same suite.

use std::cell::RefCell;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use std::rc::Rc;

use serde_json::json;
use test_servers::{Flavour, Mode, Options, PASSWORD, TlsVersion, fixture, require};

use crate::support::Bench;
use crate::{behaviours, logs, quirks};

/// Runs the whole suite against one server; every failure is told, not only the first.
fn run(options: &Options, tls: Option<TlsVersion>) {
    let Some(server) = require(options) else { return };
    fixture(&server.root()).unwrap();
    let extra = match tls {
        None => json!({}),
        Some(TlsVersion::V1_2) => json!({"tlsMaximumVersion": "1.2"}),
        Some(TlsVersion::V1_3) => json!({"tlsMinimumVersion": "1.3"}),
    };
    let bench = Bench::new(server, &extra);
    let leaks = Rc::new(RefCell::new(Vec::new()));
    let heard = Rc::clone(&leaks);
    logs::listen(move |record| {
        if record.message.contains(PASSWORD) {
            heard.borrow_mut().push(record.target.clone());
        }
    });
    let mut skipped = Vec::new();
    let mut cells: Vec<(&str, usize, usize)> = Vec::new();
    let mut failures = Vec::new();
    for (operation, behaviour) in behaviours::all() {
        if quirks::skips(options.flavour(), behaviour.name) {
            skipped.push(behaviour.name);
            continue;
        }
        let proven = catch_unwind(AssertUnwindSafe(|| (behaviour.prove)(&bench))).is_ok();
        if cells.last().is_none_or(|(last, ..)| *last != operation) {
            cells.push((operation, 0, 0));
        }
        if let Some((_, good, all)) = cells.last_mut() {
            *good += usize::from(proven);
            *all += 1;
        }
        if !proven {
            failures.push(format!("{operation}: {}", behaviour.name));
        }
    }
    bench.connection.close().unwrap();
    let row: Vec<String> =
        cells.iter().map(|(operation, good, all)| format!("{operation} {good}/{all}")).collect();
    let version = tls.map_or_else(|| "-".to_owned(), |version| format!("{version:?}"));
    let line = format!(
        "MATRIX {:<20} TLS {version:<5} {}  skipped {}\n",
        options.name(),
        row.join("  "),
        skipped.len()
    );
    // Past the harness's capture: the table is the point of the run.
    let _ = std::io::stderr().write_all(line.as_bytes());
    assert_eq!(skipped, quirks::expected_skips(options.flavour()));
    assert_eq!(*leaks.borrow(), Vec::<String>::new(), "the password was logged");
    assert!(failures.is_empty(), "{}: {failures:#?}\n{}", options.name(), bench.server.log());
}

/// Makes one test of each combination.
macro_rules! matrix {
    ($($name:ident: $flavour:ident $mode:ident $(TLS $version:ident)?;)*) => {
        $(
            #[test]
            fn $name() {
                let tls: Option<TlsVersion> = None $(.or(Some(TlsVersion::$version)))?;
                run(&Options::new(Flavour::$flavour).mode(Mode::$mode), tls);
            }
        )*
    };
}

matrix! {
    vsftpd_plain: VsFtpd Plain;
    vsftpd_explicit_tls_12: VsFtpd Explicit TLS V1_2;
    vsftpd_explicit_tls_13: VsFtpd Explicit TLS V1_3;
    vsftpd_implicit_tls_12: VsFtpd Implicit TLS V1_2;
    vsftpd_implicit_tls_13: VsFtpd Implicit TLS V1_3;
    proftpd_plain: ProFtpd Plain;
    proftpd_explicit_tls_12: ProFtpd Explicit TLS V1_2;
    proftpd_explicit_tls_13: ProFtpd Explicit TLS V1_3;
    proftpd_implicit_tls_12: ProFtpd Implicit TLS V1_2;
    proftpd_implicit_tls_13: ProFtpd Implicit TLS V1_3;
    pureftpd_plain: PureFtpd Plain;
    pureftpd_explicit_tls_12: PureFtpd Explicit TLS V1_2;
    pureftpd_explicit_tls_13: PureFtpd Explicit TLS V1_3;
    pyftpdlib_plain: PyFtpd Plain;
    pyftpdlib_explicit_tls_12: PyFtpd Explicit TLS V1_2;
    pyftpdlib_explicit_tls_13: PyFtpd Explicit TLS V1_3;
    pyftpdlib_implicit_tls_12: PyFtpd Implicit TLS V1_2;
    pyftpdlib_implicit_tls_13: PyFtpd Implicit TLS V1_3;
    libunftp_plain: LibUnftp Plain;
    libunftp_explicit_tls_12: LibUnftp Explicit TLS V1_2;
    libunftp_explicit_tls_13: LibUnftp Explicit TLS V1_3;
}

/// With both versions offered, a server whose TLS 1.3 tickets run out is met with TLS 1.2.
#[test]
fn proftpd_explicit_either_version() {
    run(&Options::new(Flavour::ProFtpd).explicit(), None);
}
