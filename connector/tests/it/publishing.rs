//! Create on servers that refuse what others permit.

use host_sdk::testing::MemoryHost;
use serde_json::json;
use test_servers::{Flavour, Options, fixture, require};

use crate::logs;
use crate::support::{Bench, with_id, with_properties};

/// ProFTPD as it is packaged replaces nothing: neither STOR nor RNTO onto a file.
#[test]
fn a_server_that_replaces_nothing_is_overwritten_by_renaming_aside() {
    let Some(server) = require(&Options::new(Flavour::ProFtpd).packaged()) else { return };
    fixture(&server.root()).unwrap();
    let bench = Bench::new(server, &json!({}));
    let options = json!({"actionIfFileExists": "overwrite"});
    bench.create(&options, "upload/x.txt", b"first").single();
    bench.create(&options, "upload/x.txt", b"second").single();
    assert_eq!(bench.on_server("upload/x.txt").unwrap(), b"second");
    let left = std::fs::read_dir(bench.server.root().join("upload")).unwrap().count();
    assert_eq!(left, 1, "the replaced file and the temporary one are gone");
}

/// What stands in the way of a file's name is a directory: it stays where it is.
#[test]
fn a_directory_is_not_overwritten() {
    let Some(server) = require(&Options::new(Flavour::VsFtpd)) else { return };
    let bench = Bench::new(server, &json!({}));
    bench.place("upload/sub/inside.txt", b"kept");
    let options = json!({"actionIfFileExists": "overwrite"});
    bench.create(&options, "upload/sub", b"new").refusal();
    assert_eq!(bench.on_server("upload/sub/inside.txt").unwrap(), b"kept");
    assert_eq!(std::fs::read_dir(bench.server.root().join("upload")).unwrap().count(), 1);
}

/// Two writers whose searches for a free name meet: the one wants output1.txt for its own sake.
#[test]
fn a_numbered_name_is_claimed_as_well() {
    let Some(server) = require(&Options::new(Flavour::VsFtpd)) else { return };
    let bench = Bench::new(server, &json!({}));
    bench.place("upload/o.txt", b"taken");
    std::thread::scope(|scope| {
        for rival in 0..4 {
            let name = if rival % 2 == 0 { "upload/o.txt" } else { "upload/o1.txt" };
            let bench = &bench;
            scope.spawn(move || {
                for number in 0..10 {
                    let body = format!("{rival}-{number}");
                    bench.create(&json!({}), name, body.as_bytes()).single();
                }
            });
        }
    });
    let mut bodies: Vec<String> = std::fs::read_dir(bench.server.root().join("upload"))
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies.len(), 41);
}

/// A directory of its own for uploads may not let them be renamed out of it.
#[test]
fn a_refused_rename_leaves_the_old_file_and_no_new_one() {
    let Some(server) = require(&Options::new(Flavour::VsFtpd)) else { return };
    fixture(&server.root()).unwrap();
    let bench = Bench::new(server, &json!({}));
    let options = json!({"actionIfFileExists": "overwrite", "stagingDirectory": "upload"});
    let error = bench.create(&options, "readonly/inside.txt", b"new").refusal();
    assert_eq!(error.kind(), host_sdk::ErrorKind::Permission);
    assert_eq!(bench.on_server("readonly/inside.txt").unwrap(), b"readable");
    assert_eq!(std::fs::read_dir(bench.server.root().join("upload")).unwrap().count(), 0);
}

/// Equal names from several directories, moved to one by several threads: none replaces another.
#[test]
fn equal_names_that_are_moved_together_are_all_kept() {
    let Some(server) = require(&Options::new(Flavour::VsFtpd)) else { return };
    let bench = Bench::new(server, &json!({}));
    for folder in 0..4 {
        for name in 0..10 {
            bench.place(&format!("in/{folder}/{name}.txt"), format!("{folder} {name}").as_bytes());
        }
    }
    let options = json!({"recursive": 1, "parallelTransfers": 4, "moveAfterReading": "/done",
               "failIfUnableToDelete": true});
    bench.place("done/keep", b"");
    assert_eq!(bench.query(&options, &json!(null), "in").success().len(), 40);
    let mut bodies: Vec<String> = std::fs::read_dir(bench.server.root().join("done"))
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .filter(|body| !body.is_empty())
        .collect();
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies.len(), 40);
    assert_eq!(bench.query(&options, &json!(null), "in").success(), []);
}

/// What was moved below the directory that is read is not read again.
#[test]
fn moved_files_stay_where_they_were_moved_to() {
    let Some(server) = require(&Options::new(Flavour::VsFtpd)) else { return };
    let bench = Bench::new(server, &json!({}));
    bench.place("in/a.txt", b"a");
    for (destination, lands) in
        [("done", "in/done/a.txt"), ("x/done", "in/x/done/a.txt"), ("/in/far", "in/far/a.txt")]
    {
        let options = json!({"recursive": -1, "moveAfterReading": destination});
        assert_eq!(bench.query(&options, &json!(null), "in").success().len(), 1, "{destination}");
        assert_eq!(bench.query(&options, &json!(null), "in").success(), [], "{destination}");
        assert_eq!(bench.on_server(lands).unwrap(), b"a");
        std::fs::remove_file(bench.server.root().join(lands)).unwrap();
        bench.place("in/a.txt", b"a");
    }
}

