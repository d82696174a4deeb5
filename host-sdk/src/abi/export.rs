//! The connector's side: a plain connector as the host gets it, and what
//! [`export_connector!`](crate::export_connector) expands to.

use std::sync::Arc;

use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::sabi_trait::TD_Opaque;
use abi_stable::std_types::{RStr, RString};
use serde::Serialize;
use serde_json::Value;

use crate::abi::context_import::ImportedContext;
use crate::abi::convert::{into_abi, to_json};
use crate::abi::guard::{Guarded, guard, record_panic_locations};
use crate::abi::logger;
use crate::connector::{Connection, Connector, Operation};
use crate::error::Error;
use crate::host::context::Context;
use crate::host::services::ExecutionScope;
use crate::manifest::Manifest;
use connector_interface::handshake::INTERFACE;
use connector_interface::types::{self, Answer};

const SIDE: &str = "connector";

/// What the library's root module function answers.
#[must_use]
pub fn module(id: &str, label: &str, version: &str, create: types::Create) -> types::ModuleRef {
    let manifest = Manifest {
        id: id.to_owned(),
        label: label.to_owned(),
        version: version.to_owned(),
        interface: INTERFACE.to_owned(),
    };
    // A manifest is plain text: writing it cannot fail.
    let manifest: &'static str = to_json(&manifest).unwrap_or_default().leak();
    types::Module { manifest: RStr::from_str(manifest), create }.leak_into_prefix()
}

/// What the library's create function does.
pub fn create<C: Connector + 'static>(
    services: types::HostServicesObject,
    silence: &'static [&'static str],
    own_module: &'static str,
    constructor: impl FnOnce() -> C,
) -> Answer<types::ConnectorObject> {
    into_abi(guard(SIDE, "create", || {
        record_panic_locations(true);
        logger::forward(services, silence, own_module);
        let exported = ExportedConnector(Guarded::new(SIDE, constructor()));
        Ok(types::Connector_TO::from_value(exported, TD_Opaque))
    }))
}

struct ExportedConnector<C>(Guarded<C>);

impl<C: Connector> types::Connector for ExportedConnector<C> {
    fn descriptor(&self) -> Answer<RString> {
        into_abi(self.0.call("descriptor", |connector| to_json(&connector.descriptor()?)))
    }

    fn connect(
        &self,
        settings: RStr<'_>,
        context: types::ExecutionContextObject,
    ) -> Answer<types::ConnectionObject> {
        into_abi(self.0.call("connect", |connector| {
            let settings = parse_settings(&settings)?;
            let exported = in_scope(context, |context| connector.connect(&settings, context))?;
            let exported = ExportedConnection(Guarded::new(SIDE, exported));
            Ok(types::Connection_TO::from_value(exported, TD_Opaque))
        }))
    }
}

struct ExportedConnection(Guarded<Arc<dyn Connection>>);

impl types::Connection for ExportedConnection {
    fn test(&self, context: types::ExecutionContextObject) -> Answer<RString> {
        into_abi(self.0.call("test", |connection| {
            in_scope(context, |context| written(connection.test(context)))
        }))
    }

    fn browse(&self, request: RStr<'_>, context: types::ExecutionContextObject) -> Answer<RString> {
        into_abi(self.0.call("browse", |connection| {
            let request = serde_json::from_str(&request)
                .map_err(|e| Error::configuration("", format!("unreadable browse request: {e}")))?;
            in_scope(context, |context| written(connection.browse(&request, context)))
        }))
    }

    fn operation(&self, settings: RStr<'_>) -> Answer<types::OperationObject> {
        into_abi(self.0.call("operation", |connection| {
            let operation = connection.operation(&parse_settings(&settings)?)?;
            let exported = ExportedOperation(Guarded::new(SIDE, operation));
            Ok(types::Operation_TO::from_value(exported, TD_Opaque))
        }))
    }

    fn close(&self) -> Answer<()> {
        into_abi(self.0.call_always("close", |connection| connection.close()))
    }
}

struct ExportedOperation(Guarded<Arc<dyn Operation>>);

impl types::Operation for ExportedOperation {
    fn execute(&self, context: types::ExecutionContextObject) -> Answer<RString> {
        #[cfg(interface_next)]
        log::info!("the host knows {} of the next interface", context.next());
        into_abi(self.0.call("execute", |operation| {
            in_scope(context, |context| written(operation.execute(context)))
        }))
    }

    #[cfg(interface_next)]
    fn next(&self) -> u32 {
        11
    }
}

/// Has the records of `work` tied to the execution.
fn in_scope<T>(context: types::ExecutionContextObject, work: impl FnOnce(Context) -> T) -> T {
    let _scope = ExecutionScope::enter(context.execution_id());
    work(Arc::new(ImportedContext(context)))
}

fn written<T: Serialize>(result: Result<T, Error>) -> Result<String, Error> {
    to_json(&result?)
}

fn parse_settings(text: &str) -> Result<Value, Error> {
    // Serde's message could quote a secret.
    serde_json::from_str(text).map_err(|_| Error::configuration("", "the settings are not JSON"))
}

/// Makes the crate's library a connector that hosts can load.
///
/// Takes a function without arguments that makes the connector, and the connector's id; then, as
/// needed, its name for people and the log targets that never reach a host at any level, because
/// they could hold secrets.
///
/// The crate needs `abi_stable` as a dependency of its own, crate type `cdylib`, and the library
/// name `{id with - as _}_connector`.
///
/// ```
/// # use host_sdk::{Connection, Connector, ConnectorDescriptor, Context, Error};
/// struct FtpConnector;
/// # impl FtpConnector {
/// #     fn new() -> Self { Self }
/// # }
/// # impl Connector for FtpConnector {
/// #     fn descriptor(&self) -> Result<ConnectorDescriptor, Error> { todo!() }
/// #     fn connect(
/// #         &self, _: &serde_json::Value, _: Context,
/// #     ) -> Result<std::sync::Arc<dyn Connection>, Error> { todo!() }
/// # }
///
/// host_sdk::export_connector!(FtpConnector::new, "ftp", label = "FTP", silence = ["suppaftp"]);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export_connector {
    ($constructor:expr, $id:literal $(, silence = $silence:tt)? $(,)?) => {
        $crate::export_connector!($constructor, $id, label = $id $(, silence = $silence)?);
    };
    ($constructor:expr, $id:literal, label = $label:literal $(,)?) => {
        $crate::export_connector!($constructor, $id, label = $label, silence = []);
    };
    ($constructor:expr, $id:literal, label = $label:literal, silence = [$($target:literal),* $(,)?] $(,)?) => {
        const _: () = {
            #[unsafe(no_mangle)]
            static CONNECTOR_HANDSHAKE: $crate::abi::interface::handshake::Handshake =
                $crate::abi::interface::handshake::Handshake::new(
                    ::core::concat!($id, "\0"),
                    ::core::cfg!(panic = "unwind"),
                );

            extern "C" fn create(
                services: $crate::abi::interface::types::HostServicesObject,
            ) -> $crate::abi::interface::types::Answer<$crate::abi::interface::types::ConnectorObject> {
                $crate::abi::export::create(
                    services,
                    &[$($target),*],
                    ::core::module_path!(),
                    $constructor,
                )
            }

            #[::abi_stable::export_root_module]
            fn connector_module() -> $crate::abi::interface::types::ModuleRef {
                $crate::abi::export::module($id, $label, ::core::env!("CARGO_PKG_VERSION"), create)
            }
        };
    };
}
