//! Runs of processes with connectors that are written here, as unruly as the contract allows.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;

use host_sdk::descriptor::InputKind;
use host_sdk::{Context, Error, ErrorKind, Outcome, Properties, SmallResult, Status};
use serde_json::json;

use super::scripted::{
    Recorder, Scripted, body, counts, echo, named, read_all, request, run, run_with, send, steps,
};
use crate::cancellation::Cancellation;
use crate::events::RunStatus;
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
        let mut digest = crate::stage::Digest::default();
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
fn a_failure_downstream_is_told_once_and_reaches_the_source() {
    let refused = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&refused);
    let connector = Scripted::default()
        .with("make", InputKind::None, move |context| {
            request(context, |input| {
                for name in ["good", "bad", "good"] {
                    lock(&seen).push(send(context, input, name, b"x").map_err(|e| e.kind()));
                }
                Ok(())
            })
        })
        .with("pick", InputKind::Document, |context| {
            while let Some(mut input) = context.next_input()? {
                read_all(input.as_mut())?;
                let outcome = match input.header().properties.get("fileName") {
                    Some("bad") => Outcome::Failure(Error::new(ErrorKind::Integrity, "rotten")),
                    _ => Outcome::Success,
                };
                context.input_done(input.id(), &outcome)?;
            }
            Ok(())
        });
    let (outcome, recorder) = run(connector, &steps(&["make", "pick"]));
    assert_eq!(*lock(&refused), [Ok(()), Err(ErrorKind::Host), Ok(())]);
    assert_eq!(outcome.summary.documents, counts(0, 2, 0, 1));
    assert_eq!(outcome.summary.status, RunStatus::Partial);
    assert_eq!(outcome.exit_code.number(), 8);
    assert_eq!(outcome.summary.errors.len(), 1);
    assert_eq!(
        recorder.lines(),
        ["pick 1 Empty", "make 1 Success", "pick 2 Failure", "pick 3 Empty", "make 3 Success"]
    );
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
fn an_unanswered_input_is_a_failure() {
    let connector = Scripted::default()
        .with("make", InputKind::None, |context| {
            request(context, |input| {
                assert!(send(context, input, "a", b"x").is_err());
                assert!(send(context, input, "b", b"x").is_err());
                Ok(())
            })
        })
        .with("forget", InputKind::Document, |context| {
            context.next_input()?;
            Ok(())
        });
    let (outcome, recorder) = run(connector, &steps(&["make", "forget"]));
    assert_eq!(outcome.summary.documents, counts(0, 0, 0, 2));
    assert_eq!(recorder.lines(), ["forget 1 Failure", "forget 2 Failure"]);
    assert_eq!(outcome.exit_code.number(), 1);
}

#[test]
fn a_step_that_cannot_go_on_ends_the_process_with_its_code() {
    let connector = Scripted::default()
        .with("make", InputKind::None, |context| {
            request(context, |input| {
                for name in ["a", "b", "c"] {
                    // The connector goes on whatever the host says.
                    let _ = send(context, input, name, b"x");
                }
                Ok(())
            })
        })
        .with("break", InputKind::Document, |context| {
            let mut input = context.next_input()?.unwrap();
            read_all(input.as_mut())?;
            context.input_done(input.id(), &Outcome::Success)?;
            context.next_input()?;
            Err(Error::new(ErrorKind::Connection, "reset"))
        });
    let (outcome, _) = run(connector, &steps(&["make", "break"]));
    assert_eq!(outcome.summary.documents, counts(0, 1, 0, 2));
    assert_eq!(outcome.summary.status, RunStatus::Failure);
    assert_eq!(outcome.exit_code.number(), 3);
}

#[test]
fn an_error_that_an_input_was_answered_with_is_listed_once() {
    let connector = Scripted::default().with("make", InputKind::None, |context| {
        let input = context.next_input()?.unwrap().id();
        let error = Error::new(ErrorKind::Connection, "refused");
        context.input_done(input, &Outcome::Failure(error.clone()))?;
        Err(error)
    });
    let (outcome, _) = run(connector, &steps(&["make"]));
    assert_eq!(outcome.summary.documents, counts(0, 0, 0, 1));
    assert_eq!(outcome.summary.errors.len(), 1);
    assert_eq!(outcome.exit_code.number(), 3);
}