/// A link to a directory above is followed once, not round and round.
#[test]
fn a_loop_of_links_ends() {
    let Some(server) = require(&Options::new(Flavour::VsFtpd)) else { return };
    let bench = Bench::new(server, &json!({}));
    bench.place("in/a.txt", b"a");
    bench.place("in/below/b.txt", b"b");
    for (target, link) in [(".", "in/loop"), ("..", "in/below/up")] {
        std::os::unix::fs::symlink(target, bench.server.root().join(link)).unwrap();
    }
    let options = json!({"recursive": -1, "followSymbolicLinks": true});
    assert_eq!(bench.query(&options, &json!(null), "in").names(), ["a.txt", "b.txt"]);
}

/// One session must do where no more are allowed, however many transfers are asked for.
#[test]
fn parallel_transfers_make_do_with_the_sessions_there_are() {
    let Some(server) = require(&Options::new(Flavour::VsFtpd)) else { return };
    fixture(&server.root()).unwrap();
    let bench = Bench::new(server, &json!({"maximumConnections": 1}));
    let options = json!({"parallelTransfers": 8});
    assert_eq!(bench.query(&options, &json!(null), "many").success().len(), 25);
}

/// A lock of an upload that died is removed, and clients that find it in the same moment do not
/// remove each other's. vsftpd does not list it, so nothing but a challenge shows its age.
#[test]
fn a_lock_that_was_left_behind_is_removed() {
    let long_ago = Some(std::time::Duration::from_secs(3600));
    for (flavour, age) in [(Flavour::ProFtpd, long_ago), (Flavour::VsFtpd, None)] {
        let Some(server) = require(&Options::new(flavour)) else { return };
        let bench = Bench::new(server, &json!({}));
        bench.place("upload/.x.txt.lock/inside", b"");
        let lock = bench.server.root().join("upload/.x.txt.lock");
        std::fs::remove_file(lock.join("inside")).unwrap();
        if let Some(age) = age {
            let directory = std::fs::File::open(&lock).unwrap();
            directory.set_modified(std::time::SystemTime::now() - age).unwrap();
        }
        std::thread::scope(|scope| {
            for body in [b"1", b"2"] {
                let bench = &bench;
                scope.spawn(move || bench.create(&json!({}), "upload/x.txt", body).single());
            }
        });
        let mut bodies =
            ["upload/x.txt", "upload/x1.txt"].map(|name| bench.on_server(name).unwrap());
        bodies.sort();
        assert_eq!(bodies, [b"1", b"2"]);
        let left = std::fs::read_dir(bench.server.root().join("upload")).unwrap().count();
        assert_eq!(left, 2, "a lock is left");
    }
}

/// Two documents of one execution with one name: the later one replaces the earlier one, and the log
/// says so.
#[test]
fn an_execution_that_overwrites_its_own_document_warns() {
    let Some(server) = require(&Options::new(Flavour::VsFtpd)) else { return };
    let bench = Bench::new(server, &json!({}));
    let host = MemoryHost::new();
    for name in ["upload/x.txt", "upload/y.txt", "upload/x.txt"] {
        host.add_input(with_properties(&[("fileName", name)]), name.as_bytes());
    }
    let operation = json!({"operation": "create", "options": {"actionIfFileExists": "overwrite"}});
    let (executed, records) = logs::heard(|| bench.execute(&operation, &host));
    executed.unwrap();
    let warnings: Vec<&str> = records
        .iter()
        .filter(|record| record.level == log::Level::Warn)
        .map(|record| record.message.as_str())
        .collect();
    let [warning] = warnings[..] else { panic!("one warning was expected: {warnings:?}") };
    assert!(warning.starts_with("/upload/x.txt is written a second time"), "{warning}");
}

/// Many documents at a time: each is answered once, with its own file, also where the server is
/// left with one session.
#[test]
fn many_documents_are_written_read_and_deleted_at_once() {
    for sessions in [4, 1] {
        let Some(server) = require(&Options::new(Flavour::VsFtpd)) else { return };
        let bench = Bench::new(server, &json!({"maximumConnections": sessions}));
        bench.place("upload/keep.txt", b"");
        let options = json!({"parallelTransfers": 4});
        let names: Vec<String> = (0..40).map(|number| format!("/upload/{number}.txt")).collect();
        let body = |number: usize| vec![b'x'; if number == 7 { 3_000_000 } else { number }];
        let host = MemoryHost::new();
        for (number, name) in names.iter().enumerate() {
            host.add_input(with_properties(&[("fileName", name)]), body(number));
        }
        bench.execute(&json!({"operation": "create", "options": options}), &host).unwrap();
        assert_eq!(host.results().len(), names.len());
        for (number, name) in names.iter().enumerate() {
            assert!(bench.on_server(&name[1..]) == Some(body(number)), "{name}");
        }
        let host = MemoryHost::new();
        let inputs: Vec<u64> =
            names.iter().map(|name| host.add_input(with_id(name), Vec::new())).collect();
        bench.execute(&json!({"operation": "get", "options": options}), &host).unwrap();
        let results = host.results();
        for (number, input) in inputs.into_iter().enumerate() {
            let of_input: Vec<_> = results.iter().filter(|one| one.input == input).collect();
            assert!(matches!(of_input[..], [one] if one.body == body(number)), "{number}");
        }
        let host = MemoryHost::new();
        for name in &names {
            host.add_input(with_id(name), Vec::new());
        }
        bench.execute(&json!({"operation": "delete", "options": options}), &host).unwrap();
        assert_eq!(bench.files_below("upload"), ["keep.txt"]);
    }
}
