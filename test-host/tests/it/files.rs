//! Writing files under the names of untrusted peers.

use std::fs;

use serde_json::json;

use crate::support::{Place, message};

#[test]
fn hostile_names_stay_in_the_directory() {
    let place = Place::new();
    place.write("victim", "untouched");
    place.process(json!([
        message(&[
            ("../victim", "x"), ("..", "x"), (".", "x"), ("/tmp/x", "x"), ("a/b", "x"),
            ("a\\b", "x"), ("a\u{0}b", "x"), ("a\nb", "x"), ("nul", "x"), ("COM1.txt", "x"),
            ("a.", "x"), (&"n".repeat(300), "x"), ("good", "x"),
        ]),
        {"name": "keep", "type": "writeFiles", "directory": "sub/out"},
    ]));
    let answer = place.run();
    assert_eq!((answer.code, answer.counts()), (6, [1, 0, 0, 12]), "{answer:?}");
    assert_eq!(place.names("sub/out"), ["good"]);
    assert_eq!(place.names("."), ["process.json", "sub", "victim"]);
    assert_eq!(fs::read_to_string(place.path("victim")).unwrap(), "untouched");
}

#[test]
fn a_second_document_of_a_name_is_not_lost_silently() {
    let place = Place::new();
    place.process(json!([
        message(&[("a", "first"), ("a", "second")]),
        {"name": "keep", "type": "writeFiles", "directory": "out"},
    ]));
    let answer = place.run();
    assert_eq!((answer.code, answer.counts()), (6, [1, 0, 0, 1]), "{answer:?}");
    assert_eq!(answer.summary()["errors"][0]["error"]["kind"], "alreadyExists");
    assert_eq!(fs::read_to_string(place.path("out/a")).unwrap(), "first");
    place.process(json!([
        message(&[("a", "third")]),
        {"name": "keep", "type": "writeFiles", "directory": "out"},
    ]));
    assert_eq!(place.run().code, 0);
    assert_eq!(fs::read_to_string(place.path("out/a")).unwrap(), "third");
}

#[test]
fn a_document_without_a_name_gets_one() {
    let place = Place::new();
    place.process(json!([
        {"name": "make", "type": "message", "documents": [{"content": "x"}]},
        {"name": "keep", "type": "writeFiles", "directory": "out"},
    ]));
    assert_eq!(place.run().code, 0);
    assert_eq!(place.names("out").len(), 1);
}
