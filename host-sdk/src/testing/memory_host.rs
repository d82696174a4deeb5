//! A host in memory, for the tests of any connector.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::callback::{Callback, Fault, PlannedFault};
use super::memory_context::MemoryContext;
use super::memory_state::{Input, MemoryResult, Shared};
use crate::connector::Operation;
use crate::error::Error;
use crate::host::context::{Context, Progress};
use crate::host::document::{InputHeader, Properties, RawFile};
use crate::outcome::{Outcome, Summary};

/// A host that keeps everything in memory: it feeds inputs, collects results with their bodies,
/// notes every answer, and cancels, fails or panics where a test wants it to.
///
/// Clones are the same host, so that a test can watch it while another thread executes.
///
/// ```
/// use host_sdk::testing::MemoryHost;
/// use host_sdk::{Outcome, Properties};
///
/// let host = MemoryHost::new();
/// host.add_document(Properties::new().with("fileName", "a.txt"), "body");
///
/// // What a connector does:
/// let context = host.context();
/// let mut input = context.next_input()?.expect("one input was added");
/// while input.read(&mut [0; 16])? > 0 {}
/// let mut sink = context.begin_result(input.id(), &input.header().properties)?;
/// sink.write(b"reply")?;
/// sink.finish(&Outcome::Success, &Properties::new().with("size", "5"))?;
/// context.input_done(input.id(), &Outcome::Success)?;
///
/// let results = host.results();
/// assert_eq!(results[0].body, b"reply");
/// assert_eq!(results[0].properties.get("fileName"), Some("a.txt"));
/// assert!(host.unanswered().is_empty());
/// # Ok::<(), host_sdk::Error>(())
/// ```
#[derive(Clone)]
pub struct MemoryHost {
    shared: Arc<Shared>,
}

impl Default for MemoryHost {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryHost {
    /// A host without inputs, as execution 1.
    #[must_use]
    pub fn new() -> Self {
        Self::for_execution(1)
    }

    /// A host without inputs, as `execution`.
    #[must_use]
    pub fn for_execution(execution: u64) -> Self {
        Self { shared: Arc::new(Shared::new(execution)) }
    }

    /// Adds a document with a body, and answers its id; ids count from 1.
    pub fn add_document(&self, properties: Properties, body: impl Into<Vec<u8>>) -> u64 {
        self.add_input(InputHeader { properties, ..InputHeader::default() }, body)
    }

    /// Adds a request without a body, with these parameters such as `id`.
    pub fn add_request(&self, parameters: &[(&str, &str)]) -> u64 {
        self.add_input(InputHeader::request(parameters), Vec::new())
    }

    /// Adds an input with everything.
    pub fn add_input(&self, header: InputHeader, body: impl Into<Vec<u8>>) -> u64 {
        let body = body.into();
        let size = Some(body.len() as u64);
        self.push(header, Box::new(Cursor::new(body)), size, None)
    }

    /// Adds an input whose body is read from `body`; an error there is a failed source.
    pub fn add_stream(
        &self,
        header: InputHeader,
        body: impl Read + Send + 'static,
        size: Option<u64>,
    ) -> u64 {
        self.push(header, Box::new(body), size, None)
    }

    /// Adds an input whose body is a file that the connector may send by itself.
    ///
    /// # Errors
    ///
    /// What asking for the file's size fails with.
    #[cfg(unix)]
    pub fn add_file(&self, header: InputHeader, file: std::fs::File) -> std::io::Result<u64> {
        use std::os::fd::AsRawFd;
        let length = file.metadata()?.len();
        let raw_file = RawFile { descriptor: file.as_raw_fd(), offset: 0, length };
        Ok(self.push(header, Box::new(file), Some(length), Some(raw_file)))
    }

    fn push(
        &self,
        header: InputHeader,
        body: Box<dyn Read + Send>,
        size: Option<u64>,
        raw_file: Option<RawFile>,
    ) -> u64 {
        let mut state = self.shared.lock();
        let id = state.answers.len() as u64 + 1;
        state.answers.insert(id, None);
        // A connector that sends the file by itself does not read it here.
        if size != Some(0) && raw_file.is_none() {
            state.unread.insert(id);
        }
        state.waiting.push_back(Input { id, size, header, body, raw_file });
        drop(state);
        self.shared.changed();
        id
    }

