//! A narrow door to the listing parser for `benches/listing.rs`; nothing else may come through it.

use std::io::Read;

use jiff::civil::datetime;

use crate::file::name::NameEncoding;
use crate::listing::{Listing, ListingSettings};

/// Reads a whole listing, the answer to MLSD where it is `with_facts` and that to LIST otherwise,
/// and counts its entries.
///
/// # Errors
///
/// `protocol`, `integrity`, `connection`: as the listing of a server.
pub fn count_entries(listing: impl Read, with_facts: bool) -> Result<u64, host_sdk::Error> {
    let settings = ListingSettings {
        encoding: NameEncoding::Auto,
        normalization: Default::default(),
        maximum_line_length: 4096,
        maximum_entries: u64::MAX,
        now: datetime(2026, 11, 22, 18, 0, 0, 0),
    };
    let mut listing = match with_facts {
        true => Listing::mlsd(listing, settings),
        false => Listing::list(listing, settings),
    };
    let mut entries = 0;
    while let Some(entry) = listing.next_entry()? {
        std::hint::black_box(&entry);
        entries += 1;
    }
    Ok(entries)
}
