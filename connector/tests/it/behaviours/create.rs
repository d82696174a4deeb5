//! Create.

use host_sdk::ErrorKind;
use serde_json::json;

use super::{Behaviour, behaviours};
use crate::quirks;
use crate::support::{Bench, with_properties};

pub(super) const BEHAVIOURS: &[Behaviour] = behaviours![
    writes_the_document_and_tells_where,
    keeps_every_byte_of_a_large_document,
    writes_an_empty_document,
    finds_a_unique_name,
    overwrites,
    appends,
    refuses_what_exists,
    makes_missing_directories,
    goes_through_a_staging_directory,
    refuses_a_blank_name_and_goes_on,
    refuses_line_ends_in_names,
    leaves_no_temporary_files,
    finds_different_names_for_rivals,
    keeps_the_time_where_the_server_can,
    compares_uploads_with_the_servers_checksum,
    verifies_nothing_when_told_so,
];

fn writes_the_document_and_tells_where(bench: &Bench) {
    let created = bench.create(&json!({"includeAllMetadata": true}), "upload/made.txt", b"made");
    let documents = created.json();
    assert_eq!(documents.len(), 1);
    assert_eq!(documents[0]["fileName"], "made.txt");
    assert!(documents[0]["remoteDirectory"].as_str().unwrap().ends_with("/upload"));
    assert_eq!(bench.on_server("upload/made.txt").unwrap(), b"made");
}