    /// Has the connector wait for more when the inputs are used up, until the host cancels.
    #[must_use]
    pub fn without_end(self) -> Self {
        self.shared.lock().has_no_end = true;
        self
    }

    /// Refuses a success for an input whose body was not read to its end, as hosts do where the
    /// operation takes documents; by default it is not known whether this one does.
    #[must_use]
    pub fn demanding_bodies(self) -> Self {
        self.shared.lock().demands_bodies = true;
        self
    }

    /// Sets a deadline, `after` from now.
    #[must_use]
    pub fn with_deadline(self, after: Duration) -> Self {
        self.shared.lock().deadline = Some(Instant::now() + after);
        self
    }

    /// Has every call of `callback` react so.
    #[must_use]
    pub fn on(self, callback: Callback, fault: Fault) -> Self {
        self.shared.lock().faults.push(PlannedFault { callback, fault, countdown: None });
        self
    }

    /// Has the `nth` call of `callback`, counted from 1, react so.
    #[must_use]
    pub fn on_nth(self, callback: Callback, nth: usize, fault: Fault) -> Self {
        self.shared.lock().faults.push(PlannedFault { callback, fault, countdown: Some(nth) });
        self
    }

    /// The context to execute with.
    #[must_use]
    pub fn context(&self) -> Context {
        Arc::new(MemoryContext(Arc::clone(&self.shared)))
    }

    /// Executes `operation` with the host's inputs; afterwards the context is closed.
    ///
    /// # Errors
    ///
    /// Those of [`Operation::execute`].
    pub fn execute(&self, operation: &dyn Operation) -> Result<Summary, Error> {
        let result = operation.execute(self.context());
        {
            let mut state = self.shared.lock();
            state.over = true;
            state.hooks.clear();
        }
        // A thread that still waits for an input gets an error.
        self.shared.changed();
        result
    }

    /// Cancels the execution and fires its hooks.
    pub fn cancel(&self) {
        self.shared.cancel();
    }

    /// The acknowledged results in the order of their acknowledgements.
    #[must_use]
    pub fn results(&self) -> Vec<MemoryResult> {
        self.shared.lock().results.clone()
    }

    /// The answer to `input`, if there is one.
    #[must_use]
    pub fn answer(&self, input: u64) -> Option<Outcome> {
        self.shared.lock().answers.get(&input).cloned().flatten()
    }

    /// The inputs without an answer, taken or not.
    #[must_use]
    pub fn unanswered(&self) -> Vec<u64> {
        let state = self.shared.lock();
        state.answers.iter().filter(|(_, answer)| answer.is_none()).map(|(id, _)| *id).collect()
    }

    /// How many results were begun and dropped unfinished.
    #[must_use]
    pub fn discarded(&self) -> usize {
        self.shared.lock().discarded
    }

    /// Has the host keep `body` as the beginning of the document `identity`.
    #[must_use]
    pub fn keeping(self, identity: &str, body: impl Into<Vec<u8>>) -> Self {
        self.shared.lock().kept.insert(identity.to_owned(), body.into());
        self
    }

    /// What the host keeps of documents that were cut, by their identities.
    #[must_use]
    pub fn kept(&self) -> BTreeMap<String, Vec<u8>> {
        self.shared.lock().kept.clone()
    }

    /// How often the connector called `callback`.
    #[must_use]
    pub fn calls(&self, callback: Callback) -> usize {
        self.shared.lock().calls.get(&callback).copied().unwrap_or_default()
    }

    /// All progress that was reported.
    #[must_use]
    pub fn progress(&self) -> Vec<Progress> {
        self.shared.lock().progress.clone()
    }

    /// Promises that the connector broke, such as answering an input twice.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.shared.lock().violations.clone()
    }

    /// True if `condition` becomes true within `patience`; it is evaluated after every change.
    pub fn wait_until(&self, patience: Duration, condition: impl Fn(&Self) -> bool) -> bool {
        let end = Instant::now() + patience;
        loop {
            // Noted before the question, so that no change between it and the wait is missed.
            let seen = self.shared.lock().changes;
            if condition(self) {
                return true;
            }
            let mut state = self.shared.lock();
            while state.changes == seen {
                let Some(left) = end.checked_duration_since(Instant::now()) else { return false };
                let waited = self.shared.changed.wait_timeout(state, left);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }
}
