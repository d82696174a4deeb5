use std::net::{Ipv4Addr, TcpListener};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU16, Ordering};

use crate::StartError;

/// The most passive ports one server instance can have.
pub const PASSIVE_PORTS: u16 = STRIDE - 2;

const STRIDE: u16 = 256;
/// Below the range from which Linux takes the ports of outgoing connections, so that no client in
/// a test can sit on a port between its choice and the server's bind.
const RANGE: std::ops::Range<u16> = 10240..32768;

/// A block of ports of one server instance: control port, passive ports, guard.
///
/// The guard is a listener on the last port that lives as long as the server. It keeps every other
/// test process away from the block, and the system releases it if this process is killed.
#[derive(Debug)]
pub(crate) struct PortBlock {
    first: u16,
    passive: u16,
    _guard: TcpListener,
}

impl PortBlock {
    /// Takes a free block with `passive` passive ports.
    pub(crate) fn reserve(passive: Option<u16>) -> Result<Self, StartError> {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let blocks = (RANGE.end - RANGE.start) / STRIDE;
        // Each process begins elsewhere, so that parallel test binaries seldom meet.
        let offset = (std::process::id() % u32::from(blocks)) as u16;
        for _ in 0..blocks {
            let step = NEXT.fetch_add(1, Ordering::Relaxed) % blocks;
            let first = RANGE.start + (offset + step) % blocks * STRIDE;
            if let Ok(guard) = bind(first + STRIDE - 1)
                && bind(first).is_ok()
            {
                let passive = passive.unwrap_or(PASSIVE_PORTS).clamp(1, PASSIVE_PORTS);
                return Ok(Self { first, passive, _guard: guard });
            }
        }
        Err(StartError::NoPorts)
    }

    pub(crate) fn control(&self) -> u16 {
        self.first
    }

    pub(crate) fn passive(&self) -> RangeInclusive<u16> {
        self.first + 1..=self.first + self.passive
    }
}

fn bind(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_not_given_twice() {
        let blocks: Vec<_> = (0..5).map(|_| PortBlock::reserve(None).unwrap()).collect();
        let mut controls: Vec<_> = blocks.iter().map(PortBlock::control).collect();
        controls.sort_unstable();
        controls.dedup();
        assert_eq!(controls.len(), 5);
        assert!(bind(blocks[0].first + STRIDE - 1).is_err());
    }

    #[test]
    fn the_passive_range_stays_inside_the_block() {
        let block = PortBlock::reserve(Some(3)).unwrap();
        assert_eq!(block.passive().count(), 3);
        let block = PortBlock::reserve(Some(u16::MAX)).unwrap();
        assert_eq!(block.passive().count(), usize::from(PASSIVE_PORTS));
    }
}
