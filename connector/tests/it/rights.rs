//! Servers that give their user few rights: what may not be looked at is neither missing nor free.

use host_sdk::{ErrorKind, Outcome};
use serde_json::json;
use test_servers::{Flavour, Options, require};

use crate::support::Bench;

/// A pyftpdlib server whose user has the rights `all` (its letters), and `here` below `/box`.
fn pyftpd(all: &str, here: &str) -> Option<Bench> {
    let rights = format!(
        "h.authorizer.user_table[a.user]['perm'] = '{all}'\n\
         os.makedirs(os.path.join(a.root, 'box'), exist_ok=True)\nos.chmod(os.path.join(a.root, 'box'), 0o777)\n\
         h.authorizer.override_perm(a.user, os.path.join(a.root, 'box'), '{here}', recursive=True)"
    );
    let server = require(&Options::new(Flavour::PyFtpd).configuration(rights))?;
    server.place("box/order.xml", b"theirs").unwrap();
    server.place("inbox/order.xml", b"new").unwrap();
    Some(Bench::new(server, &json!({})))
}

fn names(bench: &Bench) -> Vec<String> {
    bench.files_below("box")
}

/// A drop box: storing, renaming and entering are allowed, looking is not.
#[test]
fn a_drop_box_keeps_what_it_has() {
    for rights in ["ewmf", "ewmfd"] {
        let Some(bench) = pyftpd("elradfmwMT", rights) else { return };
        let unique = json!({"actionIfFileExists": "createUniqueName"});
        bench.create(&unique, "box/order.xml", b"ours").single();
        assert_eq!(bench.on_server("box/order.xml").unwrap(), b"theirs", "{rights}");
        assert_eq!(bench.on_server("box/order1.xml").unwrap(), b"ours", "{rights}");
        let refusing = json!({"actionIfFileExists": "generateError"});
        let error = bench.create(&refusing, "box/order.xml", b"ours").refusal();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error:?}");
        bench.create(&refusing, "box/other.xml", b"ours").single();
        let moving = json!({"moveAfterReading": "/box"});
        assert_eq!(bench.get(&moving, "inbox/order.xml").single().body, b"new");
        assert_eq!(bench.on_server("box/order.xml").unwrap(), b"theirs", "{rights}");
        assert_eq!(bench.on_server("box/order2.xml").unwrap(), b"new", "{rights}");
        assert_eq!(bench.on_server("inbox/order.xml"), None);
        let complete = names(&bench).into_iter().filter(|name| !name.contains(".part"));
        assert_eq!(
            complete.collect::<Vec<_>>(),
            ["order.xml", "order1.xml", "order2.xml", "other.xml"],
            "{rights}"
        );
    }
}

/// Only entering and reading are allowed: RETR decides, whatever else is refused.
#[test]
fn a_file_that_may_only_be_read_is_read() {
    let Some(bench) = pyftpd("er", "er") else { return };
    assert_eq!(bench.get(&json!({}), "box/order.xml").single().body, b"theirs");
    assert!(bench.get(&json!({}), "box/missing.xml").success().is_empty());
}

/// The same with vsftpd, whose refusals say nothing about what is there.
#[test]
fn a_file_that_may_not_be_looked_at_is_read() {
    let options = Options::new(Flavour::VsFtpd).configuration("cmds_denied=SIZE,MLST,LIST,CWD");
    let Some(server) = require(&options) else { return };
    server.place("box/order.xml", b"theirs").unwrap();
    let bench = Bench::new(server, &json!({}));
    assert_eq!(bench.get(&json!({}), "box/order.xml").single().body, b"theirs");
    // Nothing proves that this one is missing.
    let error = bench.get(&json!({}), "box/missing.xml").refusal();
    assert_eq!(error.kind(), ErrorKind::Permission, "{error:?}");
}

#[test]
fn deleting_without_the_right_to_is_not_a_missing_file() {
    for rights in ["elrw", "er"] {
        let Some(bench) = pyftpd(rights, rights) else { return };
        let error = bench.delete("box/order.xml").refusal();
        assert_eq!(error.kind(), ErrorKind::Permission, "{rights} {error:?}");
        assert!(bench.on_server("box/order.xml").is_some());
    }
    let options = Options::new(Flavour::VsFtpd).configuration("cmds_denied=DELE,LIST,SIZE");
    let Some(server) = require(&options) else { return };
    server.place("order.xml", b"theirs").unwrap();
    let bench = Bench::new(server, &json!({}));
    for name in ["order.xml", "missing.xml"] {
        let answered = bench.delete(name);
        assert!(
            matches!(&answered.outcome, Outcome::ApplicationError(e) if e.kind() == ErrorKind::Permission),
            "{answered:?}"
        );
    }
}

/// 300 files of the wanted name: the next free one is found by one listing.
#[test]
fn the_next_free_number_costs_one_listing() {
    let options = Options::new(Flavour::VsFtpd);
    let Some(server) = require(&options) else { return };
    server.place("box/a.txt", b"old").unwrap();
    for number in 1..300 {
        server.place(format!("box/a{number}.txt"), b"old").unwrap();
    }
    let bench = Bench::new(server, &json!({}));
    let created = bench.create(&json!({}), "box/a.txt", b"new").json();
    assert_eq!(created[0]["fileName"], "a300.txt");
    assert_eq!(bench.on_server("box/a300.txt").unwrap(), b"new");
}

/// Directories may be made and not removed: locks are given up after the first one, and what that
/// left behind is in nobody's way, also not in another process.
#[test]
fn locks_that_cannot_be_removed_are_not_waited_for() {
    for rights in ["elrawmf", "elradfw"] {
        let Some(bench) = pyftpd(rights, rights) else { return };
        let unique = json!({"actionIfFileExists": "createUniqueName"});
        for number in 1..4 {
            // Each connection is one that knows nothing yet.
            let day = bench.with(&json!({}));
            for number in [2 * number - 1, 2 * number] {
                let created = day.create(&unique, "box/order.xml", b"ours").json();
                assert_eq!(created[0]["fileName"], format!("order{number}.xml"), "{rights}");
            }
        }
        assert_eq!(bench.on_server("box/order.xml").unwrap(), b"theirs");
    }
}
