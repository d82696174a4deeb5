//! Checks of executions.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::conformance::profile::{InputCase, OperationCase, Profile};
use crate::conformance::report::{
    CheckFailure, CheckOutcome, Report, ensure, ensure_none, failed, skipped,
};
use crate::connector::{Connection, Operation};
use crate::descriptor::connector::{ConnectorDescriptor, InputKind};
use crate::error::{Error, ErrorKind};
use crate::outcome::{Outcome, Status, Summary};
use crate::testing::callback::{Callback, Fault};
use crate::testing::memory_host::MemoryHost;

/// How many threads execute one operation at once.
const THREADS: u64 = 4;

/// Where a host can fail an input.
const FALLIBLE: [Callback; 6] = [
    Callback::Read,
    Callback::BeginResult,
    Callback::Write,
    Callback::Finish,
    Callback::Resume,
    Callback::AddResults,
];

/// Checks every case of the profile over `connection`.
pub(super) fn check(
    connection: &dyn Connection,
    profile: &Profile,
    descriptor: &ConnectorDescriptor,
    report: &mut Report,
) {
    for case in &profile.operations {
        let mut add = |what: &str, finding| report.add(format!("{}: {what}", case.name), finding);
        let operation = match connection.operation(&case.settings) {
            Ok(operation) => operation,
            Err(error) => {
                add("the settings are taken", failed(error.to_string()));
                continue;
            }
        };
        let takes_bodies = descriptor.operations.iter().any(|declared| {
            declared.id == case.operation() && declared.input == InputKind::Document
        });
        let check = OperationCheck { operation, case, takes_bodies, patience: profile.patience };
        // Those that execute nothing come before an execution that can happen only once.
        add("no inputs are no work", check.executes_without_inputs());
        add("cancelled before it begins, it does nothing", check.is_cancelled_before());
        add("cancelled while it waits for inputs, it ends", check.is_cancelled_waiting());
        add("every input is answered once, as expected", check.executes());
        add("it executes again", check.repeats());
        add("it executes on several threads at once", check.executes_at_once());
        add("cancelled at work, it ends and claims no success", check.is_cancelled_at_work());
        add("a host that fails is no success", check.survives_failures());
    }
}

struct OperationCheck<'a> {
    operation: Arc<dyn Operation>,
    case: &'a OperationCase,
    takes_bodies: bool,
    patience: Duration,
}

/// An execution in a thread of its own, so that a stuck one is noticed.
struct BackgroundExecution {
    host: MemoryHost,
    ended: mpsc::Receiver<Result<Summary, Error>>,
    patience: Duration,
}

impl BackgroundExecution {
    /// The execution's end, which is a finding where it does not come.
    fn end(self) -> CheckOutcome<Result<Summary, Error>> {
        match self.ended.recv_timeout(self.patience) {
            Ok(result) => Ok(result),
            Err(RecvTimeoutError::Disconnected) => failed("the execution panicked"),
            Err(RecvTimeoutError::Timeout) => {
                self.host.cancel();
                failed(format!("the execution did not end within {:?}", self.patience))
            }
        }
    }
}

