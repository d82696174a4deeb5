//! Servers that do not tell where the login leads, or by a name that leads nowhere: names count from
//! there, and never from `/`.

use host_sdk::ErrorKind;
use serde_json::{Value, json};
use test_servers::{Flavour, Options, require};

use crate::support::Bench;

/// What a pyftpdlib server says and does so that its login leads to `/home`, and PWD answers
/// `answer`.
fn pyftpd(answer: &str) -> Options {
    let code = format!(
        "os.makedirs(os.path.join(a.root, 'home'), exist_ok=True)\n\
         os.chmod(os.path.join(a.root, 'home'), 0o777)\n\
         h.on_login = lambda self, user: self.fs.chdir(self.fs.ftp2fs('/home'))\n\
         h.ftp_PWD = lambda self, line: self.respond('{answer}')"
    );
    Options::new(Flavour::PyFtpd).configuration(code)
}

/// A server whose login leads to what is the directory `home` of the test, with files of the same
/// names in `/`.
/// The last one calls it by a name of its own, which it does not know itself.
fn servers() -> impl Iterator<Item = (Bench, &'static str, &'static str)> {
    let vsftpd =
        Options::new(Flavour::VsFtpd).configuration("cmds_denied=PWD\nchroot_local_user=NO");
    let all = [
        (vsftpd, "", "."),
        (pyftpd("550 Not for you."), "home/", "."),
        (pyftpd("257 /home/u is the current directory."), "home/", "."),
        (pyftpd("257 \"QGPL\" is the current library."), "home/", "QGPL"),
    ];
    all.into_iter().filter_map(|(options, home, login)| {
        let server = require(&options)?;
        Some((Bench::new(server, &json!({})), home, login))
    })
}

/// A trap: the same names where a client believes itself that takes `/` for the login.
fn set_traps(bench: &Bench, home: &str, names: &[&str]) {
    for name in names {
        bench.place(&format!("{home}{name}"), b"mine");
        if !home.is_empty() {
            bench.place(name, b"not mine");
        }
    }
}

fn assert_traps(bench: &Bench, home: &str, names: &[&str]) {
    for name in names.iter().filter(|_| !home.is_empty()) {
        assert_eq!(bench.on_server(name).as_deref(), Some(&b"not mine"[..]), "{name}");
    }
}

#[test]
fn files_are_read_and_deleted_where_the_login_leads() {
    for (bench, home, login) in servers() {
        let names = ["a.txt", "in/b.txt", "in/deep/c.txt", "out/d.txt"];
        set_traps(&bench, home, &names);
        for name in names {
            let read = bench.get(&json!({"deleteAfterReading": true}), name).single();
            assert_eq!(read.body, b"mine", "{name}");
            let (directory, bare) = name.rsplit_once('/').unwrap_or((".", name));
            let directory = match (login, directory) {
                (".", directory) => directory.to_owned(),
                (login, ".") => login.to_owned(),
                (login, directory) => format!("{login}/{directory}"),
            };
            assert_eq!(read.properties.get("remoteDirectory"), Some(directory.as_str()));
            assert_eq!(read.properties.get("fileName"), Some(bare));
            assert_eq!(bench.on_server(&format!("{home}{name}")), None, "{name}");
        }
        assert!(bench.get(&json!({}), "a.txt").success().is_empty(), "it is gone");
        assert_traps(&bench, home, &names);
        let error = bench.get(&json!({}), "../a.txt").refusal();
        assert_eq!(error.kind(), ErrorKind::Document, "{error:?}");
    }
}

#[test]
fn directories_are_walked_from_where_the_login_leads() {
    for (bench, home, _) in servers() {
        let names = ["in/a.txt", "in/one/b.txt", "in/two/c.txt", "in/two/three/d.txt"];
        set_traps(&bench, home, &names);
        let listed = bench.list(&json!({"recursive": -1}), &Value::Null, "in").json();
        let mut told: Vec<String> = listed
            .iter()
            .filter(|entry| entry["fileType"] == "regular_file")
            .map(|entry| format!("{}/{}", entry["remoteDirectory"], entry["fileName"]))
            .map(|path| path.replace('"', ""))
            .collect();
        told.sort();
        assert_eq!(told, names);
        // What an output tells is what an input takes.
        let moving = json!({"recursive": -1, "moveAfterReading": "done"});
        let read = bench.query(&moving, &Value::Null, "in").names();
        assert_eq!(read, ["a.txt", "b.txt", "c.txt", "d.txt"]);
        let moved = bench.files_below(&format!("{home}in"));
        let expected = ["done/a.txt", "one/done/b.txt", "two/done/c.txt", "two/three/done/d.txt"];
        assert_eq!(moved, expected);
        assert_traps(&bench, home, &names);
    }
}

#[test]
fn files_are_published_where_the_login_leads() {
    for (bench, home, _) in servers() {
        set_traps(&bench, home, &["x.txt", "out/x.txt"]);
        let elsewhere = bench.with(&json!({"remoteDirectory": "out/new"}));
        let unique = json!({"actionIfFileExists": "createUniqueName"});
        let creating = json!({"createDirectories": true, "stagingDirectory": "stage"});
        let absolute = bench.server.root().to_string_lossy().into_owned();
        for round in 0..2 {
            bench.create(&unique, "x.txt", b"sent").single();
            bench.create(&creating, &format!("y{round}.txt"), b"sent").single();
            elsewhere.create(&creating, &format!("z{round}.txt"), b"sent").single();
            // A name that counts from `/` in between: the login is found again after it.
            let other = if home.is_empty() { format!("{absolute}/in") } else { "/home/in".into() };
            let other = bench.with(&json!({"remoteDirectory": other}));
            other.create(&json!({"createDirectories": true}), "i.txt", b"sent").single();
        }
        let found = bench.files_below(home.trim_end_matches('/'));
        let expected = [
            "in/i.txt",
            "in/i1.txt",
            "out/new/z0.txt",
            "out/new/z1.txt",
            "out/x.txt",
            "x.txt",
            "x1.txt",
            "x2.txt",
            "y0.txt",
            "y1.txt",
        ];
        assert_eq!(found, expected);
        assert_eq!(bench.on_server(&format!("{home}x.txt")).as_deref(), Some(&b"mine"[..]));
        assert_traps(&bench, home, &["x.txt", "out/x.txt"]);
    }
}
