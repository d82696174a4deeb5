//! Every flavour of server, in every mode and TLS version it knows, proves the same table.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use serde_json::json;
use test_servers::{Flavour, Mode, Options, PASSWORD, TlsVersion, fixture, require};

use crate::behaviours::{self, Proof, SECTIONS};
use crate::support::{Bench, report};
use crate::{logs, quirks};

/// One server that proves the table.
struct Row {
    flavour: Flavour,
    mode: Mode,
    /// The only version that is offered; both otherwise.
    tls: Option<TlsVersion>,
}

/// How the cases of each section fared.
#[derive(Default)]
struct Tally {
    cells: [(usize, usize); SECTIONS.len()],
    failures: Vec<String>,
}

impl Tally {
    /// Runs one case; a failure is noted, so that the others are run too.
    fn prove(&mut self, case: &behaviours::Behaviour, proof: impl FnOnce()) {
        let proven = catch_unwind(AssertUnwindSafe(proof)).is_ok();
        let at = SECTIONS.iter().position(|section| *section == case.section).unwrap();
        let (good, all) = &mut self.cells[at];
        *good += usize::from(proven);
        *all += 1;
        if !proven {
            self.failures.push(format!("{}, {}: {}", case.section, case.name, case.says));
        }
    }

    /// What each section came to.
    fn line(&self) -> String {
        let cells = SECTIONS.iter().zip(self.cells).filter(|(_, (_, all))| *all > 0);
        let cells: Vec<String> =
            cells.map(|(section, (good, all))| format!("{section} {good}/{all}")).collect();
        cells.join("  ")
    }
}

/// Runs the whole table against one server; every failure is told, not only the first.
fn prove(row: &Row) {
    let options = Options::new(row.flavour).mode(row.mode);
    let Some(server) = require(&options) else { return };
    fixture(&server.root()).unwrap();
    let extra = match row.tls {
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
    let mut tally = Tally::default();
    let mut skipped = Vec::new();
    let chosen = behaviours::chosen();
    for case in &chosen {
        match case.proof {
            Proof::EveryRow(_) if quirks::skips(row.flavour, case.name) => skipped.push(case.name),
            Proof::EveryRow(proof) => tally.prove(case, || proof(&bench)),
            Proof::Once(_) => {}
        }
    }
    bench.connection.close().unwrap();
    let version = row.tls.map_or_else(|| "-".to_owned(), |version| format!("{version:?}"));
    let name = options.name();
    let line = format!("{name:<20} TLS {version:<5} {}  skipped {}", tally.line(), skipped.len());
    report("MATRIX", &line);
    let expected = quirks::expected_skips(row.flavour).iter().copied();
    let expected = expected.filter(|name| chosen.iter().any(|case| case.name == *name));
    assert_eq!(skipped, expected.collect::<Vec<_>>());
    assert_eq!(*leaks.borrow(), Vec::<String>::new(), "the password was logged");
    assert!(tally.failures.is_empty(), "{name}: {:#?}\n{}", tally.failures, bench.server.log());
}

/// The cases that no row can show.
#[test]
fn once() {
    let mut tally = Tally::default();
    for case in behaviours::chosen() {
        if let Proof::Once(proof) = case.proof {
            tally.prove(case, proof);
        }
    }
    report("MATRIX", &format!("{:<30} {}", "once", tally.line()));
    assert!(tally.failures.is_empty(), "{:#?}", tally.failures);
}

/// The table has no section without cases, and no case twice.
#[test]
fn parity_is_complete() {
    let cases: Vec<_> = behaviours::all().collect();
    let mut names = BTreeSet::new();
    let mut sentences = BTreeSet::new();
    for case in &cases {
        assert!(SECTIONS.contains(&case.section), "{}", case.section);
        assert!(names.insert(case.name), "{} is there twice", case.name);
        assert!(sentences.insert((case.section, case.says)), "{:?} is said twice", case.says);
        assert!(!case.says.trim().is_empty(), "{} says nothing", case.name);
    }
    for section in SECTIONS {
        assert!(cases.iter().any(|case| case.section == section), "{section} has no case");
    }
    let mut flavours = BTreeSet::new();
    for row in ROWS {
        flavours.insert(row.flavour);
        for skipped in quirks::expected_skips(row.flavour) {
            assert!(names.contains(skipped), "{skipped} is no case");
        }
    }
    assert_eq!(flavours, Flavour::ALL.into_iter().collect(), "a flavour has no row");
    let once = cases.iter().filter(|case| matches!(case.proof, Proof::Once(_))).count();
    let line = format!(
        "{} cases in {} sections: {} on each of {} rows of {} flavours, {once} once",
        cases.len(),
        SECTIONS.len(),
        cases.len() - once,
        ROWS.len(),
        flavours.len(),
    );
    report("PARITY", &line);
}

/// Makes one test of each combination.
macro_rules! matrix {
    ($($name:ident: $flavour:ident $mode:ident $(TLS $version:ident)?;)*) => {
        $(
            #[test]
            fn $name() {
                prove(&rows::$name);
            }
        )*

        #[expect(non_upper_case_globals, reason = "they are called as their tests")]
        mod rows {
            use super::{Flavour, Mode, Row, TlsVersion};

            $(
                pub(super) const $name: Row = Row {
                    flavour: Flavour::$flavour,
                    mode: Mode::$mode,
                    tls: matrix!(@only $($version)?),
                };
            )*
        }

        /// Every row.
        const ROWS: &[Row] = &[$(rows::$name),*];
    };
    (@only) => { None };
    (@only $version:ident) => { Some(TlsVersion::$version) };
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
    // A server whose TLS 1.3 tickets run out is met with TLS 1.2.
    proftpd_explicit_either_version: ProFtpd Explicit;
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
