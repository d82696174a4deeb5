//! `demo` in a build without it: prints how to get it.

use std::path::PathBuf;

use clap::Args;
use host_sdk::Error;

use super::failure::Failure;
use super::options::Options;
use crate::exit_code::ExitCode;

#[derive(Debug, Args)]
pub(super) struct DemoArguments {
    /// Accepted as in a build with the demonstration
    #[arg(long = "database", value_name = "FILE", hide = true)]
    _database: Option<PathBuf>,
}

pub(super) fn demo(_: &DemoArguments, _: &Options) -> Result<ExitCode, Failure> {
    Err(Failure::Other(Error::configuration(
        "",
        "this program was built without its demonstration; build it with --features demo",
    )))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Arguments {
        #[command(flatten)]
        options: Options,
        #[command(flatten)]
        demo: DemoArguments,
    }

    #[test]
    fn it_names_the_feature() {
        let arguments = Arguments::try_parse_from(["demo", "--database", "a.db"]).unwrap();
        let failure = demo(&arguments.demo, &arguments.options).unwrap_err();
        assert_eq!(failure.exit_code(), ExitCode::Configuration);
        assert!(failure.to_string().contains("--features demo"), "{failure}");
    }
}
