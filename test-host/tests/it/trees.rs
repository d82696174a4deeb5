//! Trees keep their shape: from folders to folders, and from a server to a folder.

use std::fs;

use serde_json::{Value, json};
use test_servers::{Flavour, Options};

use crate::servers::{run, server};
use crate::support::{Place, connection, message};

fn keep(settings: &Value) -> Value {
    let mut step = json!({"name": "keep", "type": "writeFiles", "directory": "out"});
    step.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    step
}

#[test]
fn a_folder_is_mirrored_with_its_times() {
    let place = Place::new();
    for (name, content) in [
        ("in/a.txt", "1"),
        ("in/sub/a.txt", "2"),
        ("in/sub/deep/b.tmp", "3"),
        ("in/sub/b.txt", "4"),
    ] {
        place.write(name, content);
    }
    let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    fs::File::options()
        .write(true)
        .open(place.path("in/a.txt"))
        .unwrap()
        .set_modified(old)
        .unwrap();
    place.process(json!([
        {"name": "read", "type": "readFiles", "directory": "in", "recursive": true, "exclude": "*.tmp"},
        keep(&json!({"preserveTimestamp": true})),
    ]));
    let answer = place.run();
    assert_eq!((answer.code, answer.counts()), (0, [3, 0, 0, 0]), "{answer:?}");
    assert_eq!(answer.summary()["leftOut"]["notIncluded"], 1);
    let read = |name: &str| fs::read_to_string(place.path(name)).unwrap();
    assert_eq!((read("out/a.txt"), read("out/sub/a.txt")), ("1".into(), "2".into()));
    assert_eq!(read("out/sub/b.txt"), "4");
    assert!(!place.path("out/sub/deep").exists());
    assert_eq!(fs::metadata(place.path("out/a.txt")).unwrap().modified().unwrap(), old);
}

#[test]
fn a_directory_never_leads_out() {
    let place = Place::new();
    let set = |directory: &str| json!({"content": "x", "properties": {"fileName": "f", "relativeDirectory": directory}});
    let hostile = ["../up", "/tmp", "a/../../b", "a\\b", "good/below"];
    let documents: Vec<Value> = hostile.iter().map(|directory| set(directory)).collect();
    place.process(json!([
        {"name": "make", "type": "message", "documents": documents}, keep(&json!({})),
    ]));
    let answer = place.run();
    assert_eq!((answer.code, answer.counts()), (6, [1, 0, 0, 4]), "{answer:?}");
    assert_eq!(place.names("out"), ["good"]);
    assert!(!place.path("up").exists());
}

#[test]
fn a_file_that_is_there_is_treated_as_the_step_says() {
    for (if_exists, code, names, content) in [
        ("replace", 0, &["a"][..], "new"),
        ("skip", 0, &["a"], "old"),
        ("unique", 0, &["a", "a (1)"], "old"),
        ("error", 6, &["a"], "old"),
    ] {
        let place = Place::new();
        place.write("out/a", "old");
        place.process(json!([message(&[("a", "new")]), keep(&json!({"ifExists": if_exists}))]));
        let answer = place.run();
        assert_eq!(answer.code, code, "{if_exists}: {answer:?}");
        assert_eq!(place.names("out"), names, "{if_exists}");
        assert_eq!(fs::read_to_string(place.path("out/a")).unwrap(), content, "{if_exists}");
        assert_eq!(answer.summary()["work"]["skipped"], u64::from(if_exists == "skip"));
    }
}

#[test]
fn a_tree_of_a_server_is_mirrored_there_and_back() {
    let Some(server) = server(&Options::new(Flavour::VsFtpd)) else { return };
    let place = Place::new();
    for name in ["in/a.txt", "in/sub/a.txt", "in/sub/deep/b.txt"] {
        place.write(name, name);
    }
    let partner = connection(&server, &json!({"remoteDirectory": "/upload/tree"}));
    let up = json!({
        "process": "up",
        "connections": {"partner": partner},
        "steps": [
            {"name": "read", "type": "readFiles", "directory": "in", "recursive": true},
            {"name": "set", "type": "setProperties",
             "properties": {"fileName": "{relativeDirectory}/{fileName}"}},
            {"name": "put", "type": "connector", "connection": "partner", "operation": "create",
             "options": {"createDirectories": true}},
        ],
    });
    let answer = run(&place, &up);
    assert_eq!((answer.code, answer.counts()), (0, [3, 0, 0, 0]), "{answer:?}");
    let down = json!({
        "process": "down",
        "connections": {"partner": partner},
        "steps": [
            {"name": "fetch", "type": "connector", "connection": "partner", "operation": "query",
             "options": {"recursive": -1}},
            keep(&json!({})),
        ],
    });
    let answer = run(&place, &down);
    assert_eq!((answer.code, answer.counts()), (0, [3, 0, 0, 0]), "{answer:?}");
    for name in ["a.txt", "sub/a.txt", "sub/deep/b.txt"] {
        let copy = fs::read_to_string(place.path(&format!("out/{name}"))).unwrap();
        assert_eq!(copy, format!("in/{name}"));
    }
}
