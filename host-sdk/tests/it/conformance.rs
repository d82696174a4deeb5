//! The suite passes for the echo connector, native and loaded, and sees what it should see.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use host_sdk::conformance::{self, InputCase, OperationCase, Profile, Verdict};
use host_sdk::loader::load;
use host_sdk::{
    BrowseAnswer, BrowseRequest, CheckReport, Connection, Connector, ConnectorDescriptor, Context,
    Error, ErrorKind, InputDocument, Operation, Outcome, Properties, Summary,
};
use log::LevelFilter;
use serde_json::{Value, json};

use crate::support::{Recorder, cargo_build, library_among, load_echo, scratch};

#[path = "../doubles/echo_connector.rs"]
mod echo_connector;

use echo_connector::EchoConnector;

fn echo_case() -> OperationCase {
    let settings = json!({"operation": "echo", "options": {"copies": 2, "refuse": "unwanted"}});
    OperationCase::new("echo", settings)
        .input(
            InputCase::document(Properties::new().with("name", "first"), "one")
                .gives_body("> one")
                .gives_body("> one")
                .with_result_property("name", "first"),
        )
        .input(
            InputCase::document(Properties::new().with("name", "unwanted"), "two")
                .is_refused(ErrorKind::Permission)
                .gives(0),
        )
        .input(InputCase::document(Properties::new(), "").gives(2))
}

fn profile() -> Profile {
    Profile::new(json!({"prefix": "> "})).operation(echo_case()).operation(
        OperationCase::new("list", json!({"operation": "list", "options": {"copies": 100}}))
            .input(InputCase::request(&[]).gives(100)),
    )
}

/// What the profile cannot show: `wait` ends only when it is cancelled.
const SKIPPED: [&str; 1] = ["wait"];

#[test]
fn the_example_keeps_every_promise() {
    let built = cargo_build(&["--example", "notes_connector"]);
    let library = library_among(&built, "notes_connector");
    let notes = load(&library, Recorder::new(LevelFilter::Warn)).unwrap();
    let folder = scratch("notes");
    fs::write(folder.join("old"), "an old note").unwrap();
    let named = |name: &str| Properties::new().with("fileName", name);
    let read = OperationCase::new("read", json!({"operation": "read"}))
        .input(InputCase::request(&[("id", "old")]).gives_body("an old note"))
        .input(InputCase::request(&[("id", "none")]).is_refused(ErrorKind::NotFound))
        .input(InputCase::request(&[("id", "../old")]).is_refused(ErrorKind::Document));
    let write = OperationCase::new("write", json!({"operation": "write"}))
        .input(InputCase::document(named("new"), "a new note").gives(0));
    let profile = Profile::new(json!({"folder": folder})).operation(read).operation(write);
    let skipped = ["the connection tests itself", "the connection can be browsed"];
    conformance::run(&notes, &profile).assert_passed(&skipped);
    assert_eq!(fs::read_to_string(folder.join("new")).unwrap(), "a new note");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
}

#[test]
fn the_native_connector_conforms() {
    conformance::run(&EchoConnector::new(), &profile()).assert_passed(&SKIPPED);
}

#[test]
fn the_loaded_connector_conforms() {
    conformance::run(&load_echo(), &profile()).assert_passed(&SKIPPED);
}

#[test]
fn a_case_that_happens_once_skips_by_name() {
    let once = Profile::new(json!({"prefix": "> "})).operation(echo_case().once());
    conformance::run(&EchoConnector::new(), &once).assert_passed(&[
        "list",
        "wait",
        "echo: it executes again",
        "echo: it executes on several threads at once",
        "echo: cancelled at work, it ends and claims no success",
        "echo: a host that fails is no success",
    ]);
}

/// A promise to break.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    DescribesBadly,
    TakesAnySetting,
    AnswersTwice,
    LeavesUnanswered,
    ClaimsSuccess,
    HearsNoCancellation,
    Panics,
    FinishesBrokenResults,
    ReadsNothing,
    ReadsHalf,
    AnswersTooLate,
}

/// The echo connector with a fault.
struct Faulty(Fault);

impl Connector for Faulty {
    fn descriptor(&self) -> Result<ConnectorDescriptor, Error> {
        let mut descriptor = EchoConnector::new().descriptor()?;
        if self.0 == Fault::DescribesBadly {
            descriptor.connection.fields[0].id = "Pre_fix".to_owned();
            descriptor.connection.fields[0].help = String::new();
            descriptor.operations[0].fields[0].default = Some(json!(-1));
            descriptor.tracked_properties[0].input_of.push("absent".to_owned());
        }
        Ok(descriptor)
    }

    fn connect(&self, settings: &Value, context: Context) -> Result<Arc<dyn Connection>, Error> {
        let takes_any = self.0 == Fault::TakesAnySetting;
        let known = if takes_any { json!({"prefix": "> "}) } else { settings.clone() };
        Ok(Arc::new(FaultyConnection(self.0, EchoConnector::new().connect(&known, context)?)))
    }
}

struct FaultyConnection(Fault, Arc<dyn Connection>);

impl Connection for FaultyConnection {
    fn test(&self, context: Context) -> Result<CheckReport, Error> {
        self.1.test(context)
    }

    fn browse(&self, request: &BrowseRequest, context: Context) -> Result<BrowseAnswer, Error> {
        self.1.browse(request, context)
    }

    fn operation(&self, settings: &Value) -> Result<Arc<dyn Operation>, Error> {
        Ok(Arc::new(FaultyOperation(self.0, self.1.operation(settings)?)))
    }

