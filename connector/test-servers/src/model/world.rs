//! What a model server holds, and what it will do wrong.

use std::collections::{BTreeMap, BTreeSet};

/// What a server does wrong with one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Hangs up instead of doing anything.
    HangsUp,
    /// Does it, and hangs up instead of answering.
    Unanswered,
    /// Does it, and hangs up after so many bytes of its answer.
    CutAnswer(usize),
    /// Says 421 and hangs up.
    Goodbye,
    /// Neither answers nor hangs up.
    Silence,
    /// The same with this command alone.
    SilentTo(&'static str),
    /// Refuses to read, store or delete a file for now (450).
    Busy,
    /// Refuses to read, store or delete a file (550).
    Denied,
    /// Moves only so many bytes of a file.
    Short(usize, Ending),
    /// Writes another file under the name while it is read, which is cut after so many bytes.
    Changed(usize),
    /// The same with a file of the same size and time.
    Swapped(usize),
    /// Ends the data of a download without TLS's farewell; only inside TLS.
    NoFarewell,
    /// Sends bytes that are no TLS behind the data of a download; only inside TLS.
    Garbage,
    /// Does not know REST (502).
    RestUnknown,
    /// Agrees to REST, and begins at the beginning.
    RestIgnored,
}

/// How a transfer that is too short ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As if it were whole (226).
    Confirmed,
    /// As what it is (426).
    Aborted,
    /// With the session.
    HungUp,
}

impl Fault {
    /// Whether it can happen to a command. A listing may be cut, but is never confirmed too short
    /// and never refused: in clear nothing would tell that from a shorter one.
    fn fits(&self, verb: &str) -> bool {
        match self {
            Self::HangsUp | Self::Unanswered | Self::CutAnswer(_) => true,
            Self::Goodbye | Self::Silence => true,
            Self::SilentTo(command) => *command == verb,
            Self::Busy | Self::Denied => matches!(verb, "RETR" | "STOR" | "DELE"),
            Self::Short(_, Ending::Confirmed) => matches!(verb, "RETR" | "STOR"),
            Self::Short(..) => matches!(verb, "RETR" | "STOR" | "LIST"),
            Self::Changed(_) | Self::Swapped(_) => verb == "RETR",
            Self::NoFarewell | Self::Garbage => matches!(verb, "RETR" | "LIST"),
            Self::RestUnknown | Self::RestIgnored => verb == "REST",
        }
    }
}

/// A file with the time it was written.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) content: Vec<u8>,
    pub(super) written: u32,
}

/// Files, directories and faults to come.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) files: BTreeMap<String, Stored>,
    pub(super) directories: BTreeSet<String>,
    /// With the number of the command, over all sessions, before which each waits.
    pub(super) faults: Vec<(usize, Fault)>,
    /// Everything that was put there behind the client's back.
    pub(super) placed: Vec<(String, Vec<u8>)>,
    commands: usize,
    clock: u32,
}

impl World {
    pub(super) fn new(faults: Vec<(usize, Fault)>) -> Self {
        Self { faults, ..Self::default() }
    }

    /// The fault of the command that comes now.
    pub(super) fn next_fault(&mut self, verb: &str) -> Option<Fault> {
        self.commands += 1;
        let now = self.commands;
        let due = self.faults.iter().position(|(at, fault)| *at <= now && fault.fits(verb))?;
        Some(self.faults.remove(due).1)
    }

    /// Puts a file there behind the client's back.
    pub(super) fn place(&mut self, path: &str, content: Vec<u8>) {
        self.placed.push((path.to_owned(), content.clone()));
        self.write(path, content);
    }

    /// Puts other bytes into a file, which shows neither in its size nor in its time.
    pub(super) fn swap(&mut self, path: &str, content: Vec<u8>) {
        self.placed.push((path.to_owned(), content.clone()));
        if let Some(stored) = self.files.get_mut(path) {
            stored.content = content;
        }
    }

    /// Writes a file.
    pub(super) fn write(&mut self, path: &str, content: Vec<u8>) {
        self.clock += 1;
        self.files.insert(path.to_owned(), Stored { content, written: self.clock });
    }

    /// Renames a file; whether there was one.
    pub(super) fn rename(&mut self, from: &str, to: &str) -> bool {
        let Some(stored) = self.files.remove(from) else { return false };
        self.files.insert(to.to_owned(), stored);
        true
    }

    /// The lines of the listing of the root.
    pub(super) fn listing(&self) -> String {
        let files = self.files.iter().map(|(path, stored)| {
            let size = stored.content.len();
            format!("-rw-r--r-- 1 a a {size} Jan 01 2020 {}\r\n", path.trim_start_matches('/'))
        });
        let directories = self.directories.iter().map(|path| {
            format!("drwxr-xr-x 1 a a 0 Jan 01 2020 {}\r\n", path.trim_start_matches('/'))
        });
        files.chain(directories).collect()
    }
}
