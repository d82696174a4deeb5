//! Whatever a server or a process file says, nothing panics, nothing grows without bound, and
//! what is read means the same however it arrives.
//!
//! A few hundred cases each in every run; `PROPTEST_CASES=1000000 cargo test -p ftp-connector
//! fuzz` takes longer.

use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr};

use host_sdk::{Error, ErrorKind, Filter};
use jiff::civil::{DateTime, datetime};
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use proptest::sample::{Index, select};
use proptest::{option, prop_assert, prop_assert_eq};
use serde_json::{Map, Value, json};

use crate::config::filter::EntryFilter;
use crate::config::{ConnectionSettings, OperationSettings};
use crate::descriptor;
use crate::failure::Failure;
use crate::file::name::NameEncoding;
use crate::file::time::zone::ServerTimeZone;
use crate::listing::{Entry, Listing, ListingSettings};
use crate::protocol::refusal::Phase;
use crate::protocol::reply::Reply;
use crate::protocol::reply_values::{extended_passive_port, passive_address, quoted_path};
use crate::protocol::verb::Verb;

/// The most characters of a server's text that a message shows, and the mark behind them.
const SHOWN: usize = 301;

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

/// Gives as many bytes a read as the network happened to.
struct InPieces<'b> {
    bytes: &'b [u8],
    pieces: std::iter::Cycle<std::vec::IntoIter<usize>>,
}

impl Read for InPieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = self.pieces.next().unwrap().min(buffer.len());
        self.bytes.read(&mut buffer[..room])
    }
}

/// The entries of a listing and what came after them.
fn read(source: impl Read, with_facts: bool, settings: ListingSettings) -> (Vec<Entry>, String) {
    let mut listing = match with_facts {
        true => Listing::mlsd(source, settings),
        false => Listing::list(source, settings),
    };
    let mut entries = Vec::new();
    loop {
        match listing.next_entry() {
            Ok(Some(entry)) => entries.push(entry),
            Ok(None) => return (entries, format!("{:?}", listing.format())),
            Err(error) => return (entries, format!("error: {error}")),
        }
    }
}

/// The lines of the project's samples, as a server would send them.
fn samples() -> Vec<String> {
    let text = include_str!("listing/samples.jsonl");
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|sample| format!("{}\r\n", sample["line"].as_str().unwrap())).collect()
}

/// A change to a listing at some place.
#[derive(Clone, Debug)]
enum Change {
    Insert(Vec<u8>),
    Remove(usize),
    Digits(usize),
    End,
}

fn change() -> impl Strategy<Value = (Index, Change)> {
    let spice = select(b" \t\r\n:;,./-+=<>[]()*?0159aZ\0\x1b\x80\xff\xf4\xe6".to_vec());
    let change = prop_oneof![
        4 => vec(spice, 1..3).prop_map(Change::Insert),
        2 => vec(any::<u8>(), 1..3).prop_map(Change::Insert),
        3 => (1..4_usize).prop_map(Change::Remove),
        1 => (1..22_usize).prop_map(Change::Digits),
        1 => Just(Change::End),
    ];
    (any::<Index>(), change)
}

/// Lines that real servers print, a few times over, with some damage done to them.
fn damaged_listing() -> impl Strategy<Value = Vec<u8>> {
    let lines = vec((select(samples()), 1..4_usize), 1..3);
    (lines, vec(change(), 0..5)).prop_map(|(lines, changes)| {
        let mut text: Vec<u8> =
            lines.iter().flat_map(|(line, times)| line.repeat(*times).into_bytes()).collect();
        for (place, change) in changes {
            let at = place.index(text.len() + 1);
            match change {
                Change::Insert(bytes) => drop(text.splice(at..at, bytes)),
                Change::Remove(count) => drop(text.drain(at..(at + count).min(text.len()))),
                Change::Digits(count) => drop(text.splice(at..at, vec![b'9'; count])),
                Change::End => text.truncate(at),
            }
        }
        text
    })
}

fn listing() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![4 => damaged_listing(), 1 => vec(any::<u8>(), 0..400)]
}

