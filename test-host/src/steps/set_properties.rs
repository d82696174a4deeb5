//! Sets document properties.

use std::collections::BTreeMap;
use std::sync::Arc;

use host_sdk::{Error, Properties};

use crate::engine::document::{Document, End};
use crate::engine::stage::{Acknowledgement, BodySink, Held, Stage};
use crate::template::Template;

/// The step.
pub(crate) struct SetProperties {
    pub(crate) properties: Arc<BTreeMap<String, Template>>,
    pub(crate) next: Arc<dyn Stage>,
}

impl Stage for SetProperties {
    fn begin(&self, document: &Document) -> Result<Box<dyn BodySink>, Error> {
        let mut onwards = document.clone();
        onwards.origins.retain(|id, _| !self.properties.contains_key(id));
        let mut open = Vec::new();
        for (id, template) in self.properties.iter() {
            match template.expand(&document.properties) {
                Ok(value) => onwards.properties.insert(id, value),
                // What it names may come with the end of the body.
                Err(_) => open.push(id.clone()),
            }
        }
        Ok(Box::new(Setting {
            templates: Arc::clone(&self.properties),
            incoming: document.properties.clone(),
            open,
            onwards: self.next.begin(&onwards)?,
        }))
    }
}

struct Setting {
    templates: Arc<BTreeMap<String, Template>>,
    incoming: Properties,
    open: Vec<String>,
    onwards: Box<dyn BodySink>,
}

impl BodySink for Setting {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.onwards.write(bytes)
    }

    fn resume(&mut self, identity: &str, held: &mut Held<'_>) -> Result<(), Error> {
        self.onwards.resume(identity, held)
    }

    fn discard(&mut self) -> Result<(), Error> {
        self.onwards.discard()
    }

    fn close(self: Box<Self>, end: &End) -> Result<Box<dyn Acknowledgement>, Error> {
        let Self { templates, mut incoming, open, onwards } = *self;
        incoming.extend(&end.properties);
        // What the step sets wins over what comes late under the same name.
        let late = end.properties.iter();
        let mut properties: Properties =
            late.filter(|(id, _)| !templates.contains_key(*id)).collect();
        for (id, template) in templates.iter() {
            let changed = end.properties.iter().any(|(late, _)| template.refers_to(late));
            if changed || open.contains(id) {
                properties.insert(id, template.expand(&incoming)?);
            }
        }
        onwards.close(&End { properties, ..end.clone() })
    }
}
