//! Documents of one execution that have the same target: with `overwrite`, the later one replaces
//! the earlier one, which few people mean.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use crate::file::path::RemotePath;

/// How many targets are remembered, at 16 bytes each.
const MAXIMUM_TARGETS: usize = 100_000;

/// The targets that an execution has written so far.
#[derive(Default)]
pub(super) struct Namesakes {
    state: RandomState,
    /// Hashes of the targets: two that share one cost a false warning and nothing else.
    targets: HashSet<u64>,
}

impl Namesakes {
    /// Warns where an earlier document of this execution was written to `target`.
    pub(super) fn note(&mut self, target: &RemotePath) {
        let hash = self.state.hash_one(target.as_str());
        if self.targets.contains(&hash) {
            log::warn!(
                "{target} is written a second time in this execution and replaces an earlier \
                 document: set remoteDirectory for each document, or actionIfFileExists to \
                 createUniqueName"
            );
        } else if self.targets.len() < MAXIMUM_TARGETS {
            self.targets.insert(hash);
        }
    }
}
