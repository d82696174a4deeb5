use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

/// The user and group under which the server programs serve files when they are started by root.
pub(crate) const SERVER_UID: u32 = 61001;

/// True when this process may become another user.
pub(crate) fn is_root() -> bool {
    // The owner of one's own /proc directory is the effective user; std has no geteuid.
    std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

pub(crate) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

/// Gives a file, directory or link to the servers' user; nothing to do unless this is root.
pub(crate) fn give_to_server(path: &Path) -> io::Result<()> {
    if is_root() {
        std::os::unix::fs::lchown(path, Some(SERVER_UID), Some(SERVER_UID))?;
    }
    Ok(())
}
