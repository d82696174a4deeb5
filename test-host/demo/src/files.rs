//! 200 files of known content, about 100 MB, from 1 KiB to 8 MiB.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use sha2::{Digest as _, Sha256};

const COUNT: u32 = 200;
const SMALLEST: f64 = 1024.0;
const LARGEST: f64 = 8.0 * 1024.0 * 1024.0;

/// A file as the server serves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoFile {
    /// Its name in the served directory.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
    /// The SHA-256 of its content in lowercase hexadecimal.
    pub sha256: String,
}

/// Writes the files into `directory`, which must be empty; they are the same on every machine.
///
/// # Errors
///
/// What the file system refuses.
pub fn make_files(directory: &Path) -> io::Result<Vec<DemoFile>> {
    (0..COUNT).map(|number| make_file(directory, number)).collect()
}

fn make_file(directory: &Path, number: u32) -> io::Result<DemoFile> {
    let size = size(number);
    let name = format!("INV-{number:04}.dat");
    let mut file = BufWriter::new(File::create_new(directory.join(&name))?);
    let mut sha256 = Sha256::new();
    let mut state = u64::from(number) + 1;
    let mut left = size;
    let mut chunk = [0; 8192];
    while left > 0 {
        for word in chunk.chunks_exact_mut(8) {
            word.copy_from_slice(&next(&mut state).to_le_bytes());
        }
        let part = &chunk[..left.min(chunk.len() as u64) as usize];
        sha256.update(part);
        file.write_all(part)?;
        left -= part.len() as u64;
    }
    file.into_inner().map_err(io::IntoInnerError::into_error)?;
    let sha256 = sha256.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(DemoFile { name, size, sha256 })
}

/// Many small files and few large ones, in mixed order.
fn size(number: u32) -> u64 {
    let rank = f64::from(number * 73 % COUNT) / f64::from(COUNT - 1);
    (SMALLEST * (LARGEST / SMALLEST).powf(rank * rank)) as u64
}

/// The next number of xorshift64*, so that every file differs everywhere.
fn next(state: &mut u64) -> u64 {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    state.wrapping_mul(0x2545_f491_4f6c_dd1d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_span_the_range_and_add_up() {
        let sizes: Vec<u64> = (0..COUNT).map(size).collect();
        assert_eq!(sizes.iter().min(), Some(&1024));
        assert_eq!(sizes.iter().max(), Some(&(8 * 1024 * 1024)));
        let total: u64 = sizes.iter().sum();
        assert!((95_000_000..110_000_000).contains(&total), "{total}");
    }

    #[test]
    fn content_is_the_same_every_time() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (a, b) = (make_file(one.path(), 0).unwrap(), make_file(two.path(), 0).unwrap());
        assert_eq!(a, b);
        assert_ne!(a.sha256, make_file(one.path(), 1).unwrap().sha256);
    }
}
