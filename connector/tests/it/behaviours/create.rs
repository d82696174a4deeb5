//! Create.

use host_sdk::ErrorKind;
use host_sdk::testing::MemoryHost;
use serde_json::{Value, json};

use super::{Behaviour, parity};
use crate::quirks;
use crate::support::{Bench, with_properties};

pub(super) const CASES: &[Behaviour] = parity! {
    "Create", EveryRow => {
        "every input document becomes one file": writes_one_file_for_each_document,
        "a File Name that is blank is an error, and the next document goes on":
            refuses_a_blank_name_and_goes_on,
        "a File Name that is invalid is an error": refuses_invalid_names,
        "a relative File Name is appended to the Remote Directory":
            appends_relative_names_to_the_directory,
        "an absolute File Name replaces the Remote Directory": takes_absolute_names_as_they_are,
        "missing directories are made, unless that is switched off": makes_missing_directories,
        "output.txt becomes output1.txt, then output2.txt, until a name is free":
            finds_a_unique_name,
        "Overwrite replaces the file": overwrites,
        "Append adds the document at the file's end": appends,
        "Generate Error refuses the document and keeps the file": refuses_what_exists,
        "the output is one JSON document of File Name and Remote Directory, nothing else":
            tells_name_and_directory_alone,
        "the output has a timestamp with Include all metadata": tells_the_time_when_asked,
        "the output names the file as really created, and its absolute directory":
            writes_the_document_and_tells_where,
        "a large document arrives byte for byte": keeps_every_byte_of_a_large_document,
        "an empty document becomes an empty file": writes_an_empty_document,
        "text comes back as it was sent": converts_line_ends_of_text,
    }
    "Beyond", EveryRow => {
        "no temporary file is left behind": leaves_no_temporary_files,
        "two writers of one name get two files": finds_different_names_for_rivals,
        "a document keeps its time where the server can set times":
            keeps_the_time_where_the_server_can,
        "an upload is compared with the server's own checksum of it":
            compares_uploads_with_the_servers_checksum,
        "sizes are not compared when that is switched off": verifies_nothing_when_told_so,
    }
};

fn writes_the_document_and_tells_where(bench: &Bench) {
    for name in ["made.txt", "made1.txt"] {
        let documents = bench.create(&json!({}), "upload/made/made.txt", b"made").json();
        assert_eq!(documents.len(), 1);
        assert_eq!(documents[0]["fileName"], name);
        assert_eq!(documents[0]["remoteDirectory"], "/upload/made");
        assert_eq!(bench.on_server(&format!("upload/made/{name}")).unwrap(), b"made");
    }
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
    let options = json!({"actionIfFileExists": "append"});
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

fn refuses_a_blank_name_and_goes_on(bench: &Bench) {
    let host = MemoryHost::new();
    let blank = host.add_document([("fileName", " ")].into_iter().collect(), "x");
    let good = host.add_document([("fileName", "upload/good.txt")].into_iter().collect(), "y");
    bench.execute(&json!({"operation": "create"}), &host).unwrap();
    assert_eq!(host.answer(blank).unwrap().error().unwrap().kind(), ErrorKind::Document);
    assert!(host.answer(good).unwrap().error().is_none());
    assert_eq!(bench.on_server("upload/good.txt").unwrap(), b"y");
}

fn refuses_invalid_names(bench: &Bench) {
    let directories = ["upload/dir/", "/", ".", "..", "upload/."];
    let injections = ["upload/a\r\nDELE hello.txt", "upload/a\nb", "upload/a\0b"];
    for name in directories.into_iter().chain(injections) {
        let error = bench.create(&json!({}), name, b"x").refusal();
        assert_eq!(error.kind(), ErrorKind::Document, "{name:?}");
    }
    assert!(bench.on_server("hello.txt").is_some());
}

fn writes_one_file_for_each_document(bench: &Bench) {
    let host = MemoryHost::new();
    let names = ["one.txt", "two.txt", "three.txt"];
    for name in names {
        let path = format!("upload/each/{name}");
        host.add_document([("fileName", path.as_str())].into_iter().collect(), name);
    }
    bench.execute(&json!({"operation": "create"}), &host).unwrap();
    let inputs: Vec<u64> = host.results().iter().map(|result| result.input).collect();
    assert_eq!(inputs, [1, 2, 3]);
    for name in names {
        assert_eq!(bench.on_server(&format!("upload/each/{name}")).unwrap(), name.as_bytes());
    }
    assert_eq!(bench.files_below("upload/each").len(), names.len());
}

fn appends_relative_names_to_the_directory(bench: &Bench) {
    let based = bench.with(&json!({"remoteDirectory": "upload/based"}));
    let created = based.create(&json!({}), "in/side/r.txt", b"relative").json();
    assert_eq!(created[0]["remoteDirectory"], "/upload/based/in/side");
    assert_eq!(created[0]["fileName"], "r.txt");
    assert_eq!(bench.on_server("upload/based/in/side/r.txt").unwrap(), b"relative");
}

fn takes_absolute_names_as_they_are(bench: &Bench) {
    let based = bench.with(&json!({"remoteDirectory": "upload/elsewhere"}));
    let created = based.create(&json!({}), "/upload/absolute/a.txt", b"absolute").json();
    assert_eq!(created[0]["remoteDirectory"], "/upload/absolute");
    assert_eq!(bench.on_server("upload/absolute/a.txt").unwrap(), b"absolute");
    assert!(!bench.server.root().join("upload/elsewhere").exists());
}

/// The keys of the one document that tells about `upload/keys.txt`, sorted.
fn keys(bench: &Bench, options: &Value) -> Vec<String> {
    let documents = bench.create(options, "upload/keys.txt", b"k").json();
    assert_eq!(documents.len(), 1);
    documents[0].as_object().unwrap().keys().cloned().collect()
}

fn tells_name_and_directory_alone(bench: &Bench) {
    assert_eq!(keys(bench, &json!({})), ["fileName", "remoteDirectory"]);
    let options = json!({"includeAllMetadata": false});
    assert_eq!(keys(bench, &options), ["fileName", "remoteDirectory"]);
}

fn tells_the_time_when_asked(bench: &Bench) {
    let options = json!({"includeAllMetadata": true});
    let expected =
        ["fileName", "remoteDirectory", "timestamp", "timestampPrecision", "timestampUtc"];
    assert_eq!(keys(bench, &options), expected);
}

fn converts_line_ends_of_text(bench: &Bench) {
    let options = json!({"transferFormat": "ascii"});
    bench.create(&options, "upload/text.txt", b"one\ntwo\n").single();
    assert_eq!(bench.get(&options, "upload/text.txt").single().body, b"one\ntwo\n");
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
