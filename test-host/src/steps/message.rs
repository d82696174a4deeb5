//! Produces documents from templates, or replaces each incoming one.

use std::collections::BTreeMap;
use std::sync::Arc;

use host_sdk::{Error, Properties};
use serde_json::Value;

use super::produce::Producer;
use crate::engine::digest::Digest;
use crate::engine::document::StepIdentity;
use crate::engine::document::{Document, End};
use crate::engine::run::Run;
use crate::engine::step_input::{Acknowledgement, BodySink, StepInput};
use crate::process::model::{MessageDocument, MessageStep};
use crate::template::{Template, parse_all};

/// A document's content and properties, checked.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    content: Content,
    properties: BTreeMap<String, Template>,
}

#[derive(Clone, Debug)]
enum Content {
    Text(Template),
    /// Written as JSON. Its values other than text stay unchanged.
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
    Fixed(Value),
}

impl Message {
    /// Checks the documents of a step.
    ///
    /// # Errors
    ///
    /// `configuration` with the path below the step.
    pub(crate) fn all(step: &MessageStep) -> Result<Vec<Self>, Error> {
        step.documents
            .iter()
            .enumerate()
            .map(|(at, document)| {
                Self::new(document).map_err(|e| e.under(&format!("documents[{at}]")))
            })
            .collect()
    }

    fn new(document: &MessageDocument) -> Result<Self, Error> {
        Ok(Self {
            content: Content::new(&document.content).map_err(|e| e.under("content"))?,
            properties: parse_all(&document.properties).map_err(|e| e.under("properties"))?,
        })
    }

    fn body(&self, properties: &Properties) -> Result<Vec<u8>, Error> {
        match &self.content {
            Content::Text(template) => Ok(template.expand(properties)?.into_bytes()),
            content => Ok(content.value(properties)?.to_string().into_bytes()),
        }
    }

    fn properties(&self, incoming: &Properties) -> Result<Properties, Error> {
        self.properties
            .iter()
            .map(|(id, template)| Ok((id.clone(), template.expand(incoming)?)))
            .collect()
    }
}

impl Content {
    fn new(value: &Value) -> Result<Self, Error> {
        Ok(match value {
            Value::String(text) => Self::Text(Template::parse(text)?),
            Value::Array(items) => {
                Self::Array(items.iter().map(Self::new).collect::<Result<_, _>>()?)
            }
            Value::Object(object) => Self::Object(
                object
                    .iter()
                    .map(|(key, value)| {
                        let content = Self::new(value).map_err(|e| e.under(key))?;
                        Ok((key.clone(), content))
                    })
                    .collect::<Result<_, Error>>()?,
            ),
            fixed => Self::Fixed(fixed.clone()),
        })
    }

    fn value(&self, properties: &Properties) -> Result<Value, Error> {
        Ok(match self {
            Self::Text(template) => template.expand(properties)?.into(),
            Self::Array(items) => {
                items.iter().map(|item| item.value(properties)).collect::<Result<_, _>>()?
            }
            Self::Object(entries) => entries
                .iter()
                .map(|(key, value)| Ok((key.clone(), value.value(properties)?)))
                .collect::<Result<_, Error>>()?,
            Self::Fixed(value) => value.clone(),
        })
    }
}

/// Produces the documents as the first step.
///
/// # Errors
///
/// Only `cancelled` or `timeout`.
pub(crate) fn produce(
    run: &Arc<Run>,
    step: &Arc<StepIdentity>,
    messages: &[Message],
    next: Arc<dyn StepInput>,
) -> Result<(), Error> {
    let mut producer = Producer::new(run, step, next);
    let nothing = Properties::new();
    for message in messages {
        let made = message
            .properties(&nothing)
            .and_then(|properties| Ok((message.body(&properties)?, properties)));
        match made {
            Ok((body, properties)) => {
                let size = Some(body.len() as u64);
                producer.produce(properties, size, |sink| sink.write(&body))?;
            }
            Err(error) => producer.reject(nothing.clone(), &error),
        }
    }
    Ok(())
}

/// A message step that is not the first: it replaces bodies.
pub(crate) struct ReplaceBodies {
    pub(crate) message: Arc<Message>,
    pub(crate) next: Arc<dyn StepInput>,
}

impl StepInput for ReplaceBodies {
    fn begin(&self, document: &Document) -> Result<Box<dyn BodySink>, Error> {
        Ok(Box::new(BodyReplacer {
            message: Arc::clone(&self.message),
            next: Arc::clone(&self.next),
            document: document.clone(),
        }))
    }
}

struct BodyReplacer {
    message: Arc<Message>,
    next: Arc<dyn StepInput>,
    document: Document,
}

impl BodySink for BodyReplacer {
    fn write(&mut self, _bytes: &[u8]) -> Result<(), Error> {
        Ok(())
    }

    // Only now is every property known and the incoming document complete.
    fn close(self: Box<Self>, end: &End) -> Result<Box<dyn Acknowledgement>, Error> {
        let Self { message, next, mut document } = *self;
        document.properties.extend(&end.properties);
        let set = message.properties(&document.properties)?;
        document.origins.retain(|id, _| !message.properties.contains_key(id));
        document.properties.extend(&set);
        let body = message.body(&document.properties)?;
        document.size = Some(body.len() as u64);
        let mut sink = next.begin(&document)?;
        sink.write(&body)?;
        let mut digest = Digest::default();
        digest.update(&body);
        // The new body still represents a document that was refused.
        let refused = end.refused.clone();
        sink.close(&End { refused, ..digest.end(Properties::new()) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(content: Value) -> Result<Message, Error> {
        Message::new(&MessageDocument { content, properties: BTreeMap::new() })
    }

    #[test]
    fn json_content_expands_in_its_texts_alone() {
        let message = message(json!({"id": "{fileName}", "n": 5, "list": ["{{}}", null]})).unwrap();
        let body = message.body(&Properties::new().with("fileName", "a\"b")).unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body, json!({"id": "a\"b", "n": 5, "list": ["{}", null]}));
    }

    #[test]
    fn a_bad_template_is_placed() {
        let error = message(json!({"id": "{fileName"})).unwrap_err();
        assert_eq!(error.report().path.as_deref(), Some("content.id"));
    }
}
