//! Says how much is on its way into a step.

use std::sync::Arc;

use host_sdk::Error;

use super::document::{Document, StepIdentity};
use super::run::Run;
use super::step_input::{BodySink, StepInput};

/// Reports the sizes of the documents that enter `next`.
pub(crate) struct Expecting {
    pub(crate) run: Arc<Run>,
    pub(crate) step: Arc<StepIdentity>,
    pub(crate) next: Arc<dyn StepInput>,
}

impl StepInput for Expecting {
    fn begin(&self, document: &Document) -> Result<Box<dyn BodySink>, Error> {
        let body = self.next.begin(document)?;
        if let Some(size) = document.size {
            self.run.reporter().expect(&self.step.name, size);
        }
        Ok(body)
    }
}
