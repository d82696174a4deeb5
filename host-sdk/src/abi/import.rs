//! The host's side: a loaded connector, its connections and operations as the plain traits.

use std::sync::Arc;

use abi_stable::std_types::RStr;
use serde_json::Value;

use crate::abi::context_export::CallScope;
use crate::abi::convert::{from_abi, from_json, to_json};
use crate::browse::{BrowseAnswer, BrowseRequest};
use crate::check::CheckReport;
use crate::connector::{Connection, Connector, Operation};
use crate::descriptor::connector::ConnectorDescriptor;
use crate::error::Error;
use crate::host::context::Context;
use crate::outcome::Summary;
use crate::secret::Secret;
use connector_interface::types;

/// A connector of a library.
pub(crate) struct ImportedConnector(types::ConnectorObject);

impl ImportedConnector {
    /// Has a library make a connector.
    pub(crate) fn create(
        module: types::ModuleRef,
        services: types::HostServicesObject,
    ) -> Result<Self, Error> {
        from_abi(module.create()(services)).map(Self)
    }
}

impl Connector for ImportedConnector {
    fn descriptor(&self) -> Result<ConnectorDescriptor, Error> {
        from_json("descriptor", &from_abi(self.0.descriptor())?)
    }

    fn connect(&self, settings: &Value, context: Context) -> Result<Arc<dyn Connection>, Error> {
        // The text may contain a password; the type overwrites it.
        let settings = Secret::new(to_json(settings)?);
        let scope = CallScope::new(context);
        let object = from_abi(self.0.connect(RStr::from_str(settings.reveal()), scope.object()))?;
        Ok(Arc::new(ImportedConnection(object)))
    }
}

struct ImportedConnection(types::ConnectionObject);

impl Connection for ImportedConnection {
    fn test(&self, context: Context) -> Result<CheckReport, Error> {
        let scope = CallScope::new(context);
        from_json("check report", &from_abi(self.0.test(scope.object()))?)
    }

    fn browse(&self, request: &BrowseRequest, context: Context) -> Result<BrowseAnswer, Error> {
        let request = to_json(request)?;
        let scope = CallScope::new(context);
        let answer = from_abi(self.0.browse(RStr::from_str(&request), scope.object()))?;
        from_json("browse answer", &answer)
    }

    fn operation(&self, settings: &Value) -> Result<Arc<dyn Operation>, Error> {
        let settings = to_json(settings)?;
        let object = from_abi(self.0.operation(RStr::from_str(&settings)))?;
        #[cfg(interface_next)]
        log::info!("the connector knows {} of the next interface", object.next());
        Ok(Arc::new(ImportedOperation(object)))
    }

    fn close(&self) -> Result<(), Error> {
        from_abi(self.0.close())
    }
}

struct ImportedOperation(types::OperationObject);

impl Operation for ImportedOperation {
    fn execute(&self, context: Context) -> Result<Summary, Error> {
        let scope = CallScope::new(context);
        from_json("summary", &from_abi(self.0.execute(scope.object()))?)
    }
}