fn clock() -> impl Strategy<Value = DateTime> {
    let usual = datetime(2026, 11, 22, 18, 0, 0, 0);
    prop_oneof![3 => Just(usual), 1 => Just(DateTime::MIN), 1 => Just(DateTime::MAX)]
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        select(vec!["auto", "explicit", "active", "2026-01-01 00:00:00.000", "([", "*.xml"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let key =
            prop_oneof!["[a-zA-Z]{1,12}", select(vec!["and", "or", "host"]).prop_map(String::from)];
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((key, inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn fields(known: Vec<String>) -> impl Strategy<Value = Map<String, Value>> {
    let id = prop_oneof![8 => select(known), 1 => ".{0,8}"];
    vec((id, json()), 0..5).prop_map(|members| members.into_iter().collect())
}

fn filter() -> impl Strategy<Value = Value> {
    let offered = descriptor::operation(descriptor::QUERY).unwrap().filter.as_ref().unwrap();
    let known = offered.properties.iter().flat_map(|property| {
        property.operators.iter().map(|operator| (property.id.clone(), operator.clone()))
    });
    let known = select(known.collect::<Vec<_>>());
    let value = prop_oneof![
        json(),
        Just(json!("2026-11-22 17:26:00.000")),
        Just(json!("*.[ct]?v")),
        any::<u32>().prop_map(Value::from),
    ];
    let condition = (known, value).prop_map(|((property, operator), value)| {
        json!({ "property": property, "operator": operator, "value": value })
    });
    prop_oneof![8 => condition, 1 => json()].prop_recursive(4, 16, 4, |inner| {
        let group = select(vec!["and", "or"]);
        (group, vec(inner, 0..4)).prop_map(|(group, members)| json!({ group: members }))
    })
}

fn connection_ids() -> Vec<String> {
    descriptor::descriptor().connection.fields.iter().map(|field| field.id.clone()).collect()
}

fn operation_ids() -> Vec<String> {
    let operations = &descriptor::descriptor().operations;
    let ids = operations.iter().flat_map(|operation| &operation.fields);
    ids.map(|field| field.id.clone()).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn listings_mean_the_same_in_any_pieces(
        text in listing(),
        pieces in vec(1..40_usize, 1..6),
        now in clock(),
        maximum_line_length in 20..600_usize,
        with_facts in any::<bool>(),
    ) {
        let settings = ListingSettings {
            encoding: NameEncoding::Auto,
            normalization: Default::default(),
            maximum_line_length,
            maximum_entries: 8,
            now,
        };
        let (entries, end) = read(&*text, with_facts, settings);
        let pieces = InPieces { bytes: &text, pieces: pieces.into_iter().cycle() };
        prop_assert_eq!(&read(pieces, with_facts, settings), &(entries.clone(), end.clone()));
        let lines = text.iter().filter(|byte| **byte == b'\n').count();
        prop_assert!(entries.len() <= lines.min(8));
        for entry in &entries {
            prop_assert!(!entry.name.is_empty() && !entry.name.contains('\n'));
        }
        prop_assert!(end.len() < 1000 && !end.contains(|c: char| c.is_control()), "{}", end);
        // A listing that was cut within a line is not a complete one.
        if text.last().is_some_and(|last| *last != b'\n') {
            prop_assert!(end.starts_with("error"), "{}", end);
        }
    }

    #[test]
    fn real_lines_are_read_between_blank_ones(line in select(samples()), blanks in 0..3_usize) {
        let settings = ListingSettings {
            encoding: NameEncoding::Auto,
            normalization: Default::default(),
            maximum_line_length: 4096,
            maximum_entries: 8,
            now: datetime(2026, 11, 22, 18, 0, 0, 0),
        };
        let alone = read(line.as_bytes(), false, settings);
        let framed = format!("{}{line}{}", "\r\n".repeat(blanks), "\r\n".repeat(blanks));
        let (entries, end) = read(framed.as_bytes(), false, settings);
        prop_assert_eq!(&entries, &alone.0);
        prop_assert_eq!(end.starts_with("error"), alone.1.starts_with("error"));
    }

    #[test]
    fn replies_are_read_and_shown_safely(
        bytes in prop_oneof![
            vec(any::<u8>(), 0..200),
            "[1-6][0-9]{2}[ -]?(.|\r\n){0,80}\n".prop_map(String::into_bytes),
        ],
    ) {
        if let Some(reply) = Reply::parse(&bytes) {
            prop_assert!(reply.text().chars().count() <= SHOWN);
            for phase in [
                Phase::Greeting,
                Phase::Protection,
                Phase::Login,
                Phase::Path,
                Phase::Transfer,
            ] {
                let verb = Some(Verb::Noop);
                let error: Error =
                    Failure::refused(&reply, phase, verb, "NOOP", &reply).into();
                prop_assert!(!error.message().contains(|c: char| c.is_ascii_control()));
                prop_assert_eq!(error.report().command.as_deref(), Some("NOOP"));
            }
            let _ = (passive_address(&reply), extended_passive_port(reply.first_line()));
            let _ = quoted_path(reply.first_line());
        }
    }

    #[test]
    fn passive_addresses_come_back(
        address in any::<[u8; 4]>(),
        port in 1..=u16::MAX,
        before in "[^0-9,]{0,20}",
        after in "[^0-9,]{0,20}",
    ) {
        let [a, b, c, d] = address;
        let text = format!("{before}{a},{b},{c},{d},{},{}{after}", port >> 8, port & 0xff);
        let found = passive_address(&Reply::new(227, &text));
        prop_assert_eq!(found, Some(SocketAddr::new(Ipv4Addr::from(address).into(), port)));
    }

    #[test]
    fn extended_passive_ports_come_back(
        port in 1..=u16::MAX,
        before in "[^(]{0,20}",
        delimiter in "[!-/:-~]",
    ) {
        let text = format!("{before}({delimiter}{delimiter}{delimiter}{port}{delimiter})");
        prop_assert_eq!(extended_passive_port(text.as_bytes()), Some(port));
    }

    #[test]
    fn addresses_in_any_text_do_no_harm(text in vec(any::<u8>(), 0..60)) {
        let answer = Reply::parse(&[b"227 ", &*text, b"\n"].concat());
        let address = answer.and_then(|answer| passive_address(&answer));
        prop_assert!(address.is_none_or(|address| address.port() > 0));
        prop_assert!(extended_passive_port(&text).is_none_or(|port| port > 0));
        let path = quoted_path(&text);
        prop_assert!(path.is_none_or(|path| path.len() <= text.len() && !path.is_empty()));
    }

    #[test]
    fn quoted_paths_come_back(path in vec(any::<u8>(), 1..40), after in "[^\"]{0,10}") {
        let times = |byte: u8| if byte == b'"' { 2 } else { 1 };
        let doubled: Vec<u8> =
            path.iter().flat_map(|byte| std::iter::repeat_n(*byte, times(*byte))).collect();
        let text = [b"\"", &*doubled, b"\" ", after.as_bytes()].concat();
        prop_assert_eq!(quoted_path(&text), Some(path));
    }

    #[test]
    fn filters_are_compiled_or_refused_where_they_are_wrong(raw in filter(), text in listing()) {
        let offered = descriptor::operation(descriptor::QUERY).unwrap().filter.as_ref().unwrap();
        let compiled = Filter::check(offered, &raw).and_then(EntryFilter::compile);
        let settings = ListingSettings {
            encoding: NameEncoding::Auto,
            normalization: Default::default(),
            maximum_line_length: 600,
            maximum_entries: 8,
            now: datetime(2026, 11, 22, 18, 0, 0, 0),
        };
        match compiled {
            Ok(filter) => {
                for entry in read(&*text, false, settings).0 {
                    let _ = filter.evaluate(&entry, &ServerTimeZone::Auto, false);
                }
            }
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Configuration),
        }
    }

    #[test]
    fn connection_settings_are_taken_or_refused_where_they_are_wrong(
        mut raw in fields(connection_ids()), with_password in any::<bool>(),
    ) {
        raw.entry("host").or_insert("ftp.example.org".into());
        if with_password {
            raw.insert("password".into(), "unspeakable".into());
        }
        match ConnectionSettings::parse(&Value::Object(raw)) {
            Ok(settings) => {
                prop_assert!(settings.port > 0 && !settings.host.contains(['\r', '\n']));
            }
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::Configuration);
                let shown = format!("{error:?} {error}");
                prop_assert!(!shown.contains("unspeakable"), "{}", shown);
            }
        }
    }

    #[test]
    fn operations_are_taken_or_refused_where_they_are_wrong(
        id in select(vec![
            descriptor::CREATE,
            descriptor::QUERY,
            descriptor::GET,
            descriptor::LIST,
            descriptor::DELETE,
            "",
        ]),
        options in fields(operation_ids()),
        filter in option::of(filter()),
    ) {
        let mut raw = json!({ "operation": id, "options": options });
        if let Some(filter) = filter {
            raw["filter"] = filter;
        }
        if let Err(error) = OperationSettings::parse(&raw) {
            prop_assert_eq!(error.kind(), ErrorKind::Configuration);
        }
    }
}
