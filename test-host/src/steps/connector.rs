//! Runs an operation of a connector.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use host_sdk::{Error, ExecutionScope, Operation};

use crate::engine::execution::{Execution, ExecutionPlan, HostContext};
use crate::engine::run::Run;

/// Executes `operation` on the calling thread, and answers what it leaves open.
pub(crate) fn execute(run: &Arc<Run>, operation: &dyn Operation, plan: ExecutionPlan) {
    let execution = Execution::new(run, plan);
    let context: host_sdk::Context = Arc::new(HostContext(Arc::clone(&execution)));
    let _scope = ExecutionScope::enter(context.execution_id());
    // A panic of a loaded connector ends in its adapter. A panic of a native one ends here.
    let result = catch_unwind(AssertUnwindSafe(|| operation.execute(context)))
        .unwrap_or_else(|_| Err(Error::internal("the connector panicked")));
    execution.settle(result);
}
