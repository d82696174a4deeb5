//! The connector as a host sees it.

use std::sync::Arc;

use host_sdk::{
    BrowseAnswer, BrowseRequest, CheckReport, Connection, Connector, ConnectorDescriptor, Context,
    Error, Operation,
};
use serde_json::Value;

use crate::config::{ConnectionSettings, OperationSettings};
use crate::descriptor::browse;
use crate::operation::FtpOperation;
use crate::pool::Pool;
use crate::{check, descriptor};

/// The FTP connector.
#[derive(Clone, Copy, Debug, Default)]
pub struct FtpConnector;

impl FtpConnector {
    /// The connector; it has no state of its own.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

impl Connector for FtpConnector {
    fn descriptor(&self) -> Result<ConnectorDescriptor, Error> {
        Ok(descriptor::descriptor().clone())
    }

    fn connect(&self, settings: &Value, _context: Context) -> Result<Arc<dyn Connection>, Error> {
        let settings = ConnectionSettings::parse(settings)?;
        Ok(Arc::new(FtpConnection { pool: Pool::new(settings)? }))
    }
}

/// One configured server.
struct FtpConnection {
    pool: Arc<Pool>,
}

impl Connection for FtpConnection {
    fn test(&self, context: Context) -> Result<CheckReport, Error> {
        Ok(check::check(&self.pool, &context)?)
    }

    fn browse(&self, request: &BrowseRequest, _context: Context) -> Result<BrowseAnswer, Error> {
        browse::answer(request)
    }

    fn operation(&self, settings: &Value) -> Result<Arc<dyn Operation>, Error> {
        let settings = OperationSettings::parse(settings)?;
        Ok(Arc::new(FtpOperation::new(Arc::clone(&self.pool), settings)))
    }

    fn close(&self) -> Result<(), Error> {
        self.pool.close();
        Ok(())
    }
}

impl Drop for FtpConnection {
    fn drop(&mut self) {
        self.pool.close();
    }
}
