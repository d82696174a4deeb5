//! Where the connector goes further than others of its kind: their documented shortcomings are
//! not shared.

use host_sdk::ErrorKind;
use host_sdk::testing::MemoryHost;
use serde_json::{Value, json};
use test_servers::{Flavour, Mode, TlsVersion};

use super::{Behaviour, parity};
use crate::support::Bench;
use crate::test_proxy::{Manner, Protocol, TestProxy};
use crate::{quirks, trust};

pub(super) const CASES: &[Behaviour] = parity! {
    "Beyond", EveryRow => {
        "TLS 1.2 and TLS 1.3 are spoken": speaks_both_tls_versions,
        "data connections resume the TLS session where servers demand it":
            resumes_tls_sessions_where_that_is_demanded,
        "times are told in the server's zone when that is configured":
            tells_times_in_the_configured_zone,
        "control and data connections go through a proxy": goes_through_proxies,
        "directories are listed by MLSD or by LIST, with the same result":
            lists_by_either_command,
        "a permission denied is told from a missing file": tells_denied_from_missing,
    }
    "Beyond", Once => {
        "a client certificate identifies this side": shows_a_client_certificate,
    }
};

fn reads(bench: &Bench) -> bool {
    bench.get(&json!({}), "hello.txt").results.len() == 1
}

fn speaks_both_tls_versions(bench: &Bench) {
    let told = |bench: &Bench| {
        assert!(reads(bench));
        let report = bench.connection.test(MemoryHost::new().context()).unwrap();
        report.findings.into_iter().find(|finding| finding.name == "tls").unwrap().detail
    };
    if bench.server.mode() == Mode::Plain {
        assert!(told(bench).starts_with("sslMode is none"));
        return;
    }
    for version in ["1.2", "1.3"] {
        let only = json!({"tlsMinimumVersion": version, "tlsMaximumVersion": version});
        let detail = told(&bench.with(&only));
        assert!(detail.starts_with(&format!("TLS {version}")), "{detail}");
    }
}

fn resumes_tls_sessions_where_that_is_demanded(bench: &Bench) {
    assert!(reads(bench));
    let demanded =
        bench.server.mode() != Mode::Plain && bench.server.options().requires_session_reuse();
    let off = bench.with(&json!({"tlsSessionReuse": "off", "retry": {"attempts": 1}}));
    assert_eq!(reads(&off), !demanded);
}

fn tells_times_in_the_configured_zone(bench: &Bench) {
    let told = |bench: &Bench| {
        let read = bench.get(&json!({"includeAllMetadata": true}), "old.txt").single();
        read.properties.get("timestamp").unwrap().to_owned()
    };
    assert_eq!(told(bench), "2001-02-03 04:05:06.000");
    let tokyo = bench.with(&json!({"serverTimeZone": "Asia/Tokyo"}));
    assert_eq!(told(&tokyo), "2001-02-03 13:05:06.000");
}

fn goes_through_proxies(bench: &Bench) {
    for protocol in [Protocol::Socks5, Protocol::Http] {
        let proxy = TestProxy::start(protocol, Manner::Open);
        assert!(reads(&bench.with(&proxy.settings(false))), "{protocol:?}");
        let targets = proxy.targets();
        assert!(targets.len() >= 2, "{protocol:?}: {targets:?}");
        assert!(targets[0].ends_with(&format!(":{}", bench.server.port())), "{targets:?}");
    }
}

fn lists_by_either_command(bench: &Bench) {
    let listed = |bench: &Bench| {
        let mut told: Vec<[String; 3]> = bench
            .list(&json!({}), &Value::Null, "dir")
            .json()
            .iter()
            .map(|entry| {
                ["fileName", "fileType", "remoteDirectory"].map(|id| entry[id].to_string())
            })
            .collect();
        told.sort();
        told
    };
    let automatic = listed(bench);
    assert_eq!(automatic.len(), 3);
    let commands: &[&str] = if quirks::has_mlsd(bench) { &["list", "mlsd"] } else { &["list"] };
    for command in commands {
        assert_eq!(listed(&bench.with(&json!({"listing": command}))), automatic, "{command}");
    }
}

fn tells_denied_from_missing(bench: &Bench) {
    assert_eq!(bench.get(&json!({}), "missing.txt").success(), []);
    let error = bench.get(&json!({}), "noread.txt").refusal();
    assert_eq!(error.kind(), ErrorKind::Permission);
}

fn shows_a_client_certificate() {
    trust::client_certificates(Flavour::LibUnftp, Mode::Explicit, TlsVersion::V1_3);
}
