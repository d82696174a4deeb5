//! The run of a prepared process.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, ScopedJoinHandle};

use host_sdk::Error;

use super::prepare::{Prepared, PreparedStep};
use crate::cancellation::Cancellation;
use crate::engine::document::StepIdentity;
use crate::engine::execution::{ExecutionPlan, Inputs};
use crate::engine::expecting::Expecting;
use crate::engine::handover::Handover;
use crate::engine::queue::{QueueInput, StepQueue};
use crate::engine::run::Run;
use crate::engine::step_input::StepInput;
use crate::exit_code::ExitCode;
use crate::ledger::{self, Batches};
use crate::process::model::{Step, TrackingDirection};
use crate::report::Reporter;
use crate::report::events::{Event, SummaryEvent};
use crate::steps::database::{Database, DatabaseInput};
use crate::steps::message::ReplaceBodies;
use crate::steps::set_properties::SetProperties;
use crate::steps::write_files::{Directory, WriteFiles};
use crate::steps::{connector, message, read_files};
use host_sdk::kit::shortage;

/// How a process ended.
#[derive(Clone, Debug, PartialEq)]
pub struct RunOutcome {
    /// The summary, which is the last event.
    pub summary: SummaryEvent,
    /// The exit code of the program.
    pub exit_code: ExitCode,
}

/// A connector step after the first. It has a thread of its own.
struct Worker {
    position: usize,
    queue: Arc<StepQueue>,
    next: Arc<dyn StepInput>,
}

impl Prepared {
    /// Runs the process on the calling thread, and on one more for each connector step after the
    /// first. Blocks until everything is acknowledged, failed or cancelled. The summary is then
    /// reported.
    ///
    /// # Errors
    ///
    /// `configuration` or `busy` when a directory or a database cannot be opened: nothing was done.
    pub fn run(
        &self,
        reporter: &Arc<dyn Reporter>,
        cancellation: &Arc<Cancellation>,
    ) -> Result<RunOutcome, Error> {
        let run =
            Run::new(self.process.process.clone(), Arc::clone(reporter), Arc::clone(cancellation));
        let identities: Vec<Arc<StepIdentity>> = self
            .process
            .steps
            .iter()
            .map(|step| {
                let tracks_input = matches!(step, Step::Connector(step)
                    if step.tracking_direction == TrackingDirection::Input);
                Arc::new(StepIdentity { name: step.name().into(), tracks_input })
            })
            .collect();
        let (first, workers) = self.assemble(&run, &identities)?;
        thread::scope(|scope| {
            let mut threads = Vec::new();
            let mut lacking = None;
            let watch = cancellation.remaining().and_then(|_| {
                let watch = shortage::spawn_scoped(scope, "the deadline", || cancellation.watch());
                watch.map_err(|e| lacking = Some((0, e))).ok()
            });
            for worker in &workers {
                let (run, identities) = (&run, &identities);
                let name = format!("step \"{}\"", identities[worker.position].name);
                match shortage::spawn_scoped(scope, &name, move || {
                    self.work(run, identities, worker);
                }) {
                    Ok(thread) => threads.push((worker, thread)),
                    Err(error) => {
                        // The previous step must not wait for a step without a thread.
                        worker.queue.close_with(&error);
                        lacking.get_or_insert((worker.position, error));
                        break;
                    }
                }
            }
            match lacking {
                Some((position, error)) => run.step_failed(&identities[position], &error, false),
                None => {
                    // Without this, the other threads would wait without limit after a panic.
                    let produced = catch_unwind(AssertUnwindSafe(|| {
                        self.produce(&run, &identities[0], first);
                    }));
                    if produced.is_err() {
                        run.step_failed(
                            &identities[0],
                            &Error::internal("the step panicked"),
                            false,
                        );
                    }
                }
            }
            // From the first to the last: the end of a step ends the inputs of the next.
            for (worker, thread) in threads.into_iter().rev() {
                worker.queue.end();
                // A panic ends inside the thread.
                let _ = thread.join();
            }
            cancellation.run_ended();
            // The thread only waits. A panic in it does not concern the run.
            let _ = watch.map(ScopedJoinHandle::join);
        });
        for (name, connection) in &self.connections {
            if let Err(error) = connection.close() {
                run.warn(format!("connection \"{name}\" did not close: {error}"));
            }
        }
        let (summary, exit_code) = run.finish();
        reporter.event(&Event::Summary(summary.clone()));
        Ok(RunOutcome { summary, exit_code })
    }

