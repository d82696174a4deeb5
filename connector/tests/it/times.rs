//! What time it is on a server: one file has one time, whichever command told it.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use host_sdk::Properties;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use test_servers::{Flavour, Options, fixture, require};

use crate::support::{Bench, settings, with_properties};

/// The zone of the servers here, the same all year.
const ZONE: &str = "Asia/Kolkata";

/// A server in [`ZONE`].
fn abroad(flavour: Flavour, configuration: &str) -> Option<Bench> {
    let server = require(&Options::new(flavour).configuration(configuration).time_zone(ZONE))?;
    fixture(&server.root()).unwrap();
    Some(Bench::new(server, &json!({})))
}

/// Another connection to the same server, which has learnt nothing yet.
fn fresh(bench: &Bench, extra: &Value) -> Bench {
    bench.beside(&settings(&bench.server, extra))
}

/// Puts a file onto the server that was modified `at`.
fn place(bench: &Bench, path: &str, at: Timestamp) {
    bench.place(path, b"x");
    let since = Duration::from_secs(at.as_second().try_into().unwrap());
    let file = std::fs::File::options().append(true).open(bench.server.root().join(path)).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + since).unwrap();
}

/// A minute two days ago, the same for the whole run, and so many seconds.
fn some_time(seconds: i64) -> Timestamp {
    static MINUTE: OnceLock<i64> = OnceLock::new();
    let minute = MINUTE.get_or_init(|| {
        let ago = Timestamp::now().checked_sub(48.hours()).unwrap().as_second();
        ago - ago % 60
    });
    Timestamp::from_second(minute + seconds).unwrap()
}

/// `at` on a clock in `zone`.
fn local(at: Timestamp, zone: &str) -> String {
    let at = TimeZone::get(zone).unwrap().to_datetime(at);
    at.strftime("%Y-%m-%d %H:%M:%S.000").to_string()
}

const TIMES: [&str; 3] = ["timestamp", "timestampUtc", "timestampPrecision"];

fn of_document(document: &Value) -> [Option<String>; 3] {
    TIMES.map(|id| document[id].as_str().map(str::to_owned))
}

fn of_properties(properties: &Properties) -> [Option<String>; 3] {
    TIMES.map(|id| properties.get(id).map(str::to_owned))
}

/// List, Query, Get and Create tell the same time under all of these settings, and that time is
/// the one on a clock in `zone`.
fn one_time(flavour: Flavour, configuration: &str, zone: &str, all: &[Value]) {
    let Some(bench) = abroad(flavour, configuration) else { return };
    let told = |at: Timestamp, precision: &str| {
        [Some(local(at, zone)), Some(at.to_string()), Some(precision.to_owned())]
    };
    let (minute, second) = (some_time(0), some_time(40));
    place(&bench, "in/a.txt", second);
    for extra in all {
        let by_facts = flavour != Flavour::VsFtpd && extra["listing"] != "list";
        let listed = if by_facts { told(second, "second") } else { told(minute, "minute") };
        let documents = fresh(&bench, extra).list(&json!({}), &Value::Null, "in").json();
        assert_eq!(of_document(&documents[0]), listed, "{extra}");
        let read = fresh(&bench, extra).query(&json!({}), &Value::Null, "in").single();
        // What is read is asked for its seconds: within a minute it may be written again.
        assert_eq!(of_properties(&read.properties), told(second, "second"), "{extra}");
        let options = json!({"includeAllMetadata": true});
        let read = fresh(&bench, extra).get(&options, "in/a.txt").single();
        assert_eq!(of_properties(&read.properties), told(second, "second"), "{extra}");
        let before = Timestamp::now().checked_sub(2.seconds()).unwrap();
        let created = fresh(&bench, extra).create(&options, "upload/c.txt", b"x").json();
        let at: Timestamp = created[0]["timestampUtc"].as_str().unwrap().parse().unwrap();
        assert_eq!(of_document(&created[0]), told(at, "second"), "{extra}");
        assert!(before < at && at <= Timestamp::now(), "{extra}: {at}");
    }
}

#[test]
fn vsftpd_tells_one_time() {
    one_time(Flavour::VsFtpd, "use_localtime=NO", "UTC", &[json!({})]);
}

/// It has no time in UTC then: only a configured zone is of use.
#[test]
fn vsftpd_tells_one_local_time() {
    one_time(Flavour::VsFtpd, "use_localtime=YES", ZONE, &[json!({"serverTimeZone": ZONE})]);
}

#[test]
fn proftpd_tells_one_time() {
    let all = [
        json!({}),
        json!({"serverTimeZone": ZONE}),
        json!({"listing": "list"}),
        json!({"listing": "list", "serverTimeZone": ZONE}),
    ];
    one_time(Flavour::ProFtpd, "TimesGMT off", ZONE, &all);
}

/// A filter takes the time there, to the second, whatever the listing shows.
fn filtered_to_the_second(flavour: Flavour, configuration: &str, all: &[Value]) {
    let Some(bench) = abroad(flavour, configuration) else { return };
    for seconds in [0, 20, 40, 60] {
        place(&bench, &format!("in/{seconds:02}.txt"), some_time(seconds));
    }
    let cases: [(&str, i64, &[&str]); 5] = [
        ("lessThan", 40, &["00.txt", "20.txt"]),
        ("greaterThan", 0, &["20.txt", "40.txt", "60.txt"]),
        ("equals", 20, &["20.txt"]),
        ("equals", 0, &["00.txt"]),
        ("notEquals", 60, &["00.txt", "20.txt", "40.txt"]),
    ];
    for extra in all {
        for (operator, seconds, expected) in cases {
            let value = local(some_time(seconds), ZONE);
            let filter = json!({"property": "timestamp", "operator": operator, "value": value});
            let bench = fresh(&bench, extra);
            let read = bench.query(&json!({}), &filter, "in");
            assert_eq!(read.names(), expected, "{extra} {operator} {value}");
            let documents = bench.list(&json!({}), &filter, "in").json();
            let mut names: Vec<_> =
                documents.iter().map(|it| it["fileName"].as_str().unwrap()).collect();
            names.sort_unstable();
            assert_eq!(names, expected, "{extra} {operator} {value}");
        }
    }
}

#[test]
fn vsftpd_filters_to_the_second() {
    let all = [json!({"serverTimeZone": ZONE}), json!({})];
    filtered_to_the_second(Flavour::VsFtpd, "use_localtime=YES", &all);
}

#[test]
fn proftpd_filters_to_the_second() {
    let all = [json!({}), json!({"listing": "list"})];
    filtered_to_the_second(Flavour::ProFtpd, "TimesGMT off", &all);
}

/// The time that a document asks for is the server's as well, measured if need be.
#[test]
fn a_kept_time_is_the_servers() {
    let Some(bench) = abroad(Flavour::ProFtpd, "TimesGMT off") else { return };
    place(&bench, "upload/other.txt", some_time(0));
    let text = "2005-06-07 08:09:10.000";
    for (name, extra) in [("a.txt", json!({})), ("b.txt", json!({"serverTimeZone": ZONE}))] {
        let path = format!("upload/{name}");
        let header = with_properties(&[("fileName", &path), ("timestamp", text)]);
        let options = json!({"preserveTimestamp": true, "includeAllMetadata": true});
        let operation = json!({"operation": "create", "options": options});
        let created = fresh(&bench, &extra).document(&operation, header, "x").json();
        assert_eq!(created[0]["timestamp"], text, "{extra}");
        assert_eq!(created[0]["timestampUtc"], "2005-06-07T02:39:10Z", "{extra}");
    }
}
