//! Documents that a service refused carry the refusal, not a body: no step stores them or acts on
//! them unless it has `storeErrors`.

use std::fs;
use std::sync::{Arc, Mutex};

use host_sdk::descriptor::InputKind;
use host_sdk::{Error, ErrorKind, Outcome, Properties, Status};
use serde_json::{Value, json};

use super::scripted::{Scripted, counts, named, read_all, request, run, send};
use crate::locks::lock;

type Taken = Arc<Mutex<Vec<(String, Result<Vec<u8>, ErrorKind>)>>>;

/// A service that refuses `a` after `half` of it and delivers `b`, and one that takes documents.
fn connector(half: &'static [u8], taken: &Taken) -> Scripted {
    let take = |taken: &Taken| {
        let taken = Arc::clone(taken);
        move |context: &host_sdk::Context| {
            while let Some(mut input) = context.next_input()? {
                let name = input.header().properties.get("fileName").unwrap_or_default().to_owned();
                let body = read_all(input.as_mut());
                let outcome = match &body {
                    Ok(_) => Outcome::Success,
                    Err(error) => Outcome::Failure(error.clone()),
                };
                lock(&taken).push((name, body.map_err(|error| error.kind())));
                context.input_done(input.id(), &outcome)?;
            }
            Ok(())
        }
    };
    Scripted::default()
        .with("query", InputKind::None, move |context| {
            request(context, |input| {
                let mut sink = context.begin_result(input, &named("a"))?;
                sink.write(half)?;
                sink.finish(&Outcome::ApplicationError(denied()), &Properties::new())?;
                send(context, input, "b", b"body of b")
            })
        })
        .with("only", InputKind::None, |context| {
            request(context, |input| {
                let mut sink = context.begin_result(input, &named("a"))?;
                sink.finish(&Outcome::ApplicationError(denied()), &Properties::new())
            })
        })
        .with("create", InputKind::Document, take(taken))
        .with("delete", InputKind::Id, take(taken))
}

fn denied() -> Error {
    Error::new(ErrorKind::Permission, "denied").with_reply(550, "no")
}

fn step(operation: &str) -> Value {
    json!({"name": operation, "type": "connector", "connection": "c", "operation": operation})
}

#[test]
fn a_good_file_is_not_replaced_by_a_refusal() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("out");
    fs::create_dir(&out).unwrap();
    let database = directory.path().join("a.db");
    for (first, half) in [("query", &b""[..]), ("query", b"half"), ("only", b"")] {
        fs::write(out.join("a"), "good").unwrap();
        let mut keep = json!({"name": "keep", "type": "writeFiles", "directory": &out});
        let mut store = json!({"name": "store", "type": "database", "table": "t",
                               "url": format!("sqlite:{}", database.display())});
        let set = json!({"name": "set", "type": "setProperties", "properties": {"x": "y"}});
        let run_it = |keep: &Value, store: &Value| {
            let steps = json!([step(first), set, keep, store]);
            run(connector(half, &Taken::default()), &steps)
        };
        let (outcome, recorder) = run_it(&keep, &store);
        let good = u64::from(first == "query");
        assert_eq!(outcome.summary.documents, counts(good, 0, 1, 0));
        assert_eq!(outcome.exit_code.number(), 6, "{first}");
        assert_eq!(outcome.summary.errors.len(), 1);
        assert_eq!(outcome.summary.errors[0].step, first);
        assert_eq!(fs::read_to_string(out.join("a")).unwrap(), "good");
        assert_eq!(rows(&database, "a"), 0);
        let refused: Vec<_> =
            recorder.documents().into_iter().filter(|event| event.document == 1).collect();
        assert_eq!(refused.len(), 4, "{refused:?}");
        assert!(refused.iter().all(|event| event.status == Status::ApplicationError));
        let left: Vec<_> = fs::read_dir(&out).unwrap().collect();
        assert_eq!(left.len(), 1 + usize::from(good > 0), "{left:?}");

        keep["storeErrors"] = json!(true);
        store["storeErrors"] = json!(true);
        let (outcome, _) = run_it(&keep, &store);
        assert_eq!(outcome.summary.documents, counts(good, 0, 1, 0));
        assert_eq!(fs::read(out.join("a")).unwrap(), half);
        assert_eq!(rows(&database, "a"), 1);
        fs::remove_dir_all(&out).unwrap();
        fs::create_dir(&out).unwrap();
        fs::remove_file(&database).unwrap();
    }
}

fn rows(database: &std::path::Path, name: &str) -> i64 {
    let database = rusqlite::Connection::open(database).unwrap();
    let query = "SELECT count(*) FROM t WHERE file_name = ?1";
    database.query_row(query, [name], |row| row.get(0)).unwrap()
}

#[test]
fn a_following_connector_step_does_not_take_a_refusal() {
    for half in [&b""[..], b"half"] {
        let taken = Taken::default();
        let steps = json!([step("query"), step("create")]);
        let (outcome, _) = run(connector(half, &taken), &steps);
        assert_eq!(outcome.summary.documents, counts(0, 1, 1, 0));
        assert_eq!(outcome.exit_code.number(), 6);
        // Where its body had begun, the connector may have read a part, but never its end.
        let whole: Vec<_> = lock(&taken).iter().filter(|(_, body)| body.is_ok()).cloned().collect();
        assert_eq!(whole, [("b".to_owned(), Ok(b"body of b".to_vec()))]);
        if half.is_empty() {
            assert_eq!(lock(&taken).len(), 1, "a refusal was offered");
        }

        let taken = Taken::default();
        let mut steps = json!([step("query"), step("create")]);
        steps[1]["storeErrors"] = json!(true);
        let (outcome, _) = run(connector(half, &taken), &steps);
        assert_eq!(outcome.summary.documents, counts(0, 1, 1, 0));
        assert_eq!(lock(&taken)[0], ("a".to_owned(), Ok(half.to_vec())));
    }
}

/// A file that could not be read is not deleted because "it was stored"; and what a message makes
/// of it is no body of it.
#[test]
fn a_refusal_is_neither_deleted_nor_made_a_body_by_a_message() {
    let directory = tempfile::tempdir().unwrap();
    let keep = json!({"name": "keep", "type": "writeFiles", "directory": directory.path()});
    let note = json!({"name": "note", "type": "message", "documents": [{"content": "arrived"}]});
    let taken = Taken::default();
    let steps = json!([step("query"), note, keep, step("delete")]);
    let (outcome, _) = run(connector(b"", &taken), &steps);
    assert_eq!(outcome.summary.documents, counts(0, 1, 1, 0));
    let names: Vec<_> = lock(&taken).iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(names, ["b"]);
    assert!(!directory.path().join("a").exists());
}
