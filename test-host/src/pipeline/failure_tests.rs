//! Runs in which something fails, is refused, is cancelled or panics.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;

use host_sdk::descriptor::InputKind;
use host_sdk::{Error, ErrorKind, InputDocument, Outcome, Properties};
use serde_json::json;

use super::scripted::{
    Recorder, Scripted, body, counts, echo, read_all, request, run, run_with, send, steps,
};
use crate::cancellation::Cancellation;
use crate::locks::lock;
use crate::report::events::{DocumentCounts, RunStatus};

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
                    // The connector continues whatever the host answers.
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
    let mut steps = steps(&["make", "refuse", "end"]);
    steps[2]["storeErrors"] = json!(true);
    let (outcome, recorder) = run(connector, &steps);
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

/// Runs a step whose operation answers each document after `take` has had its body.
fn taken_by(
    take: impl Fn(&mut dyn InputDocument) -> Result<(), Error> + Send + Sync + 'static,
    size: usize,
) -> (u8, DocumentCounts) {
    let connector = Scripted::default()
        .with("make", InputKind::None, move |context| {
            request(context, |input| {
                // Some of it is lost on purpose where the reader leaves it.
                _ = send(context, input, "a", &vec![b'x'; size]);
                Ok(())
            })
        })
        .with("keep", InputKind::Document, move |context| {
            while let Some(mut input) = context.next_input()? {
                take(input.as_mut())?;
                context.input_done(input.id(), &Outcome::Success)?;
            }
            Ok(())
        });
    let (outcome, _) = run(connector, &steps(&["make", "keep"]));
    (outcome.exit_code.number(), outcome.summary.documents)
}

#[test]
fn success_for_a_body_that_was_not_read_is_refused() {
    let failed = (1, counts(0, 0, 0, 1));
    assert_eq!(taken_by(|_| Ok(()), 3), failed);
    assert_eq!(taken_by(|_| Ok(()), 1_000_000), failed);
    // Half of it is no body either.
    let half = |input: &mut dyn InputDocument| input.read(&mut [0; 500]).map(|_| ());
    assert_eq!(taken_by(half, 1_000_000), failed);
    assert_eq!(taken_by(|input| read_all(input).map(|_| ()), 1_000_000), (0, counts(0, 1, 0, 0)));
}

#[test]
fn a_refusal_that_goes_on_as_a_result_needs_no_body() {
    let connector = Scripted::default()
        .with("make", InputKind::None, |context| {
            request(context, |input| {
                assert!(send(context, input, "a", b"x").is_err());
                Ok(())
            })
        })
        .with("keep", InputKind::Document, |context| {
            while let Some(input) = context.next_input()? {
                let refusal = Outcome::ApplicationError(Error::new(ErrorKind::Permission, "no"));
                let mut sink = context.begin_result(input.id(), &Properties::new())?;
                sink.finish(&refusal, &Properties::new())?;
                context.input_done(input.id(), &Outcome::Success)?;
            }
            Ok(())
        });
    let (outcome, _) = run(connector, &steps(&["make", "keep"]));
    assert_eq!(outcome.summary.documents, counts(0, 0, 1, 0));
}