fn keeps_every_byte_of_a_large_document(bench: &Bench) {
    let body: Vec<u8> =
        (0..5_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    bench.create(&json!({}), "upload/large.bin", &body).single();
    assert!(bench.on_server("upload/large.bin").unwrap() == body);
}

fn writes_an_empty_document(bench: &Bench) {
    bench.create(&json!({}), "upload/empty.txt", b"").single();
    assert_eq!(bench.on_server("upload/empty.txt").unwrap(), b"");
}

fn finds_a_unique_name(bench: &Bench) {
    let options = json!({"actionIfFileExists": "createUniqueName"});
    let name = |body: &[u8]| {
        let documents = bench.create(&options, "upload/unique.txt", body).json();
        documents[0]["fileName"].as_str().unwrap().to_owned()
    };
    assert_eq!(name(b"0"), "unique.txt");
    assert_eq!(name(b"1"), "unique1.txt");
    assert_eq!(name(b"2"), "unique2.txt");
    assert_eq!(bench.on_server("upload/unique.txt").unwrap(), b"0");
    assert_eq!(bench.on_server("upload/unique2.txt").unwrap(), b"2");
}

fn overwrites(bench: &Bench) {
    let options = json!({"actionIfFileExists": "overwrite"});
    bench.create(&options, "upload/over.txt", b"a long first version").single();
    bench.create(&options, "upload/over.txt", b"short").single();
    assert_eq!(bench.on_server("upload/over.txt").unwrap(), b"short");
}

fn appends(bench: &Bench) {
    let options = json!({"actionIfFileExists": "append", "temporaryExtension": "tmp"});
    bench.create(&options, "upload/log.txt", b"one\n").single();
    bench.create(&options, "upload/log.txt", b"two\n").single();
    assert_eq!(bench.on_server("upload/log.txt").unwrap(), b"one\ntwo\n");
}

fn refuses_what_exists(bench: &Bench) {
    let options = json!({"actionIfFileExists": "generateError"});
    bench.create(&options, "upload/once.txt", b"first").single();
    let error = bench.create(&options, "upload/once.txt", b"second").refusal();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(bench.on_server("upload/once.txt").unwrap(), b"first");
}

fn makes_missing_directories(bench: &Bench) {
    bench.create(&json!({}), "upload/a/b c/deep.txt", b"deep").single();
    assert_eq!(bench.on_server("upload/a/b c/deep.txt").unwrap(), b"deep");
    let options = json!({"createDirectories": false});
    bench.create(&options, "upload/none/deep.txt", b"deep").refusal();
    assert!(bench.on_server("upload/none/deep.txt").is_none());
}

fn goes_through_a_staging_directory(bench: &Bench) {
    let options = json!({"stagingDirectory": "upload/staging", "temporaryExtension": ".tmp"});
    bench.create(&options, "upload/staged/s.txt", b"staged").single();
    assert_eq!(bench.on_server("upload/staged/s.txt").unwrap(), b"staged");
    let left = std::fs::read_dir(bench.server.root().join("upload/staging")).unwrap().count();
    assert_eq!(left, 0);
}

fn refuses_a_blank_name_and_goes_on(bench: &Bench) {
    let host = host_sdk::conformance::MemoryHost::new();
    let blank = host.add_document([("fileName", " ")].into_iter().collect(), "x");
    let good = host.add_document([("fileName", "upload/good.txt")].into_iter().collect(), "y");
    bench.execute(&json!({"operation": "create"}), &host).unwrap();
    assert_eq!(host.answer(blank).unwrap().error().unwrap().kind(), ErrorKind::Document);
    assert!(host.answer(good).unwrap().error().is_none());
    assert_eq!(bench.on_server("upload/good.txt").unwrap(), b"y");
}

fn refuses_line_ends_in_names(bench: &Bench) {
    for name in ["upload/a\r\nDELE hello.txt", "upload/a\nb", "upload/a\0b"] {
        let error = bench.create(&json!({}), name, b"x").refusal();
        assert_eq!(error.kind(), ErrorKind::Document);
    }
    assert!(bench.on_server("hello.txt").is_some());
}

fn leaves_no_temporary_files(bench: &Bench) {
    bench.create(&json!({}), "upload/clean/one.txt", b"1").single();
    let names: Vec<_> = std::fs::read_dir(bench.server.root().join("upload/clean"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["one.txt"]);
}

fn finds_different_names_for_rivals(bench: &Bench) {
    std::thread::scope(|scope| {
        for rival in 0..2 {
            scope.spawn(move || {
                for number in 0..4 {
                    let body = format!("{rival}-{number}");
                    bench.create(&json!({}), "upload/rivals/r.txt", body.as_bytes()).single();
                }
            });
        }
    });
    let mut bodies: Vec<String> = std::fs::read_dir(bench.server.root().join("upload/rivals"))
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    bodies.sort();
    assert_eq!(bodies, ["0-0", "0-1", "0-2", "0-3", "1-0", "1-1", "1-2", "1-3"]);
}

fn keeps_the_time_where_the_server_can(bench: &Bench) {
    let header = with_properties(&[
        ("fileName", "upload/dated.txt"),
        ("timestamp", "2005-06-07 08:09:10.000"),
    ]);
    let options = json!({"preserveTimestamp": true, "includeAllMetadata": true});
    let operation = json!({"operation": "create", "options": options});
    let documents = bench.document(&operation, header, "x").json();
    let kept = documents[0]["timestamp"] == "2005-06-07 08:09:10.000";
    assert_eq!(kept, quirks::sets_times(bench), "{documents:?}");
}

fn compares_uploads_with_the_servers_checksum(bench: &Bench) {
    bench.create(&json!({"checksum": "auto"}), "upload/sums/a b.txt", b"summed").single();
    for (number, algorithm) in ["sha256", "sha512", "sha1", "md5", "crc32"].iter().enumerate() {
        let name = format!("upload/sums/{number} .txt");
        let answered = bench.create(&json!({"checksum": algorithm}), &name, b"summed");
        if quirks::computes_checksums(bench) {
            answered.single();
            assert_eq!(bench.on_server(&name).unwrap(), b"summed");
        } else {
            assert_eq!(answered.refusal().kind(), ErrorKind::Unsupported);
            assert!(bench.on_server(&name).is_none());
        }
    }
}

fn verifies_nothing_when_told_so(bench: &Bench) {
    bench.create(&json!({"verify": false}), "upload/unverified.txt", b"x").single();
    assert_eq!(bench.on_server("upload/unverified.txt").unwrap(), b"x");
}
