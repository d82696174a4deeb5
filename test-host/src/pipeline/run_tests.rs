//! Runs of processes with connectors that are written here, as unruly as the contract allows.

use std::sync::{Arc, Mutex};
use std::thread;

use host_sdk::descriptor::InputKind;
use host_sdk::{Context, ErrorKind, Outcome, Properties, SmallResult, Status};
use serde_json::json;

use super::scripted::{Scripted, body, counts, echo, named, read_all, request, run, send, steps};
use crate::locks::lock;

#[test]
fn documents_open_at_once_end_in_any_order() {
    let connector = Scripted::default().with("make", InputKind::None, |context| {
        request(context, |input| {
            let sinks: Vec<_> =
                (0..8).map(|n| context.begin_result(input, &named(n))).collect::<Result<_, _>>()?;
            for mut sink in sinks.into_iter().rev() {
                sink.write(b"x")?;
                sink.finish(&Outcome::Success, &Properties::new())?;
            }
            Ok(())
        })
    });
    let (outcome, recorder) = run(connector, &steps(&["make"]));
    assert_eq!(outcome.summary.documents, counts(8, 0, 0, 0));
    let order: Vec<u64> = recorder.documents().iter().map(|event| event.document).collect();
    assert_eq!(order, [8, 7, 6, 5, 4, 3, 2, 1]);
}

#[test]
fn bodies_from_many_threads_stream_through_connectors_whole() {
    let connector = Scripted::default()
        .with("make", InputKind::None, |context| {
            request(context, |input| {
                thread::scope(|scope| {
                    for n in 0..6 {
                        scope.spawn(move || {
                            send(context, input, &n.to_string(), &body(n)).unwrap();
                        });
                    }
                });
                Ok(())
            })
        })
        .with("first", InputKind::Document, echo)
        .with("second", InputKind::Document, echo);
    let (outcome, recorder) = run(connector, &steps(&["make", "first", "second"]));
    assert_eq!(outcome.exit_code.number(), 0);
    assert_eq!(outcome.summary.documents, counts(6, 0, 0, 0));
    for n in 0..6 {
        let mut digest = crate::engine::digest::Digest::default();
        digest.update(&body(n));
        let sha256 = digest.end(Properties::new()).sha256.to_string();
        let of_it: Vec<_> = recorder
            .documents()
            .into_iter()
            .filter(|event| event.properties.get("fileName") == Some(n.to_string().as_str()))
            .collect();
        assert_eq!(of_it.len(), 3);
        assert!(of_it.iter().all(|event| event.sha256.as_ref() == Some(&sha256)), "{of_it:?}");
        assert!(of_it.iter().all(|event| event.document == of_it[0].document));
    }
}

#[test]
fn a_document_given_up_has_never_been() {
    let mut steps = steps(&["make", "keep"]);
    steps[1]["continueOnError"] = json!(false);
    let connector = Scripted::default()
        .with("make", InputKind::None, |context| {
            request(context, |input| {
                let mut half = context.begin_result(input, &named("half"))?;
                half.write(&body(0))?;
                drop(half);
                send(context, input, "whole", b"x")
            })
        })
        .with("keep", InputKind::Document, echo);
    let (outcome, recorder) = run(connector, &steps);
    assert_eq!(outcome.summary.documents, counts(1, 0, 0, 0));
    assert_eq!(outcome.exit_code.number(), 0);
    assert!(recorder.documents().iter().all(|event| event.status == Status::Success));
}

#[test]
fn every_input_is_answered_once_and_nothing_outlives_the_execution() {
    let kept: Arc<Mutex<Option<Context>>> = Arc::default();
    let keep = Arc::clone(&kept);
    let connector = Scripted::default().with("make", InputKind::None, move |context| {
        *lock(&keep) = Some(Arc::clone(context));
        let input = context.next_input()?.unwrap().id();
        assert!(context.next_input()?.is_none());
        context.input_done(input, &Outcome::Success)?;
        let twice = context.input_done(input, &Outcome::Success).unwrap_err();
        assert_eq!(twice.kind(), ErrorKind::Host);
        let late = context.begin_result(input, &Properties::new()).err().unwrap();
        assert_eq!(late.kind(), ErrorKind::Host);
        assert!(context.input_done(77, &Outcome::Success).is_err());
        Ok(())
    });
    let (outcome, _) = run(connector, &steps(&["make"]));
    assert_eq!(outcome.summary.documents, counts(0, 1, 0, 0));
    let context = lock(&kept).take().unwrap();
    assert!(context.is_cancelled());
    assert_eq!(context.next_input().err().unwrap().kind(), ErrorKind::Host);
    assert_eq!(context.input_done(1, &Outcome::Success).unwrap_err().kind(), ErrorKind::Host);
}

