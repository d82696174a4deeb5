//! TLS sessions of data connections: resumed where servers demand it, for as long as it takes.

use std::cell::Cell;
use std::rc::Rc;

use host_sdk::ErrorKind;
use serde_json::{Value, json};
use test_servers::{Flavour, Options, Server, SessionReuse, TlsVersion, fixture, require};

use crate::logs;
use crate::support::{Bench, report};

/// Transfers in each direction.
const TRANSFERS: usize = 30;

/// What a server's log says about the data connections and sessions it has seen.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    logins: usize,
    resumed: usize,
    full: usize,
}

impl Seen {
    /// Reads the log of `server`.
    fn by(server: &Server) -> Self {
        let log = server.log();
        let lines = |is: &dyn Fn(&str) -> bool| log.lines().filter(|line| is(line)).count();
        match server.flavour() {
            // Control and data connections look the same; each session has one control connection.
            Flavour::VsFtpd => {
                let logins = lines(&|line| line.contains("OK LOGIN"));
                Self {
                    logins,
                    resumed: lines(&|line| {
                        line.contains("SSL cipher:") && line.contains(", reused")
                    }),
                    full: lines(&|line| {
                        line.contains("SSL cipher:") && line.contains("not reused")
                    }) - logins,
                }
            }
            Flavour::ProFtpd => Self {
                logins: lines(&|line| line.starts_with("PASS ") && line.contains("-> 230")),
                resumed: lines(&|line| line.contains("client reused TLS session for data")),
                full: lines(&|line| line.contains("client did not reuse TLS session")),
            },
            other => panic!("{other} does not log sessions"),
        }
    }
}

/// Starts `options` with the usual files and connects with `extra` settings.
fn bench(options: &Options, extra: &Value) -> Option<Bench> {
    let server = require(options)?;
    fixture(&server.root()).unwrap();
    Some(Bench::new(server, extra))
}

/// Uploads, then downloads, one execution each, all of which must succeed.
fn transfer(bench: &Bench) {
    let name = |number: usize| format!("upload/{number}.bin");
    let body = |number: usize| vec![number as u8; 3000 + number];
    for number in 0..TRANSFERS {
        bench.create(&json!({}), &name(number), &body(number)).single();
        assert!(bench.on_server(&name(number)).unwrap() == body(number), "{number}");
    }
    for number in 0..TRANSFERS {
        assert!(bench.get(&json!({}), &name(number)).single().body == body(number), "{number}");
    }
}

/// One session is enough for all, and every data connection resumes it.
fn one_session(options: &Options, version: TlsVersion) {
    let Some(bench) = bench(options, &json!({})) else { return };
    transfer(&bench);
    let seen = Seen::by(&bench.server);
    report("REUSE", &format!("{:<20} TLS {version:?} {seen:?}", options.name()));
    assert_eq!((seen.logins, seen.full), (1, 0), "{seen:?}");
    // Looking for a name that is free may take a listing more.
    assert!(seen.resumed >= 2 * TRANSFERS, "{seen:?}");
}

fn only(options: Options, version: TlsVersion) -> Options {
    options.tls_versions(version..=version)
}

#[test]
fn vsftpd_resumes_tls_13() {
    let options = Options::new(Flavour::VsFtpd).explicit().session_reuse(SessionReuse::Required);
    one_session(&only(options, TlsVersion::V1_3), TlsVersion::V1_3);
}

#[test]
fn vsftpd_resumes_tls_12() {
    let options = Options::new(Flavour::VsFtpd).explicit().session_reuse(SessionReuse::Required);
    one_session(&only(options, TlsVersion::V1_2), TlsVersion::V1_2);
}

#[test]
fn proftpd_resumes_tls_12() {
    let options = Options::new(Flavour::ProFtpd).explicit();
    one_session(&only(options, TlsVersion::V1_2), TlsVersion::V1_2);
}

/// ProFTPD gives no tickets with uploads: with both versions offered there is one new login, with
/// TLS 1.2, and it is remembered for the next sessions as well.
#[test]
fn proftpd_falls_back_to_tls_12_once() {
    let options = Options::new(Flavour::ProFtpd).explicit();
    let Some(bench) = bench(&options, &json!({"retry": {"attempts": 1}})) else { return };
    let changes = Rc::new(Cell::new(0));
    let counted = Rc::clone(&changes);
    logs::listen(move |record| {
        if record.message.contains("using TLS 1.2 from now on") {
            counted.set(counted.get() + 1);
        }
    });
    transfer(&bench);
    let seen = Seen::by(&bench.server);
    report("REUSE", &format!("{:<20} either   {seen:?}", options.name()));
    // Looking for what killed uploads have left takes one more.
    assert_eq!(seen, Seen { logins: 2, resumed: 2 * TRANSFERS + 1, full: 0 });
    assert_eq!(changes.get(), 1);

    // The session at hand ends; the next one begins with TLS 1.2 at once.
    bench.connection.close().unwrap();
    transfer(&bench);
    let seen = Seen::by(&bench.server);
    assert_eq!(seen, Seen { logins: 3, resumed: 4 * TRANSFERS + 1, full: 0 });
    assert_eq!(changes.get(), 1);
}

