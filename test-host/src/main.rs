//! The program; see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    test_host::cli::main().into()
}
