//! Whole processes between real FTP servers, folders and databases, through the loaded plugin.

use std::net::TcpListener;

use rusqlite::Connection;
use serde_json::{Value, json};
use test_servers::{Flavour, Options, Server, fixture, require};

use crate::support::{Answer, Place, connection, ftp_connector};

/// A server with the standard tree.
pub(crate) fn server(options: &Options) -> Option<Server> {
    let server = require(options)?;
    fixture(&server.root()).unwrap();
    Some(server)
}

pub(crate) fn run(place: &Place, process: &Value) -> Answer {
    place.write("process.json", process.to_string());
    let arguments = ["run", "process.json", "--output", "json"];
    let mut command = place.program_with(ftp_connector(), &arguments);
    Answer::of(command.env("FTP_PASSWORD", "s3cret pass"))
}

#[test]
fn files_land_in_a_database_once_and_leave_the_server() {
    let Some(server) = server(&Options::new(Flavour::VsFtpd).explicit()) else { return };
    let place = Place::new();
    let process = json!({
        "process": "invoices",
        "connections": {"partner": connection(&server, &json!({"remoteDirectory": "many"}))},
        "steps": [
            {"name": "fetch", "type": "connector", "connection": "partner", "operation": "query",
             "options": {"deleteAfterReading": true},
             "filter": {"property": "fileName", "operator": "wildcard", "value": "f*.dat"}},
            {"name": "store", "type": "database", "url": "sqlite:rows.db", "table": "files"},
        ],
    });
    let answer = run(&place, &process);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(answer.counts(), [25, 0, 0, 0]);
    assert_eq!(std::fs::read_dir(server.root().join("many")).unwrap().count(), 0);
    let database = Connection::open(place.path("rows.db")).unwrap();
    let row = |name: &str| {
        let query = "SELECT content, remote_directory FROM files WHERE file_name = ?1";
        database
            .query_row(query, [name], |row| {
                Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, String>(1)?))
            })
            .unwrap()
    };
    assert_eq!(row("f07.dat"), (b"07".to_vec(), "/many".to_owned()));
    let rows: i64 = database.query_row("SELECT count(*) FROM files", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 25);
    let again = run(&place, &process);
    assert_eq!((again.code, again.counts()), (0, [0, 1, 0, 0]), "{again:?}");
}

#[test]
fn the_events_of_a_step_tell_of_what_went_in_or_of_what_came_out() {
    let Some(server) = server(&Options::new(Flavour::VsFtpd)) else { return };
    let place = Place::new();
    let tracked = |direction: Option<&str>| {
        let mut fetch = json!({"name": "fetch", "type": "connector", "connection": "partner",
                               "operation": "get", "parameters": {"id": "{wanted}"}});
        if let Some(direction) = direction {
            fetch["trackingDirection"] = json!(direction);
        }
        let ask = json!({"name": "ask", "type": "message",
                         "documents": [{"content": "", "properties": {"wanted": "hello.txt"}}]});
        let process = json!({
            "process": "tracked",
            "connections": {"partner": connection(&server, &json!({}))},
            "steps": [ask, fetch],
        });
        run(&place, &process)
    };
    let came_out = json!({"fileName": "hello.txt", "remoteDirectory": "/", "wanted": "hello.txt"});
    let went_in = json!({"wanted": "hello.txt"});
    let cases = [(None, &came_out), (Some("output"), &came_out), (Some("input"), &went_in)];
    for (direction, properties) in cases {
        let answer = tracked(direction);
        assert_eq!(answer.code, 0, "{answer:?}");
        assert_eq!(answer.of_step("fetch")[0]["properties"], *properties, "{direction:?}");
    }
    assert_eq!(tracked(Some("inwards")).code, 2);
}