/// Whatever comes third, after two uploads have used the tickets up, does not notice.
#[test]
fn proftpd_without_tickets_lists_appends_and_reads() {
    let options = Options::new(Flavour::ProFtpd).explicit();
    type Third = fn(&Bench);
    let thirds: [(&str, Third); 4] = [
        ("list", |bench| assert_eq!(bench.list(&json!({}), &json!(null), "dir").json().len(), 3)),
        ("query", |bench| {
            let names = bench.query(&json!({}), &json!(null), "dir").names();
            assert_eq!(names, ["a.txt", "b.csv"]);
        }),
        ("get", |bench| assert_eq!(bench.get(&json!({}), "dir/a.txt").single().body, b"a")),
        ("append", |bench| {
            let options = json!({"actionIfFileExists": "append"});
            bench.create(&options, "upload/1", b" more").single();
            assert_eq!(bench.on_server("upload/1").unwrap(), b"x more");
        }),
    ];
    for (name, third) in thirds {
        let Some(bench) = bench(&options, &json!({"retry": {"attempts": 1}})) else { return };
        for number in 0..2 {
            bench.create(&json!({}), &format!("upload/{number}"), b"x").single();
        }
        assert_eq!(Seen::by(&bench.server).logins, 1, "{name}");
        third(&bench);
        assert_eq!(Seen::by(&bench.server).logins, 2, "{name}");
    }
}

/// Where TLS 1.2 is out of the question, a new login brings new tickets.
#[test]
fn proftpd_with_tls_13_alone_logs_in_again() {
    let options = only(Options::new(Flavour::ProFtpd).explicit(), TlsVersion::V1_3);
    let extra = json!({
        "tlsMinimumVersion": "1.3",
        "retry": {"attempts": 2, "delay": 1, "maximumDelay": 1},
    });
    let Some(bench) = bench(&options, &extra) else { return };
    transfer(&bench);
    let seen = Seen::by(&bench.server);
    report("REUSE", &format!("{:<20} TLS V1_3 {seen:?}", options.name()));
    // Only the first time is the need found out by being refused.
    assert_eq!(seen.full, 1);
    assert!(seen.logins <= TRANSFERS / 2 + 1, "{seen:?}");
}

/// A server that does not care sees no retry and no fallback, whatever it gives for tickets.
#[test]
fn servers_that_do_not_demand_it_see_no_retry() {
    for flavour in [Flavour::PureFtpd, Flavour::PyFtpd, Flavour::LibUnftp, Flavour::VsFtpd] {
        let options = Options::new(flavour).explicit().session_reuse(SessionReuse::Optional);
        let Some(bench) = bench(&options, &json!({"tlsMinimumVersion": "1.3"})) else { continue };
        let retries = Rc::new(Cell::new(0));
        let counted = Rc::clone(&retries);
        logs::listen(move |record| {
            if record.message.contains("using TLS 1.2") || record.message.contains("attempt ") {
                counted.set(counted.get() + 1);
            }
        });
        transfer(&bench);
        assert_eq!(retries.get(), 0, "{flavour}");
    }
}

/// Reuse switched off where it is demanded: the error says which setting to look at, at once.
#[test]
fn without_reuse_the_error_names_the_setting() {
    for flavour in [Flavour::VsFtpd, Flavour::ProFtpd] {
        for version in [TlsVersion::V1_2, TlsVersion::V1_3] {
            let options = only(Options::new(flavour).explicit(), version);
            let Some(bench) = bench(&options, &json!({"tlsSessionReuse": "off"})) else { continue };
            let created = bench.create(&json!({}), "upload/a.txt", b"a");
            let error = created.outcome.error().unwrap().clone();
            assert!(
                matches!(error.kind(), ErrorKind::Tls | ErrorKind::Connection),
                "{flavour} {version:?}: {error:?}"
            );
            let hint = error.report().hint.as_deref().unwrap_or_default();
            assert!(hint.contains("tlsSessionReuse"), "{flavour} {version:?}: {error:?}");
            assert!(!error.is_retryable(), "{flavour} {version:?}: {error:?}");
            assert_eq!(error.report().attempts, 1);
            let refused = bench.list(&json!({}), &json!(null), "dir");
            let error = refused.outcome.error().unwrap();
            assert!(!error.is_retryable(), "{flavour} {version:?}: {error:?}");
        }
    }
}

/// A server that admits one client at a time sees the old session leave before the new one.
#[test]
fn proftpd_for_one_client_changes_sessions_in_order() {
    let options = Options::new(Flavour::ProFtpd).explicit().maximum_clients(1);
    let Some(bench) = bench(&options, &json!({})) else { return };
    for number in 0..4 {
        bench.create(&json!({}), &format!("upload/{number}"), b"x").single();
    }
    assert_eq!(Seen::by(&bench.server).logins, 2);
}
