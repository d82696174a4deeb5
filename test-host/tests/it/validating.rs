//! What `validate` finds in a process file: everything, at once, where it is.

use serde_json::{Value, json};

use crate::support::{Answer, Place, echo, ftp_connector, message};

/// Everything that `validate` finds, as severity, path and message.
fn problems(place: &Place, process: &Value) -> Vec<(String, String, String)> {
    place.write("process.json", format!("{process:#}"));
    let arguments = ["validate", "process.json", "--output", "json"];
    let answer = Answer::of(&mut place.program_with(ftp_connector(), &arguments));
    let lines = answer.lines();
    let problems = lines[0]["problems"].as_array().unwrap();
    assert_eq!(lines[0]["valid"], answer.code == 0, "{answer:?}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    problems.iter().map(|p| (text(&p["severity"]), text(&p["path"]), text(&p["message"]))).collect()
}

/// Makes sure that `process` has exactly the problems `expected`: severity, path, part of the text.
fn has(process: &Value, expected: &[(&str, &str, &str)]) {
    let found = problems(&Place::new(), process);
    let matches = found.len() == expected.len()
        && found.iter().zip(expected).all(|((severity, path, message), (s, p, part))| {
            severity == s && path == p && message.contains(part)
        });
    assert!(matches, "expected {expected:#?}, found {found:#?}");
}

fn query(options: Value) -> Value {
    json!({"name": "fetch", "type": "connector", "connection": "partner", "operation": "query",
           "options": options})
}

fn ftp(settings: &Value, steps: &[Value]) -> Value {
    let mut connection = json!({"connector": "ftp", "host": "ftp.example.com"});
    connection.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    json!({"process": "p", "connections": {"partner": connection}, "steps": steps})
}

fn write(directory: &str) -> Value {
    json!({"name": "keep", "type": "writeFiles", "directory": directory})
}

#[test]
fn every_mistake_is_found_in_one_run() {
    let process = ftp(
        &json!({"prot": 21, "sslMode": "explicitt", "serverTimeZone": "Mars/Olympus",
                "activeAddress": "here", "proxy": {"port": 0}}),
        &[
            json!({"name": "fetch", "type": "connector", "connection": "partner",
                   "operation": "query", "options": {"maximumFile": 1, "deleteAfterReading": "yes"},
                   "filter": {"and": [{"property": "filename", "operator": "equals", "value": "a"},
                                      {"property": "fileName", "operator": "regex", "value": "("}]}}),
            json!({"name": "set", "type": "setProperties",
                   "properties": {"a": "{timestmp}", "b": "{nwo:yyyy}", "c": "{filename}"}}),
            json!({"name": "set", "type": "writeFile", "directory": "out"}),
            json!({"name": "rows", "type": "database", "url": "files.db", "tabel": "t"}),
        ],
    );
    has(
        &process,
        &[
            ("error", "$.connections.partner.activeAddress", "expected an IPv4"),
            ("error", "$.connections.partner.prot", "did you mean \"port\"?"),
            ("error", "$.connections.partner.proxy.host", "missing"),
            ("error", "$.connections.partner.proxy.port", "allowed is 1 to 65535"),
            ("error", "$.connections.partner.serverTimeZone", "Mars/Olympus"),
            ("error", "$.connections.partner.sslMode", "did you mean \"explicit\"?"),
            ("error", "$.steps[0].filter.and[0].property", "did you mean \"fileName\"?"),
            ("error", "$.steps[0].filter.and[1].value", "regex"),
            ("error", "$.steps[0].options.deleteAfterReading", "true or false"),
            ("error", "$.steps[0].options.maximumFile", "did you mean \"maximumFiles\"?"),
            ("error", "$.steps[1].properties.a", "did you mean \"timestamp\"?"),
            ("error", "$.steps[1].properties.b", "did you mean \"now\"?"),
            ("error", "$.steps[1].properties.c", "did you mean \"fileName\"?"),
            ("error", "$.steps[2].type", "did you mean \"writeFiles\"?"),
            ("error", "$.steps[3].table", "missing"),
            ("error", "$.steps[3].tabel", "did you mean \"table\"?"),
            ("error", "$.steps[3].url", "sqlite:"),
        ],
    );
}

#[test]
fn each_is_shown_in_its_line() {
    let place = Place::new();
    let text = "{\n  // what it is\n  \"process\": \"p\",\n  \"steps\": [\n    { \"name\": \"a\", \
                \"type\": \"message\", \"documents\": [{ \"content\": \"{fileNam\" }] },\n    \
                { \"name\": \"b\", \"tipe\": 1 },\n  ],\n}\n";
    place.write("process.json", text);
    let answer = place.answer(&["validate", "process.json"]);
    assert_eq!((answer.code, &*answer.stdout), (2, ""));
    let expected = "\
error: process.json:5:66: $.steps[0].documents[0].content: \"{\" without \"}\" after it; a brace is written \"{{\"
  |
5 |     { \"name\": \"a\", \"type\": \"message\", \"documents\": [{ \"content\": \"{fileNam\" }] },
  |                                                                  ^^^^^^^^^^
error: process.json:6:5: $.steps[1].type: required field \"type\" is missing; allowed is \"connector\", \
\"setProperties\", \"message\", \"readFiles\", \"writeFiles\" or \"database\"
  |
6 |     { \"name\": \"b\", \"tipe\": 1 },
  |     ^
process.json: 2 errors
";
    assert_eq!(answer.stderr, expected);
    // Running it says the same.
    assert_eq!(place.answer(&["run", "process.json"]).stderr, expected);
}

#[test]
fn editors_get_lines_and_columns() {
    let place = Place::new();
    place.write("process.json", "{\"process\": \"é\",\n \"stps\": []}");
    let answer = place.answer(&["validate", "--output", "json", "process.json"]);
    let problem = answer.lines()[0]["problems"]
        .as_array()
        .unwrap()
        .iter()
        .find(|problem| problem["path"] == "$.stps")
        .cloned()
        .unwrap();
    let place = ["line", "column", "endLine", "endColumn"].map(|key| problem[key].clone());
    assert_eq!(place, [json!(2), json!(2), json!(2), json!(8)]);
}

#[test]
fn secrets_need_not_be_there_to_validate_and_must_be_to_run() {
    let place = Place::new();
    let settings = json!({
        "userName": "u", "password": {"env": "TEST_HOST_SURELY_UNSET"}, "account": {"file": "/none"},
        "clientCertificate": "-----BEGIN CERTIFICATE-----", "clientKey": {"env": "TEST_HOST_UNSET_2"},
    });
    let process = ftp(&settings, &[query(json!({})), write("out")]);
    let found = problems(&place, &process);
    let paths: Vec<&str> = found.iter().map(|(_, path, _)| path.as_str()).collect();
    assert!(found.iter().all(|(severity, _, _)| severity == "warning"), "{found:?}");
    assert_eq!(
        paths,
        [
            "$.connections.partner.account.file",
            "$.connections.partner.clientKey.env",
            "$.connections.partner.password.env"
        ]
    );
    let answer = Answer::of(&mut place.program_with(ftp_connector(), &["run", "process.json"]));
    assert_eq!(answer.code, 2, "{answer:?}");
    assert!(answer.stderr.contains("TEST_HOST_SURELY_UNSET is not set"), "{answer:?}");
    assert!(answer.stderr.contains("TEST_HOST_UNSET_2 is not set"), "{answer:?}");
}

#[test]
fn what_cannot_work_is_a_warning() {
    let upload = json!({"name": "put", "type": "connector", "connection": "partner",
                        "operation": "create"});
    has(
        &ftp(
            &json!({"host": "ftp.example.com:2121", "maximumConnections": 2}),
            &[
                query(json!({"parallelTransfers": 4})),
                json!({"name": "set", "type": "setProperties",
                       "properties": {"filename": "{fileName}", "mine": "x"}}),
                upload,
            ],
        ),
        &[
            ("warning", "$.connections.partner.host", "\"port\": 2121"),
            ("warning", "$.connections.partner.maximumConnections", "need 5 sessions"),
            ("warning", "$.steps[0].options.parallelTransfers", "at most 2"),
            ("warning", "$.steps[1].properties.filename", "did you mean \"fileName\"?"),
        ],
    );
    has(
        &ftp(
            &json!({"host": "[2001:db8::1]", "maximumConnections": 1}),
            &[query(json!({})), write("out")],
        ),
        &[],
    );
}

#[test]
fn templates_work_where_they_are_written_or_are_refused_there() {
    has(
        &ftp(
            &json!({"remoteDirectory": "in/{now:yyyy}", "userName": "{fileName}"}),
            &[
                json!({"name": "fetch", "type": "connector", "connection": "partner",
                   "operation": "query", "options": {"moveAfterReading": "done/{fileName}"},
                   "filter": {"property": "fileName", "operator": "regex", "value": "[0-9]{8}"}}),
                write("out/{fileName}"),
                json!({"name": "rows", "type": "database", "url": "sqlite:{", "table": "t_{now:yyyy}"}),
            ],
        ),
        &[
            ("error", "$.connections.partner.remoteDirectory", "{now:yyyy} stays"),
            ("error", "$.connections.partner.userName", "{fileName} stays"),
            ("error", "$.steps[0].options.moveAfterReading", "{fileName} stays"),
            ("error", "$.steps[1].directory", "\"{fileName}\" is of a document"),
            ("error", "$.steps[2].table", "letters"),
            ("error", "$.steps[2].url", "without \"}\""),
        ],
    );
}

#[test]
fn a_directory_is_named_after_the_day() {
    let place = Place::new();
    place.process(json!([
        message(&[("a", "1")]),
        {"name": "keep", "type": "writeFiles", "directory": "out/{now:yyyy}-{env:TEST_HOST_DAY}"},
    ]));
    let answer = Answer::of(place.program(&["run", "process.json"]).env("TEST_HOST_DAY", "d"));
    assert_eq!(answer.code, 0, "{answer:?}");
    let year = &place.names("out")[0];
    assert!(year.starts_with("20") && year.ends_with("-d") && year.len() == 6, "{year}");
    // A variable that is not set is no empty part of a name.
    let answer = place.answer(&["run", "process.json"]);
    assert_eq!(answer.code, 2, "{answer:?}");
    assert!(answer.stderr.contains("TEST_HOST_DAY"), "{answer:?}");
    assert_eq!(place.answer(&["validate", "process.json"]).code, 0);
}

#[test]
fn references_see_what_earlier_steps_set() {
    let place = Place::new();
    let set = |id: &str, text: &str| json!({"name": id, "type": "setProperties", "properties": {id: text}});
    place.process(json!([
        message(&[("a", "1")]),
        set("copy", "{name}"),
        echo("there", json!({})),
        set("again", "{copy} {errorCode} {basename}"),
        {"name": "last", "type": "message",
         "documents": [{"content": {"a": "{mine}{again}"}, "properties": {"mine": "{copy}"}}]},
    ]));
    let answer = place.answer(&["validate", "process.json"]);
    assert_eq!((answer.code, &*answer.stderr), (0, ""));
    // A connector may set what it does not declare, but hardly what is nearly declared.
    place.process(json!([
        message(&[("a", "1")]),
        echo("there", json!({})),
        set("perhaps", "{undeclared}"),
        set("slip", "{nmae}"),
    ]));
    let answer = place.answer(&["validate", "process.json"]);
    assert_eq!(answer.code, 2);
    assert!(answer.stderr.contains("warning: process.json:1:"), "{answer:?}");
    assert!(answer.stderr.contains("did you mean \"name\"?"), "{answer:?}");
    assert_eq!(answer.stderr.matches("error: ").count(), 1, "{answer:?}");
    place.process(json!([message(&[("a", "1")]), set("self", "{self}"), set("x", "{late}")]));
    let answer = place.answer(&["validate", "process.json"]);
    assert_eq!(answer.code, 2);
    assert!(answer.stderr.contains("$.steps[1].properties.self"), "{answer:?}");
    assert!(answer.stderr.contains("$.steps[2].properties.x"), "{answer:?}");
}

#[test]
fn files_that_are_no_process_files_are_refused_at_once() {
    let place = Place::new();
    for (name, content, part) in [
        ("empty.json", &b""[..], "the file is empty"),
        ("latin.json", b"{\"process\": \"\xe9\"}", "not UTF-8"),
        ("list.json", b"[]", "expected an object"),
        ("twice.json", b"{\"process\": \"a\", \"process\": \"b\"}", "\"process\" is given twice"),
    ] {
        place.write(name, content);
        let answer = place.answer(&["validate", name]);
        assert_eq!(answer.code, 2, "{answer:?}");
        assert!(answer.stderr.contains(part), "{answer:?}");
    }
    assert_eq!(place.answer(&["validate", "."]).code, 2);
    #[cfg(unix)]
    {
        let made = std::process::Command::new("mkfifo").arg(place.path("pipe")).status().unwrap();
        assert!(made.success());
        let answer = place.answer(&["run", "pipe"]);
        assert_eq!(answer.code, 2, "{answer:?}");
        assert!(answer.stderr.contains("no regular file"), "{answer:?}");
    }
}
