//! Runs that are cut in the middle of a document, and those after them.

use std::path::Path;
use std::sync::Arc;

use host_sdk::descriptor::InputKind;
use host_sdk::{Error, ErrorKind, Outcome, Properties, ResultSink};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::run::RunOutcome;
use super::scripted::{Recorder, Scripted, body, counts, echo, named, request, run};
use crate::engine::digest::Digest;

type Sink = Box<dyn ResultSink>;

/// Runs `make` on the document `a` between properties that are set, a file in `directory`, and a
/// connector that takes it all.
fn run_into(
    directory: &Path,
    make: impl Fn(Sink) -> Result<(), Error> + Send + Sync + 'static,
) -> (RunOutcome, Arc<Recorder>) {
    let connector = Scripted::default()
        .with("make", InputKind::None, move |context| {
            request(context, |input| make(context.begin_result(input, &named("a"))?))
        })
        .with("echo", InputKind::Document, echo);
    let step =
        |id: &str| json!({"name": id, "type": "connector", "connection": "c", "operation": id});
    let steps: Value = json!([
        step("make"),
        {"name": "set", "type": "setProperties", "properties": {"fileName": "{fileName}.bin"}},
        {"name": "keep", "type": "writeFiles", "directory": directory.to_str().unwrap()},
        step("echo"),
    ]);
    run(connector, &steps)
}

/// Resumes the body, and returns how many bytes are kept and the last of them.
fn resume(sink: &mut Sink) -> Result<(u64, Vec<u8>), Error> {
    let mut tail = vec![0; 1000];
    sink.resume("the body", &mut tail).map(|held| (held, tail))
}

/// A directory in which a run was cut after `beginning`.
fn cut_after(beginning: &'static [u8]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    run_into(directory.path(), move |mut sink| {
        assert_eq!(resume(&mut sink)?, (0, vec![0; 1000]));
        sink.write(beginning)
    });
    directory
}

fn names(directory: &TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(directory.path()).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_run_goes_on_where_the_one_before_was_cut() {
    let whole: &'static [u8] = body(0).leak();
    let (beginning, rest) = whole.split_at(300_001);
    let directory = cut_after(beginning);
    assert_eq!(names(&directory).len(), 1);
    let (outcome, recorder) = run_into(directory.path(), move |mut sink| {
        assert_eq!(resume(&mut sink)?, (300_001, beginning[299_001..].to_vec()));
        sink.write(rest)?;
        assert_eq!(resume(&mut sink).unwrap_err().kind(), ErrorKind::Host);
        sink.finish(&Outcome::Success, &Properties::new())
    });
    assert_eq!(outcome.summary.documents, counts(1, 0, 0, 0));
    assert_eq!(names(&directory), ["a.bin"]);
    assert!(std::fs::read(directory.path().join("a.bin")).unwrap() == whole);
    let mut digest = Digest::default();
    digest.update(whole);
    let sha256 = digest.end(Properties::new()).sha256;
    let events = recorder.documents();
    assert_eq!(events.len(), 4);
    for event in events {
        assert_eq!((event.bytes, event.sha256.as_deref()), (700_000, Some(&*sha256)), "{event:?}");
    }
}

#[test]
fn what_is_given_up_or_ended_is_held_no_longer() {
    type Make = fn(Sink) -> Result<(), Error>;
    let ways: [Make; 4] = [
        |mut sink| {
            resume(&mut sink)?;
            sink.discard()
        },
        |mut sink| {
            resume(&mut sink)?;
            sink.write(b"more")?;
            sink.discard()?;
            assert_eq!(sink.write(b"more").unwrap_err().kind(), ErrorKind::Host);
            Ok(())
        },
        |mut sink| {
            resume(&mut sink)?;
            let error = Error::new(ErrorKind::Integrity, "not what it was");
            sink.finish(&Outcome::Failure(error), &Properties::new())
        },
        |mut sink| {
            sink.write(b"anew")?;
            sink.finish(&Outcome::Success, &Properties::new())
        },
    ];
    for (way, make) in ways.into_iter().enumerate() {
        let directory = cut_after(b"beginning");
        run_into(directory.path(), make);
        let written: &[&str] = if way == 3 { &["a.bin"] } else { &[] };
        assert_eq!(names(&directory), written, "way {way}");
    }
}

#[test]
fn a_result_that_was_not_resumed_is_not_held() {
    let directory = tempfile::tempdir().unwrap();
    run_into(directory.path(), |mut sink| sink.write(b"beginning"));
    run_into(directory.path(), |mut sink| resume(&mut sink).map(|_| ()));
    assert_eq!(names(&directory), Vec::<String>::new());
}