#[test]
fn a_refused_document_flows_on_but_its_source_stays() {
    let source_told = Arc::new(Mutex::new(None));
    let told = Arc::clone(&source_told);
    let connector = Scripted::default()
        .with("make", InputKind::None, move |context| {
            request(context, |input| {
                *lock(&told) = Some(send(context, input, "a", b"x").is_ok());
                Ok(())
            })
        })
        .with("refuse", InputKind::Document, |context| {
            while let Some(input) = context.next_input()? {
                let mut sink = context.begin_result(input.id(), &Properties::new())?;
                let refusal = Error::new(ErrorKind::Permission, "denied").with_reply(550, "no");
                sink.finish(&Outcome::ApplicationError(refusal), &Properties::new())?;
                context.input_done(input.id(), &Outcome::Success)?;
            }
            Ok(())
        })
        .with("end", InputKind::Document, echo);
    let (outcome, recorder) = run(connector, &steps(&["make", "refuse", "end"]));
    assert_eq!(outcome.summary.documents, counts(0, 0, 1, 0));
    assert_eq!(recorder.lines(), ["end 1 Success", "refuse 1 ApplicationError"]);
    let last = &recorder.documents()[0].properties;
    assert_eq!(last.get("errorCode"), Some("550"));
    assert_eq!(last.get("errorMessage"), Some("denied"));
    assert_eq!(*lock(&source_told), Some(false));
}

#[test]
fn a_step_told_so_stops_after_its_first_failure() {
    let taken = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&taken);
    let connector = Scripted::default()
        .with("make", InputKind::None, |context| {
            request(context, |input| {
                for name in ["a", "b", "c"] {
                    let _ = send(context, input, name, b"x");
                }
                Ok(())
            })
        })
        .with("fail", InputKind::Document, move |context| {
            while let Some(input) = context.next_input()? {
                count.fetch_add(1, Ordering::SeqCst);
                let error = Error::new(ErrorKind::NotFound, "gone");
                context.input_done(input.id(), &Outcome::Failure(error))?;
            }
            Ok(())
        });
    let mut steps = steps(&["make", "fail"]);
    steps[1]["continueOnError"] = json!(false);
    let (outcome, _) = run(connector, &steps);
    assert_eq!(taken.load(Ordering::SeqCst), 1);
    assert_eq!(outcome.summary.documents.failure, 3);
    assert_eq!(outcome.summary.status, RunStatus::Failure);
    assert_eq!(outcome.exit_code.number(), 4);
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
                    .map(|properties| SmallResult {
                        input,
                        status: Status::Success,
                        properties,
                        payload: b"{\"a\": 1}",
                    })
                    .collect();
                context.add_results(&batch)
            })
        })
        .with("pairs", InputKind::Document, |context| {
            // Two inputs are taken before the first is answered.
            while let Some(first) = context.next_input()? {
                let second = context.next_input()?.unwrap();
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
fn cancelling_ends_every_wait() {
    let cancellation = Cancellation::new();
    let (reached, at) = mpsc::channel();
    let reached = Mutex::new(reached);
    let hook_fired = Arc::new(AtomicBool::new(false));
    let fired = Arc::clone(&hook_fired);
    let connector = Scripted::default()
        .with("make", InputKind::None, |context| {
            request(context, |input| send(context, input, "a", &body(0)))
        })
        .with("stall", InputKind::Document, move |context| {
            let fired = Arc::clone(&fired);
            let (unblock, blocked) = mpsc::channel::<()>();
            let unblock = Mutex::new(unblock);
            context.on_cancel(Box::new(move || {
                fired.store(true, Ordering::SeqCst);
                let _ = lock(&unblock).send(());
            }));
            let _input = context.next_input()?;
            let _ = lock(&reached).send(());
            let _ = blocked.recv();
            Err(Error::cancelled())
        });
    let canceller = thread::spawn({
        let cancellation = Arc::clone(&cancellation);
        move || {
            at.recv().unwrap();
            cancellation.cancel();
        }
    });
    let recorder = Arc::new(Recorder::default());
    let outcome = run_with(connector, &steps(&["make", "stall"]), &recorder, &cancellation);
    canceller.join().unwrap();
    assert!(hook_fired.load(Ordering::SeqCst));
    assert_eq!(outcome.exit_code.number(), 130);
    assert_eq!(outcome.summary.status, RunStatus::Failure);
    assert_eq!(outcome.summary.documents.success, 0);
}

#[test]
fn a_panic_in_a_callback_of_the_host_leaves_it_usable() {
    let connector = Scripted::default().with("make", InputKind::None, |context| {
        request(context, |input| {
            for name in ["a", "b", "c"] {
                // As the adapter of a loaded connector does.
                let _ = catch_unwind(AssertUnwindSafe(|| send(context, input, name, b"x")));
            }
            Ok(())
        })
    });
    let recorder = Arc::new(Recorder::default());
    recorder.panics_at.store(2, Ordering::SeqCst);
    let outcome = run_with(connector, &steps(&["make"]), &recorder, &Cancellation::new());
    assert_eq!(recorder.lines(), ["make 1 Success", "make 3 Success"]);
    assert_eq!(outcome.exit_code.number(), 0);
}

#[test]
fn a_panic_of_a_connector_is_an_internal_error() {
    let connector = Scripted::default().with("make", InputKind::None, |_| panic!("asked to panic"));
    let (outcome, _) = run(connector, &steps(&["make"]));
    assert_eq!(outcome.exit_code.number(), 1);
    assert_eq!(outcome.summary.status, RunStatus::Failure);
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
