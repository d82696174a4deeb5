//! The length and the SHA-256 of a body as it streams.
//!
//! A short body is digested by the thread that moves it. A long one is digested by a thread of its
//! own, so that the transfer does not wait: the bytes are copied into a few buffers, which go back
//! and forth between the two threads.

use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};

use host_sdk::Properties;
use host_sdk::kit::text::hexadecimal;
use sha2::{Digest as _, Sha256};

use super::document::End;

/// From how many bytes on a body is digested by a thread of its own. To start the thread takes as
/// long as to digest some 100 KiB.
const BESIDE_FROM: u64 = 1024 * 1024;

/// How many bytes are passed to that thread at once.
const BLOCK: usize = 256 * 1024;

/// How many full blocks wait for that thread. With the one that is digested, the one that is to wait
/// next and the one that is filled, a body takes five blocks of memory.
const BLOCKS_WAITING: usize = 2;

/// Counts and digests a body as it streams.
#[derive(Default)]
pub(crate) struct Digest {
    bytes: u64,
    hashing: Hashing,
}

enum Hashing {
    Here(Sha256),
    Beside(Worker),
}

impl Default for Hashing {
    fn default() -> Self {
        Self::Here(Sha256::default())
    }
}

impl Digest {
    /// Adds the next bytes of the body. Blocks while the digest is several blocks late.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        if let Hashing::Here(sha256) = &mut self.hashing {
            if self.bytes < BESIDE_FROM {
                sha256.update(bytes);
                return;
            }
            match Worker::start(sha256.clone()) {
                Ok(worker) => self.hashing = Hashing::Beside(worker),
                // Without a thread, this one does the work. A later block tries again.
                Err(_) => {
                    sha256.update(bytes);
                    return;
                }
            }
        }
        if let Hashing::Beside(worker) = &mut self.hashing {
            worker.update(bytes);
        }
    }

    /// How many bytes there were.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The end of a body without an error.
    pub(crate) fn end(self, properties: Properties) -> End {
        let sha256 = match self.hashing {
            Hashing::Here(sha256) => sha256,
            Hashing::Beside(worker) => worker.finish(),
        };
        End {
            properties,
            bytes: self.bytes,
            sha256: hexadecimal(&sha256.finalize()).into(),
            application_error: None,
            refused: None,
        }
    }
}

/// The thread that digests one body. It ends when this is dropped.
struct Worker {
    /// The block that is being filled.
    block: Vec<u8>,
    full: SyncSender<Vec<u8>>,
    digested: Receiver<Vec<u8>>,
    thread: JoinHandle<Sha256>,
}

impl Worker {
    /// Starts the thread with what was digested so far.
    fn start(mut sha256: Sha256) -> std::io::Result<Self> {
        let (full, blocks) = sync_channel::<Vec<u8>>(BLOCKS_WAITING);
        // Without a bound, so that the thread never waits: there are few blocks.
        let (back, digested) = channel();
        let work = move || {
            for mut block in blocks {
                sha256.update(&block);
                block.clear();
                // After the last block, nobody takes it back.
                _ = back.send(block);
            }
            sha256
        };
        let thread = thread::Builder::new().name("sha256".to_owned()).spawn(work)?;
        Ok(Self { block: Vec::with_capacity(BLOCK), full, digested, thread })
    }

    fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at((BLOCK - self.block.len()).min(bytes.len()));
            self.block.extend_from_slice(now);
            bytes = later;
            if self.block.len() == BLOCK {
                let empty = self.digested.try_recv().unwrap_or_else(|_| Vec::with_capacity(BLOCK));
                // It fails only after a panic of the thread, which `finish` continues.
                _ = self.full.send(std::mem::replace(&mut self.block, empty));
            }
        }
    }

    /// What all bytes are digested to.
    fn finish(self) -> Sha256 {
        let Self { block, full, thread, .. } = self;
        _ = full.send(block);
        drop(full);
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_counts_and_names_what_passed() {
        let mut digest = Digest::default();
        digest.update(b"a");
        digest.update(b"bc");
        let end = digest.end(Properties::new());
        assert_eq!(end.bytes, 3);
        assert_eq!(
            &*end.sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn a_long_body_has_the_digest_of_its_bytes_however_they_arrive() {
        let length = usize::try_from(BESIDE_FROM).unwrap() + 3 * BLOCK + 17;
        let body: Vec<u8> = (0..length).map(|n| (n * 31 % 251) as u8).collect();
        let expected = hexadecimal(&Sha256::digest(&body));
        for chunk in [1000, BLOCK - 1, BLOCK, 2 * BLOCK + 1, length] {
            let mut digest = Digest::default();
            body.chunks(chunk).for_each(|bytes| digest.update(bytes));
            assert!(matches!(digest.hashing, Hashing::Beside(_)), "{chunk}");
            let end = digest.end(Properties::new());
            assert_eq!((end.bytes, &*end.sha256), (length as u64, &*expected), "{chunk}");
        }
    }

    #[test]
    fn a_body_that_is_given_up_ends_its_thread() {
        let mut digest = Digest::default();
        digest.update(&vec![7; 8 * BLOCK]);
        let Hashing::Beside(worker) = digest.hashing else { panic!("no thread") };
        let Worker { full, thread, .. } = worker;
        drop(full);
        thread.join().unwrap();
    }
}