#[test]
fn a_folder_is_backed_up() {
    let Some(server) = server(&Options::new(Flavour::VsFtpd)) else { return };
    let place = Place::new();
    place.write("documents/a.txt", "first");
    place.write("documents/b c.txt", "second");
    place.write("documents/sub/.hidden/a.txt", "third");
    let large: Vec<u8> = (0..3_000_000_u32).map(|n| (n >> 7) as u8).collect();
    place.write("documents/large.bin", &large);
    let process = json!({
        "process": "backup",
        "connections": {"vault": connection(&server, &json!({"remoteDirectory": "upload"}))},
        "steps": [
            {"name": "collect", "type": "readFiles", "directory": "documents",
             "recursive": true, "includeHidden": true},
            {"name": "name", "type": "setProperties",
             "properties": {"fileName": "2026/{directory}/{fileName}"}},
            {"name": "upload", "type": "connector", "connection": "vault", "operation": "create",
             "options": {"actionIfFileExists": "overwrite", "temporaryExtension": ".part"}},
        ],
    });
    let answer = run(&place, &process);
    assert_eq!((answer.code, answer.counts()), (0, [4, 0, 0, 0]), "{answer:?}");
    let stored = |name: &str| std::fs::read(server.root().join("upload/2026").join(name)).unwrap();
    assert_eq!(stored("a.txt"), b"first");
    assert_eq!(stored("b c.txt"), b"second");
    assert_eq!(stored("sub/.hidden/a.txt"), b"third");
    assert!(stored("large.bin") == large);
    let created = answer.of_step("upload");
    assert!(created.iter().any(|event| event["json"]["fileName"] == "large.bin"), "{created:?}");
}

#[test]
fn an_image_goes_to_a_folder() {
    let Some(server) = server(&Options::new(Flavour::ProFtpd)) else { return };
    let place = Place::new();
    let process = json!({
        "process": "image",
        "connections": {"mirror": connection(&server, &json!({}))},
        "steps": [
            {"name": "download", "type": "connector", "connection": "mirror", "operation": "get",
             "parameters": {"id": "one-mib.bin"}},
            {"name": "keep", "type": "writeFiles", "directory": "images"},
        ],
    });
    let answer = run(&place, &process);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(place.names("images"), ["one-mib.bin"]);
    let served = std::fs::read(server.root().join("one-mib.bin")).unwrap();
    assert!(std::fs::read(place.path("images/one-mib.bin")).unwrap() == served);
}

#[test]
fn files_go_from_server_to_server() {
    let (Some(from), Some(to)) = (
        server(&Options::new(Flavour::VsFtpd).explicit()),
        server(&Options::new(Flavour::ProFtpd).explicit()),
    ) else {
        return;
    };
    let place = Place::new();
    let process = json!({
        "process": "relay",
        "connections": {
            "from": connection(&from, &json!({"remoteDirectory": "many"})),
            "to": connection(&to, &json!({})),
        },
        "steps": [
            {"name": "fetch", "type": "connector", "connection": "from", "operation": "query"},
            {"name": "rename", "type": "setProperties",
             "properties": {"remoteDirectory": "/upload/relay", "fileName": "copy-{fileName}"}},
            {"name": "send", "type": "connector", "connection": "to", "operation": "create"},
        ],
    });
    let answer = run(&place, &process);
    assert_eq!((answer.code, answer.counts()), (0, [25, 0, 0, 0]), "{answer:?}");
    let copy = std::fs::read(to.root().join("upload/relay/copy-f25.dat")).unwrap();
    assert_eq!(copy, b"25");
}

/// A process that gets `id` over `connection`.
fn get(connection: &Value, options: &Value) -> Value {
    json!({
        "process": "get",
        "connections": {"partner": connection},
        "steps": [{"name": "get", "type": "connector", "connection": "partner",
                   "operation": "query", "options": options}],
    })
}

#[test]
fn failures_have_the_exit_code_of_their_kind() {
    let Some(server) = server(&Options::new(Flavour::VsFtpd)) else { return };
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let quick = json!({"connectionTimeout": 300, "port": silent.local_addr().unwrap().port()});
    let cases = [
        (json!({"userName": "nobody"}), 3, "authentication"),
        (json!({"port": closed}), 3, "connection"),
        (json!({"host": "no-such-host.invalid"}), 3, "connection"),
        (json!({"sslMode": "explicit"}), 3, "tls"),
        (quick, 5, "timeout"),
        (json!({"remoteDirectory": "missing"}), 4, "notFound"),
    ];
    let place = Place::new();
    for (extra, code, kind) in cases {
        let answer = run(&place, &get(&connection(&server, &extra), &json!({})));
        assert_eq!(answer.code, code, "{extra}: {answer:?}");
        assert_eq!(answer.summary()["errors"][0]["error"]["kind"], kind, "{extra}: {answer:?}");
        assert!(!answer.stdout.contains("s3cret") && !answer.stderr.contains("s3cret"));
    }
}