impl OperationCheck<'_> {
    fn start(&self, host: &MemoryHost) -> CheckOutcome<BackgroundExecution> {
        let (operation, executing) = (Arc::clone(&self.operation), host.clone());
        let (tell, ended) = mpsc::channel();
        let started = thread::Builder::new().name("execution".to_owned()).spawn(move || {
            let result = executing.execute(operation.as_ref());
            // The receiver is gone if the time ran out.
            _ = tell.send(result);
        });
        match started {
            Ok(_) => Ok(BackgroundExecution { host: host.clone(), ended, patience: self.patience }),
            Err(e) => failed(format!("no thread can be started: {e}")),
        }
    }

    fn run(&self, host: &MemoryHost) -> CheckOutcome<Result<Summary, Error>> {
        self.start(host)?.end()
    }

    fn host_with_inputs(&self) -> MemoryHost {
        self.host_with_inputs_for(1)
    }

    fn host_with_inputs_for(&self, execution: u64) -> MemoryHost {
        let host = MemoryHost::for_execution(execution);
        let host = if self.takes_bodies { host.demanding_bodies() } else { host };
        self.case.feed(&host);
        host
    }

    fn executes_without_inputs(&self) -> CheckOutcome {
        let host = MemoryHost::new();
        match self.run(&host)? {
            Ok(summary) => {
                ensure(summary == Summary::default() && host.results().is_empty(), || {
                    format!("the summary is {summary:?}")
                })
            }
            Err(error) => failed(error.to_string()),
        }
    }

    fn executes(&self) -> CheckOutcome {
        let host = self.host_with_inputs();
        let result = self.run(&host)?;
        self.as_expected(&host, result)
    }

    fn as_expected(&self, host: &MemoryHost, result: Result<Summary, Error>) -> CheckOutcome {
        let summary = result.map_err(|error| CheckFailure::Failed(error.to_string()))?;
        ensure_none(&host.violations())?;
        ensure(host.unanswered().is_empty(), || format!("no answer to {:?}", host.unanswered()))?;
        for (id, expected) in (1..).zip(&self.case.inputs) {
            answers(host, id, expected)?;
        }
        ensure(summary.inputs == self.case.inputs.len() as u64, || {
            format!("the summary counts {} inputs", summary.inputs)
        })?;
        ensure(summary.results == host.results().len() as u64, || {
            format!("the summary counts {} results of {}", summary.results, host.results().len())
        })
    }

    fn repeats(&self) -> CheckOutcome {
        self.must_repeat()?;
        self.executes()
    }

    fn must_repeat(&self) -> CheckOutcome {
        if self.case.is_repeatable { Ok(()) } else { skipped("the case can be executed once only") }
    }

    fn executes_at_once(&self) -> CheckOutcome {
        self.must_repeat()?;
        if self.case.prepare.is_some() {
            return skipped("every execution must be prepared for");
        }
        let running = (1..=THREADS)
            .map(|number| self.start(&self.host_with_inputs_for(number)))
            .collect::<CheckOutcome<Vec<BackgroundExecution>>>()?;
        for execution in running {
            let host = execution.host.clone();
            let result = execution.end()?;
            self.as_expected(&host, result)?;
        }
        Ok(())
    }

    fn is_cancelled_before(&self) -> CheckOutcome {
        let host = self.host_with_inputs();
        host.cancel();
        was_cancelled(self.run(&host)?)?;
        ensure(host.results().is_empty(), || "there are results nevertheless".to_owned())
    }

    fn is_cancelled_waiting(&self) -> CheckOutcome {
        let host = MemoryHost::new().without_end();
        let running = self.start(&host)?;
        // An execution that ended without asking shows below.
        host.wait_until(self.patience, |host| host.calls(Callback::NextInput) > 0);
        host.cancel();
        was_cancelled(running.end()?)
    }

    fn is_cancelled_at_work(&self) -> CheckOutcome {
        self.must_repeat()?;
        self.at_every_callback(&Fault::Cancel)
    }

    fn survives_failures(&self) -> CheckOutcome {
        self.must_repeat()?;
        let planned = Error::new(ErrorKind::Host, "failed as planned");
        self.at_every_callback(&Fault::Fail(planned))
    }

    /// Executes once for every callback that the case makes, which reacts so the first time; the
    /// input that it happened to must not be called a success.
    fn at_every_callback(&self, reaction: &Fault) -> CheckOutcome {
        let mut reacted = 0;
        for callback in FALLIBLE {
            let host = self.host_with_inputs().on_nth(callback, 1, reaction.clone());
            let result = self.run(&host)?;
            if host.calls(callback) == 0 {
                continue;
            }
            reacted += 1;
            ensure_none(&host.violations())?;
            // One input is in trouble, so that many successes are one too many.
            let successes = (1..=self.case.inputs.len() as u64)
                .filter(|id| host.answer(*id) == Some(Outcome::Success))
                .count();
            let expected = self.case.inputs.iter().filter(|input| input.status == Status::Success);
            let claims_all = result.is_ok() && successes >= expected.count();
            ensure(!claims_all, || format!("all succeeded in spite of trouble in {callback:?}"))?;
        }
        if reacted == 0 { skipped("the case moves no bodies") } else { Ok(()) }
    }
}

fn was_cancelled(result: Result<Summary, Error>) -> CheckOutcome {
    match result {
        Err(error) if error.kind() == ErrorKind::Cancelled => Ok(()),
        Err(error) => failed(format!("it ends as {}: {error}", error.kind())),
        Ok(_) => failed("it ends as if it had done its work"),
    }
}

fn answers(host: &MemoryHost, id: u64, expected: &InputCase) -> CheckOutcome {
    let answer = host.answer(id);
    let (status, kind) = answer
        .as_ref()
        .map_or((None, None), |outcome| (Some(outcome.status()), outcome.error().map(Error::kind)));
    // Success and emptiness are one answer; the number of results distinguishes them.
    let is_expected = match expected.status {
        Status::Empty | Status::Success => status == Some(Status::Success),
        wanted => status == Some(wanted) && kind == expected.kind,
    };
    ensure(is_expected, || format!("input {id} is answered with {answer:?}"))?;
    let results: Vec<_> = host.results().into_iter().filter(|result| result.input == id).collect();
    ensure(expected.results.is_none_or(|count| count == results.len()), || {
        format!("input {id} has {} results", results.len())
    })?;
    for body in &expected.bodies {
        ensure(results.iter().any(|result| result.body == *body), || {
            format!("no result of input {id} has the body {:?}", String::from_utf8_lossy(body))
        })?;
    }
    for (property, value) in expected.properties.iter() {
        ensure(
            results.iter().all(|result| result.properties.get(property) == Some(value)),
            || format!("a result of input {id} lacks {property} = {value}"),
        )?;
    }
    Ok(())
}
