//! Sets document properties.

use std::collections::BTreeMap;
use std::sync::Arc;

use host_sdk::{Error, Properties};

use crate::engine::document::{Document, End};
use crate::engine::step_input::{Acknowledgement, BodySink, BodySource, OnKeptBytes, StepInput};
use crate::template::Template;

/// The step setProperties.
pub(crate) struct SetProperties {
    pub(crate) properties: Arc<BTreeMap<String, Template>>,
    pub(crate) next: Arc<dyn StepInput>,
}

impl StepInput for SetProperties {
    fn begin(&self, document: &Document) -> Result<Box<dyn BodySink>, Error> {
        let mut changed = document.clone();
        changed.origins.retain(|id, _| !self.properties.contains_key(id));
        let mut open = Vec::new();
        for (id, template) in self.properties.iter() {
            match template.expand(&document.properties) {
                Ok(value) => changed.properties.insert(id, value),
                // It can refer to a property that comes with the end of the body.
                Err(_) => open.push(id.clone()),
            }
        }
        Ok(Box::new(PropertyWriter {
            templates: Arc::clone(&self.properties),
            incoming: document.properties.clone(),
            open,
            next: self.next.begin(&changed)?,
        }))
    }
}

struct PropertyWriter {
    templates: Arc<BTreeMap<String, Template>>,
    incoming: Properties,
    open: Vec<String>,
    next: Box<dyn BodySink>,
}

impl BodySink for PropertyWriter {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.next.write(bytes)
    }

    fn pull(&mut self, source: Box<dyn BodySource>) -> Result<Box<dyn BodySource>, Error> {
        self.next.pull(source)
    }

    fn resume(&mut self, identity: &str, on_kept: &mut OnKeptBytes<'_>) -> Result<(), Error> {
        self.next.resume(identity, on_kept)
    }

    fn discard(&mut self) -> Result<(), Error> {
        self.next.discard()
    }

    fn close(self: Box<Self>, end: &End) -> Result<Box<dyn Acknowledgement>, Error> {
        let Self { templates, mut incoming, open, next } = *self;
        incoming.extend(&end.properties);
        // What the step sets overrides a late property of the same name.
        let late = end.properties.iter();
        let mut properties: Properties =
            late.filter(|(id, _)| !templates.contains_key(*id)).collect();
        for (id, template) in templates.iter() {
            let changed = end.properties.iter().any(|(late, _)| template.refers_to(late));
            if changed || open.contains(id) {
                properties.insert(id, template.expand(&incoming)?);
            }
        }
        next.close(&End { properties, ..end.clone() })
    }
}