#[test]
fn nothing_is_sent_for_a_process_that_is_wrong() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let partner = |extra: Value| {
        let mut settings = json!({"connector": "ftp", "host": "127.0.0.1", "port": port});
        settings.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        settings
    };
    let filter = json!({"property": "timestamp", "operator": "lessThan", "value": "yesterday"});
    let mut filtered = get(&partner(json!({})), &json!({}));
    filtered["steps"][0]["filter"] = filter;
    let cases = [
        (get(&partner(json!({"hots": "x"})), &json!({})), "$.connections.partner.hots"),
        (get(&partner(json!({"port": "21"})), &json!({})), "$.connections.partner.port"),
        (get(&partner(json!({"sslMode": "tls"})), &json!({})), "$.connections.partner.sslMode"),
        (get(&partner(json!({"host": null})), &json!({})), "$.connections.partner.host"),
        (get(&partner(json!({})), &json!({"maximumFiles": 0})), "$.steps[0].options.maximumFiles"),
        (filtered, "$.steps[0].filter.value"),
    ];
    let place = Place::new();
    for (process, path) in cases {
        let answer = run(&place, &process);
        assert_eq!(answer.code, 2, "{path}: {answer:?}");
        assert!(answer.stderr.contains(path), "{path}: {answer:?}");
        assert!(answer.stderr.contains("process.json"), "{path}: {answer:?}");
    }
    assert!(listener.accept().is_err(), "somebody connected");
}

#[test]
fn two_processes_never_take_the_same_unique_name() {
    let Some(server) = server(&Options::new(Flavour::VsFtpd)) else { return };
    let place = Place::new();
    let start = |rival: &str| {
        let documents: Vec<Value> =
            (0..100).map(|number| json!({"content": format!("{rival} {number}")})).collect();
        let process = json!({
            "process": rival,
            "connections": {"drop": connection(&server, &json!({"remoteDirectory": "upload"}))},
            "steps": [
                {"name": "make", "type": "message", "documents": documents},
                {"name": "name", "type": "setProperties", "properties": {"fileName": "same.txt"}},
                {"name": "send", "type": "connector", "connection": "drop", "operation": "create"},
            ],
        });
        let file = format!("{rival}.json");
        place.write(&file, process.to_string());
        let arguments = ["run", file.as_str(), "--output", "json"];
        let mut command = place.program_with(ftp_connector(), &arguments);
        command
            .env("FTP_PASSWORD", "s3cret pass")
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap()
    };
    let rivals = [start("one"), start("two")];
    for mut rival in rivals {
        assert!(rival.wait().unwrap().success());
    }
    let mut bodies: Vec<String> = std::fs::read_dir(server.root().join("upload"))
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    bodies.sort();
    bodies.dedup();
    assert_eq!(bodies.len(), 200);
}

/// Steps over one connection share its sessions: each gets one, and parallel transfers what is
/// left. Where there are too few, the error names the setting.
#[test]
fn steps_share_the_sessions_of_a_connection() {
    let Some(server) = server(&Options::new(Flavour::VsFtpd)) else { return };
    let place = Place::new();
    let process = |maximum: u32| {
        json!({
            "process": "copy",
            "connections": {"s": connection(&server, &json!({
                "remoteDirectory": "many", "maximumConnections": maximum,
                "connectionTimeout": 1500,
            }))},
            "steps": [
                {"name": "fetch", "type": "connector", "connection": "s", "operation": "query",
                 "options": {"parallelTransfers": 8}},
                {"name": "name", "type": "setProperties",
                 "properties": {"remoteDirectory": "/upload", "fileName": "{fileName}"}},
                {"name": "send", "type": "connector", "connection": "s", "operation": "create"},
            ],
        })
    };
    let answer = run(&place, &process(3));
    assert_eq!((answer.code, answer.counts()), (0, [25, 0, 0, 0]), "{answer:?}");
    let answer = run(&place, &process(1));
    assert_ne!(answer.code, 0);
    assert!(answer.stdout.contains("raise maximumConnections"), "{answer:?}");
}
