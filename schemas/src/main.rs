//! Writes the schemas to where they are checked in.

use std::error::Error;
use std::fs;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    for file in schemas::generate()? {
        fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(file.name), file.text())?;
    }
    Ok(())
}
