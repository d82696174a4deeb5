//! Runs an operation of a connector.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use host_sdk::{Error, ExecutionScope, Operation};

use crate::engine::execution::{Execution, ExecutionPlan, HostContext};
use crate::engine::run::Run;

/// Executes `operation` on the calling thread, and settles what it leaves open.
pub(crate) fn execute(run: &Arc<Run>, operation: &dyn Operation, plan: ExecutionPlan) {
    let execution = Execution::new(run, plan);
    let context: host_sdk::Context = Arc::new(HostContext(Arc::clone(&execution)));
    let _scope = ExecutionScope::enter(context.execution_id());
    // A loaded connector's panics end in its adapter; those of a native one end here.
    let result = catch_unwind(AssertUnwindSafe(|| operation.execute(context)))
        .unwrap_or_else(|_| Err(Error::internal("the connector panicked")));
    execution.settle(result);
}
