//! Writes the schemas and the page of settings to where they are checked in.

use std::error::Error;
use std::fs;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    for file in schemas::generate()? {
        fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(file.name), file.text())?;
    }
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::write(top.join(schemas::SETTINGS_PAGE), schemas::ftp_settings_page()?)?;
    Ok(())
}