#[test]
fn a_request_for_a_document_waits_until_what_is_before_it_is_durable() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a");
    let connector = Scripted::default()
        .with("make", InputKind::None, |context| {
            request(context, |input| send(context, input, "a", &body(0)))
        })
        .with("delete", InputKind::Id, move |context| {
            while let Some(input) = context.next_input()? {
                assert!(file.exists(), "asked to delete before the copy was durable");
                context.input_done(input.id(), &Outcome::Success)?;
            }
            Ok(())
        });
    let mut steps = steps(&["make", "delete"]);
    let keep = json!({"name": "keep", "type": "writeFiles",
                      "directory": directory.path().to_str().unwrap()});
    steps.as_array_mut().unwrap().insert(1, keep);
    let (outcome, _) = run(connector, &steps);
    assert_eq!(outcome.summary.documents, counts(0, 1, 0, 0));
    assert_eq!(outcome.exit_code.number(), 0);
}

#[test]
fn a_batch_is_under_way_at_once() {
    let connector = Scripted::default()
        .with("make", InputKind::None, |context| {
            request(context, |input| {
                let properties: Vec<_> = (0..40).map(named).collect();
                let batch: Vec<_> = properties
                    .iter()
                    .map(|properties| SmallResult { input, properties, payload: b"{\"a\": 1}" })
                    .collect();
                context.add_results(&batch)
            })
        })
        .with("pairs", InputKind::Document, |context| {
            // Two inputs are taken before the first is answered.
            while let Some(mut first) = context.next_input()? {
                let mut second = context.next_input()?.unwrap();
                read_all(second.as_mut())?;
                read_all(first.as_mut())?;
                context.input_done(second.id(), &Outcome::Success)?;
                context.input_done(first.id(), &Outcome::Success)?;
            }
            Ok(())
        });
    let (outcome, _) = run(connector, &steps(&["make", "pairs"]));
    assert_eq!(outcome.summary.documents, counts(0, 40, 0, 0));
}

#[test]
fn one_thread_with_two_open_bodies_is_told_instead_of_waiting_for_ever() {
    let connector = Scripted::default()
        .with("make", InputKind::None, |context| {
            request(context, |input| {
                let mut first = context.begin_result(input, &named("first"))?;
                let mut second = context.begin_result(input, &named("second"))?;
                first.write(b"x")?;
                let stuck = second.write(&body(0)).unwrap_err();
                assert!(stuck.message().contains("one thread"), "{stuck}");
                drop(second);
                first.finish(&Outcome::Success, &Properties::new())
            })
        })
        .with("keep", InputKind::Document, echo);
    let (outcome, _) = run(connector, &steps(&["make", "keep"]));
    assert_eq!(outcome.summary.documents.success, 1);
}

#[test]
fn late_properties_reach_templates_and_parameters() {
    let connector = Scripted::default()
        .with("make", InputKind::None, |context| {
            request(context, |input| {
                let mut sink = context.begin_result(input, &named("a"))?;
                sink.write(b"x")?;
                sink.finish(&Outcome::Success, &Properties::new().with("late", "1"))
            })
        })
        .with("look", InputKind::Id, |context| {
            while let Some(input) = context.next_input()? {
                assert_eq!(input.header().properties.get("copied"), Some("1-a"));
                context.input_done(input.id(), &Outcome::Success)?;
            }
            Ok(())
        });
    let mut steps = steps(&["make", "look"]);
    let set = json!({"name": "set", "type": "setProperties",
                     "properties": {"copied": "{late}-{fileName}"}});
    steps.as_array_mut().unwrap().insert(1, set);
    let (outcome, _) = run(connector, &steps);
    assert_eq!(outcome.summary.documents, counts(0, 1, 0, 0));
}
