//! A listing of which no more is wanted is stopped: its rest is not read, and the connection goes
//! on as if nothing had happened.

use std::fs::{File, hard_link};

use serde_json::{Value, json};
use test_servers::{Flavour, Options, TlsVersion, fixture, require};

use crate::support::Bench;

/// So many that their listing does not fit into what lies between two processes.
const CROWD: usize = 60_000;

fn stops(options: &Options) {
    let Some(server) = require(options) else { return };
    fixture(&server.root()).unwrap();
    let crowd = server.root().join("crowd");
    std::fs::create_dir(&crowd).unwrap();
    let first = crowd.join("file-00000.dat");
    File::create(&first).unwrap();
    for number in 1..CROWD {
        hard_link(&first, crowd.join(format!("file-{number:05}.dat"))).unwrap();
    }
    // The zone is known, so that the only listings are those that are stopped.
    let bench = Bench::new(server, &json!({"serverTimeZone": "UTC"}));
    for _ in 0..2 {
        let listed = bench.list(&json!({"maximumResults": 10}), &Value::Null, "crowd").json();
        assert_eq!(listed.len(), 10);
        assert_eq!(bench.get(&json!({}), "hello.txt").single().body, b"hello\nworld\n");
        let read = bench.query(&json!({"maximumFiles": 2}), &Value::Null, "crowd").names();
        assert_eq!(read.len(), 2);
        let names = bench.query(&json!({}), &Value::Null, "many").names();
        assert_eq!(names, (1..=25).map(|number| format!("f{number:02}.dat")).collect::<Vec<_>>());
    }
    bench.connection.close().unwrap();
    // What the server could not get rid of was not read.
    let complaint = match options.flavour() {
        Flavour::VsFtpd => "426 Failure writing network stream",
        Flavour::ProFtpd => "MLSD -> 426",
        _ => return,
    };
    let log = bench.server.log();
    assert_eq!(log.matches(complaint).count(), 4, "{log}");
}

/// Makes one test of each server.
macro_rules! servers {
    ($($name:ident: $options:expr;)*) => {
        $(
            #[test]
            fn $name() {
                stops(&$options);
            }
        )*
    };
}

servers! {
    vsftpd: Options::new(Flavour::VsFtpd);
    vsftpd_tls_12: tls(Flavour::VsFtpd, TlsVersion::V1_2);
    vsftpd_tls_13: tls(Flavour::VsFtpd, TlsVersion::V1_3);
    proftpd: Options::new(Flavour::ProFtpd);
    proftpd_tls_12: tls(Flavour::ProFtpd, TlsVersion::V1_2);
    proftpd_tls_13: tls(Flavour::ProFtpd, TlsVersion::V1_3);
    pureftpd: Options::new(Flavour::PureFtpd);
    pureftpd_tls: tls(Flavour::PureFtpd, TlsVersion::V1_3);
}

fn tls(flavour: Flavour, version: TlsVersion) -> Options {
    Options::new(flavour).explicit().tls_versions(version..=version)
}
