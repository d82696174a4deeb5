//! `connectors`: lists the connectors that are found.

use std::io::Write;

use serde_json::json;

use super::failure::{Failure, print_note};
use super::options::{Options, Output, results};
use crate::exit_code::ExitCode;

pub(super) fn connectors(options: &Options) -> Result<ExitCode, Failure> {
    let connectors = options.connectors(&options.log_reporter());
    let mut output = results();
    let mut code = ExitCode::Success;
    let all = connectors.all();
    if all.is_empty() {
        print_note(&format!("no connector is found in {}", connectors.searched()));
        print_note("  name their directory with --connector-path or $CONNECTOR_PATH");
        return Ok(ExitCode::Loader);
    }
    for (path, loaded) in all {
        let path = path.display().to_string();
        match (loaded, options.output) {
            (Ok(connector), Output::Json) => {
                writeln!(output, "{}", json!({"path": path, "manifest": connector.manifest()}))?;
            }
            (Ok(connector), Output::Text) => {
                let manifest = connector.manifest();
                writeln!(
                    output,
                    "{}\t{} {}\tinterface {}\t{path}",
                    manifest.id, manifest.label, manifest.version, manifest.interface
                )?;
            }
            (Err(error), format) => {
                code = ExitCode::Loader;
                match format {
                    Output::Json => {
                        let error = error.to_string();
                        writeln!(output, "{}", json!({"path": path, "error": error}))?;
                    }
                    Output::Text => print_note(&format!("error: {error}")),
                }
            }
        }
    }
    Ok(code)
}
