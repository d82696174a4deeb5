//! How much of an upload is kept, to go on from where an interruption leaves it.

/// What an upload loses at most when it is interrupted: what lies in the socket buffers between
/// here and the server, up to 4 MiB and 6 MiB on Linux.
const MOST: usize = 16 * 1024 * 1024;

/// What all uploads of an execution may keep together.
const TOGETHER: usize = 32 * 1024 * 1024;

/// The number of bytes that one upload keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UploadWindow(usize);

impl UploadWindow {
    /// The window of each of so many uploads at a time.
    pub(super) fn of_each(uploads: usize) -> Self {
        Self((TOGETHER / uploads.max(1)).min(MOST))
    }

    /// The number of bytes.
    pub(super) fn bytes(self) -> usize {
        self.0
    }
}

impl Default for UploadWindow {
    fn default() -> Self {
        Self(MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_uploads_share_what_one_may_keep() {
        let mebibytes = |uploads| UploadWindow::of_each(uploads).bytes() >> 20;
        assert_eq!([0, 1, 2, 4, 8, 64].map(mebibytes), [16, 16, 16, 8, 4, 0]);
        assert_eq!(UploadWindow::of_each(64).bytes(), 512 * 1024);
        assert_eq!(UploadWindow::of_each(1), UploadWindow::default());
    }
}