    /// Builds what receives the input of each step, from the last step to the second. Workers are
    /// listed last step first.
    fn assemble(
        &self,
        run: &Arc<Run>,
        identities: &[Arc<StepIdentity>],
    ) -> Result<(Arc<dyn StepInput>, Vec<Worker>), Error> {
        let mut workers = Vec::new();
        let mut after: Option<(Arc<StepIdentity>, Arc<dyn StepInput>)> = None;
        for position in (0..identities.len()).rev() {
            let identity = &identities[position];
            let is_last = after.is_none();
            let next = match after.take() {
                None => Handover::after_last(run, identity),
                Some((entered, input)) => Handover::between(run, identity, &entered, input),
            };
            if position == 0 {
                return Ok((next, workers));
            }
            let under_path = |e: Error| e.under(&format!("$.steps[{position}]"));
            let input: Arc<dyn StepInput> =
                match (&self.steps[position], &self.process.steps[position]) {
                    (PreparedStep::Connector { bodies, .. }, step) => {
                        let Step::Connector(step) = step else { return Err(mismatch()) };
                        let queue = StepQueue::new(*bodies, step.store_errors, run.cancellation());
                        workers.push(Worker { position, queue: Arc::clone(&queue), next });
                        let entrance: Arc<dyn StepInput> = Arc::new(QueueInput(queue));
                        let (run, step) = (Arc::clone(run), Arc::clone(identity));
                        if *bodies {
                            Arc::new(Expecting { run, step, next: entrance })
                        } else {
                            entrance
                        }
                    }
                    (PreparedStep::SetProperties(properties), _) => {
                        Arc::new(SetProperties { properties: Arc::clone(properties), next })
                    }
                    (PreparedStep::Message(messages), _) => {
                        let message = messages.first().ok_or_else(mismatch)?;
                        Arc::new(ReplaceBodies { message: Arc::new(message.clone()), next })
                    }
                    (_, Step::WriteFiles(step)) => {
                        let directory = Directory::open(&step.directory).map_err(under_path)?;
                        Arc::new(WriteFiles {
                            run: Arc::clone(run),
                            directory,
                            if_exists: step.if_exists,
                            preserve_timestamp: step.preserve_timestamp,
                            store_errors: step.store_errors,
                            next,
                        })
                    }
                    (_, Step::Database(step)) => Arc::new(DatabaseInput(Arc::new(Database {
                        run: Arc::clone(run),
                        step: Arc::clone(identity),
                        batches: Batches::new(
                            ledger::open(&step.url, &step.table).map_err(under_path)?,
                        ),
                        is_last,
                        store_errors: step.store_errors,
                        next,
                    }))),
                    _ => return Err(mismatch()),
                };
            after = Some((Arc::clone(identity), input));
        }
        Err(Error::internal("the process has no steps"))
    }

    /// Runs the first step.
    fn produce(&self, run: &Arc<Run>, identity: &Arc<StepIdentity>, next: Arc<dyn StepInput>) {
        let produced = match (&self.steps[0], &self.process.steps[0]) {
            (PreparedStep::Connector { .. }, _) => {
                self.execute(run, identity, 0, Inputs::request(), next);
                Ok(())
            }
            (PreparedStep::Message(messages), _) => message::produce(run, identity, messages, next),
            (_, Step::ReadFiles(step)) => read_files::produce(run, identity, step, next)
                .map_err(|e| if e.report().path.is_some() { e.under("$.steps[0]") } else { e }),
            _ => Err(mismatch()),
        };
        if let Err(error) = produced
            && !run.cancellation().is_cancelled()
        {
            run.step_failed(identity, &error, false);
        }
    }

    /// Runs a connector step that is not the first, until its inputs end.
    fn work(&self, run: &Arc<Run>, identities: &[Arc<StepIdentity>], worker: &Worker) {
        let Worker { position, queue, next } = worker;
        let inputs = Inputs::Queue(Arc::clone(queue));
        let identity = &identities[*position];
        let executed = catch_unwind(AssertUnwindSafe(|| {
            self.execute(run, identity, *position, inputs, next.clone());
        }));
        if executed.is_err() {
            // The previous step must not wait for this one any more.
            let error = Error::internal("the step panicked");
            queue.close_with(&error);
            run.step_failed(identity, &error, false);
        }
    }

    fn execute(
        &self,
        run: &Arc<Run>,
        identity: &Arc<StepIdentity>,
        position: usize,
        inputs: Inputs,
        next: Arc<dyn StepInput>,
    ) {
        let (
            PreparedStep::Connector { operation, parameters, overrides, names_objects, .. },
            Step::Connector(step),
        ) = (&self.steps[position], &self.process.steps[position])
        else {
            run.step_failed(identity, &mismatch(), false);
            return;
        };
        let plan = ExecutionPlan {
            step: Arc::clone(identity),
            source: step.connection.as_str().into(),
            parameters: parameters.clone(),
            overrides: overrides.clone(),
            names_objects: *names_objects,
            continue_on_error: step.continue_on_error,
            inputs,
            next,
        };
        connector::execute(run, operation.as_ref(), plan);
    }
}

fn mismatch() -> Error {
    Error::internal("a step was prepared as another")
}
