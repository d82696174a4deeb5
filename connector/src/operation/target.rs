//! Which directory and which file an input names.

use host_sdk::{InputDocument, Properties};

use super::execution::Execution;
use crate::descriptor::property;
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;

impl Execution {
    /// The directory that names of an input count from: its property if it has one, else the
    /// connection's, else the directory after login.
    ///
    /// # Errors
    ///
    /// `document` when the property is no path; what opening a session can fail with.
    pub(super) fn directory(&mut self, properties: &Properties) -> Result<RemotePath, Failure> {
        let session = self.session()?;
        let configured = session.settings().remote_directory.as_deref();
        let text = properties.get(property::REMOTE_DIRECTORY).or(configured).unwrap_or_default();
        let directory = session.directory_of(text)?;
        self.repeat(|session| session.as_listed(&directory))
    }
}

/// The path that the parameter `id` of an input names.
pub(super) fn path_of_id(
    execution: &mut Execution,
    input: &dyn InputDocument,
) -> Result<RemotePath, Failure> {
    let id = input.header().parameter("id").unwrap_or_default();
    if id.trim().is_empty() {
        return Err(Failure::new(Cause::Unsendable, "the ID is blank")
            .with_hint("set the step's parameter \"id\" to the file's name"));
    }
    let directory = execution.directory(&input.header().properties)?;
    let path = execution.session()?.login_directory().file(&directory, id)?;
    if names_directory(id) || path.is_top() {
        return Err(Failure::new(Cause::Unsendable, format!("the ID {path} names a directory")));
    }
    execution.repeat(|session| session.as_listed(&path))
}

/// Whether `path` cannot be the name of a file, whatever is there: it ends with a slash, `.` or
/// `..`.
pub(super) fn names_directory(path: &str) -> bool {
    matches!(path.rsplit('/').next(), None | Some("" | "." | ".."))
}
