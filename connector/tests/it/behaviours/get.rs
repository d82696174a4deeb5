//! Get.

use host_sdk::ErrorKind;
use serde_json::{Value, json};

use super::{Behaviour, parity};
use crate::quirks;
use crate::support::{Bench, merged};
use crate::test_proxy::{Manner, Protocol, TestProxy};

pub(super) const CASES: &[Behaviour] = parity! {
    "Get", EveryRow => {
        "the file that the ID names is read whole": reads_every_byte_of_a_large_file,
        "an empty file is an empty document": reads_an_empty_file,
        "subdirectories of the ID count from the Remote Directory":
            counts_subdirectories_from_the_remote_directory,
        "a missing file is an empty success: no document, no error":
            finds_a_missing_file_an_empty_success,
        "a blank ID is an error": refuses_a_blank_id,
        "documents carry File Name and Remote Directory alone":
            carries_name_and_directory_alone,
        "documents carry Timestamp as well with Include all metadata":
            carries_the_timestamp_when_asked,
        "an interrupted download reconnects and goes on where it stopped, six times":
            goes_on_after_six_interruptions,
    }
    "Beyond", EveryRow => {
        "names that are hard to write are read": reads_names_that_are_hard_to_write,
        "a download is compared with the server's own checksum of it":
            compares_with_the_servers_checksum,
    }
};

/// The properties of the document that `old.txt` becomes.
fn properties(bench: &Bench, options: &Value) -> Vec<(String, String)> {
    let read = bench.get(options, "old.txt").single();
    read.properties.iter().map(|(id, value)| (id.to_owned(), value.to_owned())).collect()
}

fn pair(id: &str, value: &str) -> (String, String) {
    (id.to_owned(), value.to_owned())
}

fn carries_name_and_directory_alone(bench: &Bench) {
    let expected = [pair("fileName", "old.txt"), pair("remoteDirectory", "/")];
    assert_eq!(properties(bench, &json!({})), expected);
    assert_eq!(properties(bench, &json!({"includeAllMetadata": false})), expected);
}

fn carries_the_timestamp_when_asked(bench: &Bench) {
    let expected = [
        pair("fileName", "old.txt"),
        pair("remoteDirectory", "/"),
        pair("timestamp", "2001-02-03 04:05:06.000"),
        pair("timestampPrecision", "second"),
        pair("timestampUtc", "2001-02-03T04:05:06Z"),
    ];
    assert_eq!(properties(bench, &json!({"includeAllMetadata": true})), expected);
}

fn counts_subdirectories_from_the_remote_directory(bench: &Bench) {
    bench.place("upload/aaa/bbb/ccc/ddd/x.txt", b"deep");
    let based = bench.with(&json!({"remoteDirectory": "/upload/aaa/bbb"}));
    let read = based.get(&json!({}), "ccc/ddd/x.txt").single();
    assert_eq!(read.body, b"deep");
    assert_eq!(read.properties.get("remoteDirectory"), Some("/upload/aaa/bbb/ccc/ddd"));
    assert_eq!(read.properties.get("fileName"), Some("x.txt"));
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

fn goes_on_after_six_interruptions(bench: &Bench) {
    const MB: u64 = 1_000_000;
    let body: Vec<u8> =
        (0..8_000_000_u32).map(|n| (n.wrapping_mul(3_266_489_917) >> 24) as u8).collect();
    bench.place("upload/cut.bin", &body);
    let proxy = TestProxy::start(Protocol::Socks5, Manner::Cutting { times: 6, bytes: MB });
    let retry = json!({"retry": {"attempts": 7, "delay": 1}});
    let through = bench.with(&merged(&proxy.settings(false), &retry));
    assert!(through.get(&json!({}), "upload/cut.bin").single().body == body);
    bench.clear("upload/cut.bin");
    assert_eq!(proxy.cuts(), 6);
    // Begun anew six times, it would have been 14 MB.
    assert!(proxy.carried() < 10 * MB, "{}", proxy.carried());
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
