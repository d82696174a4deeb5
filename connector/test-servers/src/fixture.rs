use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::files;

/// Size of `one-mib.bin` in bytes.
pub const ONE_MIB: usize = 1 << 20;

/// 2001-02-03 04:05:06 UTC, the time of `old.txt`, in seconds since 1970.
pub const OLD_SECONDS: u64 = 981_173_106;

/// 2031-02-03 04:05:06 UTC, the time of `future.txt`, in seconds since 1970.
pub const FUTURE_SECONDS: u64 = 1_927_857_906;

/// Files with their content. Names are bytes: one is not UTF-8.
const FILES: &[(&[u8], &[u8])] = &[
    (b"hello.txt", b"hello\nworld\n"),
    (b"crlf.txt", b"line1\r\nline2\r\n"),
    (b"zero.bin", b""),
    (b".hidden", b"dot\n"),
    (b"old.txt", b"old"),
    (b"future.txt", b"future"),
    (b"noread.txt", b"secret"),
    (b"dir/a.txt", b"a"),
    (b"dir/b.csv", b"b"),
    (b"dir/sub/c.txt", b"c"),
    (b"sp ace/file name.txt", b"sp"),
    (b" lead.txt", b"x"),
    (b"qu\"ote.txt", b"x"),
    (b"back\\slash.txt", b"x"),
    (b"star*.txt", b"x"),
    (b"[brk].txt", b"x"),
    ("uni-é€/ü.txt".as_bytes(), "é".as_bytes()),
    (b"latin1-\xe9.txt", b"x"),
    (b"noaccess/inside.txt", b"secret"),
    (b"readonly/inside.txt", b"readable"),
];

const DIRECTORIES: &[&[u8]] = &[
    b"dir",
    b"dir/sub",
    b"empty",
    b"many",
    b"readonly",
    b"noaccess",
    b"sp ace",
    "uni-é€".as_bytes(),
    b"upload",
];

const LINKS: &[(&str, &str)] =
    &[("link-file", "hello.txt"), ("link-dir", "dir"), ("link-dangling", "nowhere")];

/// Writes the standard tree into `root`.
///
/// | names | what |
/// |---|---|
/// | `hello.txt` `crlf.txt` `zero.bin` `one-mib.bin` `.hidden` | plain, CRLF, empty, 1 MiB, hidden |
/// | `old.txt` `future.txt` | dated 2001 and 2031 |
/// | `noread.txt` `noaccess/` `readonly/` | the server may not read, enter, write |
/// | `sp ace/file name.txt` ` lead.txt` `qu"ote.txt` `back\slash.txt` `star*.txt` `[brk].txt` | hard names |
/// | `uni-é€/ü.txt`, `latin1-\xE9.txt` | UTF-8, and a name that is not UTF-8 |
/// | `link-file` `link-dir` `link-dangling` | symbolic links |
/// | `dir/` `dir/sub/` `empty/` `upload/` | directories |
/// | `many/f01.dat` … `many/f25.dat` | 25 files, each holding its number |
///
/// Started by root, the forbidden entries belong to root and all others to the servers' user;
/// otherwise the forbidden entries lose their permission bits. libunftp runs inside the test's own
/// process: when that is root, nothing is forbidden to it.
///
/// # Errors
///
/// Whatever the file system says.
pub fn fixture(root: &Path) -> io::Result<()> {
    for name in DIRECTORIES {
        std::fs::create_dir_all(root.join(os(name)))?;
    }
    for (name, content) in FILES {
        std::fs::write(root.join(os(name)), content)?;
    }
    std::fs::write(root.join("one-mib.bin"), one_mib())?;
    for number in 1..=25 {
        let number = format!("{number:02}");
        std::fs::write(root.join(format!("many/f{number}.dat")), &number)?;
    }
    for (link, target) in LINKS {
        std::os::unix::fs::symlink(target, root.join(link))?;
    }
    for (name, seconds) in [("old.txt", OLD_SECONDS), ("future.txt", FUTURE_SECONDS)] {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        File::options().append(true).open(root.join(name))?.set_modified(time)?;
    }
    protect(root)
}

fn protect(root: &Path) -> io::Result<()> {
    const FORBIDDEN: [(&str, u32, u32); 3] =
        [("noread.txt", 0o600, 0o000), ("noaccess", 0o700, 0o000), ("readonly", 0o755, 0o555)];
    let root_user = files::is_root();
    if root_user {
        give_all(root)?;
    }
    for (name, as_root, as_user) in FORBIDDEN {
        let path = root.join(name);
        if root_user {
            std::os::unix::fs::lchown(&path, Some(0), Some(0))?;
        }
        files::set_mode(&path, if root_user { as_root } else { as_user })?;
    }
    Ok(())
}

fn give_all(path: &Path) -> io::Result<()> {
    files::give_to_server(path)?;
    if path.symlink_metadata()?.is_dir() {
        for entry in std::fs::read_dir(path)? {
            give_all(&entry?.path())?;
        }
    }
    Ok(())
}

fn os(name: &[u8]) -> &OsStr {
    OsStr::from_bytes(name)
}

/// Bytes without repetition that are the same in every run.
fn one_mib() -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(ONE_MIB);
    while bytes.len() < ONE_MIB {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_holds_what_its_table_says() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fixture(root).unwrap();
        assert_eq!(std::fs::read_dir(root.join("many")).unwrap().count(), 25);
        assert_eq!(root.join("one-mib.bin").metadata().unwrap().len(), ONE_MIB as u64);
        assert!(root.join(os(b"latin1-\xe9.txt")).exists());
        assert!(root.join("link-file").exists());
        assert!(!root.join("link-dangling").exists());
        let old = root.join("old.txt").metadata().unwrap().modified().unwrap();
        assert_eq!(old, SystemTime::UNIX_EPOCH + Duration::from_secs(OLD_SECONDS));
    }
}
