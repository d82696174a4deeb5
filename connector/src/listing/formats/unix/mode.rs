//! The first column of a line: what kind of entry it is, its permissions and the mark behind them.

use crate::listing::entry::Kind;
use crate::listing::scan::is_blank;

/// What the mode column says and what follows it.
pub(super) struct Head<'l> {
    pub(super) kind: Kind,
    pub(super) device: bool,
    pub(super) mode: Option<u16>,
    pub(super) rest: &'l [u8],
}

pub(super) fn head(line: &[u8]) -> Option<Head<'_>> {
    let (first, rest) = line.split_first()?;
    let kind = match first {
        // Plan 9's append-only files, and files that were migrated to tape, are files too.
        b'-' | b'f' | b'F' | b'a' | b'm' | b'M' => Kind::RegularFile,
        b'd' => Kind::Directory,
        b'l' => Kind::SymbolicLink,
        // Devices, pipes, sockets, doors, whiteouts, network files, and `?` for what the server
        // could not look at.
        b'b' | b'c' | b'p' | b's' | b'D' | b'w' | b'n' | b'P' | b'C' | b'?' => Kind::Unknown,
        _ => return None,
    };
    let device = matches!(first, b'b' | b'c');
    let (permissions, rest) = rest.split_first_chunk::<9>()?;
    if let Some(mode) = permission_bits(permissions) {
        // A ninth permission that is missing leaves its blank to the next column.
        let rest = if permissions.ends_with(b" ") { line.get(9..)? } else { rest };
        return Some(Head { kind, device, mode: Some(mode), rest: after_mark(rest)? });
    }
    // Sterling Connect:Enterprise prints batch flags and the protocol in place of permissions.
    let flags = permissions.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'-');
    if flags && *first == b'-' {
        let (protocol, rest) = rest.split_first_chunk::<3>()?;
        let is_name = |byte: &u8| byte.is_ascii_uppercase() || *byte == b'-';
        let known = protocol.iter().all(is_name) && rest.first() == Some(&b' ');
        return known.then_some(Head { kind, device, mode: None, rest });
    }
    // HylaFAX leaves out what others may do.
    let (own, blanks) = permissions.split_first_chunk::<6>()?;
    let [a, b, c, d, e, f] = *own;
    let padded = [a, b, c, d, e, f, b'-', b'-', b'-'];
    let short = blanks == b"   " && permission_bits(&padded).is_some();
    short.then_some(Head { kind, device, mode: None, rest })
}

/// The mode that nine permission characters mean; the last may be missing and be a blank.
fn permission_bits(permissions: &[u8; 9]) -> Option<u16> {
    let mut bits: u16 = 0;
    let mut special: u16 = 0;
    for triple in permissions.chunks(3) {
        let &[read, write, execute] = triple else {
            return None;
        };
        let read = flag(read, b'r')?;
        let write = flag(write, b'w')?;
        // Upper case: the set-id, sticky or locking bit without the execute bit.
        let (execute, set) = match execute {
            b'-' => (0, 0),
            b'x' => (1, 0),
            b's' | b't' => (1, 1),
            b'S' | b'T' | b'l' | b'L' => (0, 1),
            b' ' if permissions.ends_with(b" ") => (0, 0),
            _ => return None,
        };
        bits = bits << 3 | read << 2 | write << 1 | execute;
        special = special << 1 | set;
    }
    // A blank that is not the last character is no permission.
    let blanks = permissions.iter().filter(|byte| **byte == b' ').count();
    (blanks <= 1).then_some(special << 9 | bits)
}

fn flag(byte: u8, set: u8) -> Option<u16> {
    match byte {
        b'-' => Some(0),
        byte if byte == set => Some(1),
        _ => None,
    }
}

/// Skips the mark of an access control list, a security context or extended attributes.
///
/// A link count that fills its columns follows without a blank.
fn after_mark(rest: &[u8]) -> Option<&[u8]> {
    let rest = match rest {
        [b'+' | b'.' | b'@', after @ ..] => after,
        rest => rest,
    };
    let first = *rest.first()?;
    (is_blank(first) || first.is_ascii_digit()).then_some(rest)
}
