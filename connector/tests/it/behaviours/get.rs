//! Get.

use host_sdk::ErrorKind;
use serde_json::json;

use super::{Behaviour, behaviours};
use crate::quirks;
use crate::support::Bench;

pub(super) const BEHAVIOURS: &[Behaviour] = behaviours![
    reads_a_file_with_its_properties,
    reads_every_byte_of_a_large_file,
    reads_an_empty_file,
    finds_a_missing_file_an_empty_success,
    refuses_a_blank_id,
    reads_names_that_are_hard_to_write,
    deletes_after_reading,
    keeps_the_file_when_the_host_did_not_take_it,
    converts_line_ends_of_text,
    compares_with_the_servers_checksum,
];

fn reads_a_file_with_its_properties(bench: &Bench) {
    let plain = bench.get(&json!({}), "hello.txt").single();
    assert_eq!(plain.body, b"hello\nworld\n");
    assert_eq!(plain.properties.get("fileName"), Some("hello.txt"));
    assert!(plain.properties.get("remoteDirectory").is_some());
    assert_eq!(plain.properties.get("timestamp"), None);
    let full = bench.get(&json!({"includeAllMetadata": true}), "old.txt").single();
    assert_eq!(full.properties.get("timestamp"), Some("2001-02-03 04:05:06.000"));
}

fn reads_every_byte_of_a_large_file(bench: &Bench) {
    let read = bench.get(&json!({}), "one-mib.bin").single();
    assert!(Some(read.body) == bench.on_server("one-mib.bin"));
}

fn reads_an_empty_file(bench: &Bench) {
    assert_eq!(bench.get(&json!({}), "zero.bin").single().body, b"");
}

fn finds_a_missing_file_an_empty_success(bench: &Bench) {
    assert_eq!(bench.get(&json!({}), "missing.txt").success(), []);
    assert_eq!(bench.get(&json!({}), "no/such/directory/x").success(), []);
}

fn refuses_a_blank_id(bench: &Bench) {
    for id in ["", "  "] {
        assert_eq!(bench.get(&json!({}), id).refusal().kind(), ErrorKind::Document);
    }
}

fn reads_names_that_are_hard_to_write(bench: &Bench) {
    for name in [
        "sp ace/file name.txt",
        " lead.txt",
        "qu\"ote.txt",
        "[brk].txt",
        "star*.txt",
        "uni-é€/ü.txt",
    ] {
        let read = bench.get(&json!({}), name).single();
        assert_eq!(Some(read.body), bench.on_server(name), "{name}");
    }
}

fn deletes_after_reading(bench: &Bench) {
    bench.place("upload/take.txt", b"take me");
    let read = bench.get(&json!({"deleteAfterReading": true}), "upload/take.txt").single();
    assert_eq!(read.body, b"take me");
    assert!(bench.on_server("upload/take.txt").is_none());
    bench.place("upload/take.txt", b"take me");
    let options = json!({"deleteAfterReading": true, "failIfUnableToDelete": true});
    bench.get(&options, "upload/take.txt").single();
    assert!(bench.on_server("upload/take.txt").is_none());
}

fn keeps_the_file_when_the_host_did_not_take_it(bench: &Bench) {
    use host_sdk::conformance::{Callback, MemoryHost, Reaction};
    bench.place("upload/keep.txt", b"keep me");
    let failure = host_sdk::Error::new(ErrorKind::Host, "disk full");
    let host = MemoryHost::new().on(Callback::Finish, Reaction::Fail(failure));
    let input = host.add_request(&[("id", "upload/keep.txt")]);
    let operation = json!({"operation": "get", "options": {"deleteAfterReading": true}});
    bench.execute(&operation, &host).unwrap();
    assert_eq!(host.answer(input).unwrap().error().unwrap().kind(), ErrorKind::Host);
    assert_eq!(bench.on_server("upload/keep.txt").unwrap(), b"keep me");
}

fn converts_line_ends_of_text(bench: &Bench) {
    let options = json!({"transferFormat": "ascii"});
    bench.create(&options, "upload/text.txt", b"one\ntwo\n").single();
    assert_eq!(bench.get(&options, "upload/text.txt").single().body, b"one\ntwo\n");
}

fn compares_with_the_servers_checksum(bench: &Bench) {
    let read = bench.get(&json!({"checksum": "auto"}), "hello.txt").single();
    assert_eq!(read.body, b"hello\nworld\n");
    bench.place("upload/two words.txt", b"summed");
    for algorithm in ["sha256", "sha512", "sha1", "md5", "crc32"] {
        let answered = bench.get(&json!({"checksum": algorithm}), "upload/two words.txt");
        if quirks::computes_checksums(bench) {
            assert_eq!(answered.single().body, b"summed");
        } else {
            assert_eq!(answered.refusal().kind(), ErrorKind::Unsupported);
        }
    }
}
