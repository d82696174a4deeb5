//! The suite from beginning to end.

use super::profile::Profile;
use super::report::{CheckOutcome, Report, failed, skipped};
use super::{configuring, describing, executing};
use crate::connector::{Connection, Connector};

/// Examines whether `connector` keeps the promises of the interface, as far as `profile` lets it
/// be seen.
///
/// Blocks; an execution that does not end costs the profile's patience and a thread.
pub fn run(connector: &dyn Connector, profile: &Profile) -> Report {
    let mut report = Report::default();
    let Some(descriptor) = describing::check(connector, &mut report) else { return report };
    for operation in &descriptor.operations {
        let has_case = profile.operations.iter().any(|case| case.operation() == operation.id);
        if !has_case {
            report.add(operation.id.clone(), skipped("the profile has no case of it"));
        }
    }
    if let Some(connection) = configuring::check(connector, &descriptor, profile, &mut report) {
        executing::check(connection.as_ref(), profile, &descriptor, &mut report);
        report.add("the connection closes twice", closes_twice(connection.as_ref()));
    }
    report
}

fn closes_twice(connection: &dyn Connection) -> CheckOutcome {
    for _ in 0..2 {
        if let Err(error) = connection.close() {
            return failed(error.to_string());
        }
    }
    Ok(())
}