    fn close(&self) -> Result<(), Error> {
        self.1.close()
    }
}

struct FaultyOperation(Fault, Arc<dyn Operation>);

impl Operation for FaultyOperation {
    fn execute(&self, context: Context) -> Result<Summary, Error> {
        match self.0 {
            Fault::AnswersTwice => {
                let input = context.next_input()?.map(|input| input.id());
                let summary = self.1.execute(Arc::clone(&context))?;
                if let Some(input) = input {
                    context.input_done(input, &Outcome::Success)?;
                    _ = context.input_done(input, &Outcome::Success);
                }
                Ok(summary)
            }
            Fault::LeavesUnanswered => {
                context.next_input()?;
                self.1.execute(context)
            }
            Fault::ClaimsSuccess => {
                let mut summary = Summary::default();
                while let Some(input) = context.next_input()? {
                    if let Ok(mut sink) = context.begin_result(input.id(), &Properties::new()) {
                        _ = sink.write(b"> one");
                        _ = sink.finish(&Outcome::Success, &Properties::new());
                    }
                    context.input_done(input.id(), &Outcome::Success)?;
                    summary.inputs += 1;
                }
                Ok(summary)
            }
            Fault::FinishesBrokenResults => answer_each(&context, |input| {
                read(input, usize::MAX)?;
                let mut sink = context.begin_result(input.id(), &Properties::new())?;
                _ = sink.write(b"> one");
                sink.finish(&Outcome::Success, &Properties::new())
            }),
            Fault::ReadsNothing => answer_each(&context, |_| Ok(())),
            Fault::ReadsHalf => answer_each(&context, |input| read(input, 1)),
            Fault::AnswersTooLate => {
                let Some(input) = context.next_input()? else { return self.1.execute(context) };
                let late = Arc::clone(&context);
                std::thread::spawn(move || {
                    while !late.is_cancelled() {
                        std::thread::yield_now();
                    }
                    _ = late.input_done(input.id(), &Outcome::Success);
                });
                self.1.execute(context)
            }
            Fault::HearsNoCancellation => loop {
                std::thread::park();
            },
            Fault::Panics => panic!("as a faulty connector does"),
            Fault::DescribesBadly | Fault::TakesAnySetting => self.1.execute(context),
        }
    }
}

/// Answers each input as `take` has it.
fn answer_each(
    context: &Context,
    take: impl Fn(&mut dyn InputDocument) -> Result<(), Error>,
) -> Result<Summary, Error> {
    let mut summary = Summary::default();
    while let Some(mut input) = context.next_input()? {
        let outcome = take(input.as_mut()).map_or_else(Outcome::Failure, |()| Outcome::Success);
        _ = context.input_done(input.id(), &outcome);
        summary.inputs += 1;
    }
    Ok(summary)
}

/// Reads the body to its end, or so many bytes of it.
fn read(input: &mut dyn InputDocument, bytes: usize) -> Result<(), Error> {
    let mut buffer = [0; 1];
    let mut count = 0;
    while count < bytes && input.read(&mut buffer)? > 0 {
        count += 1;
    }
    Ok(())
}

#[test]
fn every_fault_is_seen() {
    let seen_by = [
        (Fault::DescribesBadly, "ids are unique and camelCase"),
        (Fault::DescribesBadly, "everything has a label and a help text"),
        (Fault::DescribesBadly, "every default is allowed by its own field"),
        (Fault::DescribesBadly, "whatever is referred to exists"),
        (Fault::TakesAnySetting, "a wrong connection setting is refused"),
        (Fault::AnswersTwice, "echo: every input is answered once, as expected"),
        (Fault::LeavesUnanswered, "echo: every input is answered once, as expected"),
        (Fault::ClaimsSuccess, "echo: a host that fails is no success"),
        (Fault::ClaimsSuccess, "echo: every input is answered once, as expected"),
        (Fault::HearsNoCancellation, "echo: cancelled while it waits for inputs, it ends"),
        (Fault::HearsNoCancellation, "echo: cancelled at work, it ends and claims no success"),
        (Fault::Panics, "echo: no inputs are no work"),
        (Fault::FinishesBrokenResults, "echo: a host that fails is no success"),
        (Fault::ReadsNothing, "echo: every input is answered once, as expected"),
        (Fault::ReadsHalf, "echo: every input is answered once, as expected"),
        (Fault::AnswersTooLate, "echo: every input is answered once, as expected"),
    ];
    // Only one of them is ever waited for in vain.
    let profile = profile().with_patience(Duration::from_millis(50));
    for (fault, check) in seen_by {
        let report = conformance::run(&Faulty(fault), &profile);
        let found = report.checks.iter().find(|found| found.name == check);
        let is_seen = found.is_some_and(|found| matches!(found.verdict, Verdict::Failed(_)));
        assert!(is_seen, "{fault:?} is not seen by {check:?}:\n{report}");
    }
}

#[test]
fn what_was_wrong_is_said() {
    let said = [
        (Fault::FinishesBrokenResults, "a result of input 1 was finished after failed as planned"),
        (Fault::ReadsNothing, "input 1 is called a success and was not read to its end"),
        (Fault::ReadsHalf, "input 1 is called a success and was not read to its end"),
        (Fault::AnswersTooLate, "no answer to [1]"),
    ];
    for (fault, words) in said {
        let report = conformance::run(&Faulty(fault), &profile());
        let is_said = report.failures().any(
            |check| matches!(&check.verdict, Verdict::Failed(failed) if failed.contains(words)),
        );
        assert!(is_said, "{fault:?}:\n{report}");
    }
}
