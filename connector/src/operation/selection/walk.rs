//! Walking directories: one after the other, as deep as is asked, links followed if that is
//! asked too.

use std::collections::VecDeque;

use super::flaw::{Flaws, too_deep};
use super::known::{KnownDirectories, target_path};
use crate::config::WalkSettings;
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::file::time::modified::Modified;
use crate::file::time::zone::ServerTimeZone;
use crate::listing::{Entry, Kind};
use crate::session::{Found, Session, SizeAnswer};

/// How many links a path may lead through where the server does not tell where they end: they may
/// go round in circles.
const MAX_UNRESOLVED_LINKS: usize = 8;

/// How many such links are followed in all.
const MAX_UNRESOLVED_IN_ALL: usize = 1000;

/// How many levels below its directory a walk goes at most.
const DEEPEST: u64 = 256;

/// How many directories a walk comes to at most.
const MAXIMUM_DIRECTORIES: usize = 100_000;

/// An entry that the walk came to.
pub(in crate::operation) struct VisitedEntry<'a> {
    /// Where it lies.
    pub(in crate::operation) directory: &'a RemotePath,
    pub(in crate::operation) entry: Entry,
    /// The zone of the server's clock, as far as it is known.
    pub(in crate::operation) zone: &'a ServerTimeZone,
    /// Whether its time and its size are as exact as they get.
    pub(in crate::operation) is_exact: bool,
}

/// What a visit wants next.
pub(in crate::operation) enum Visited {
    /// The next entry.
    Continue,
    /// No more entries.
    Stop,
    /// This entry once more, with what MDTM and SIZE tell; only where it is not exact yet.
    Refine(Entry),
}

/// Called for each entry.
pub(in crate::operation) type Visit<'a> =
    dyn FnMut(VisitedEntry<'_>) -> Result<Visited, Failure> + 'a;

/// A directory that a walk comes to.
struct Waiting {
    directory: RemotePath,
    /// Where it really is, as far as the server tells.
    real: RemotePath,
    /// How many levels below the first one.
    depth: u64,
    /// How many links lead there.
    followed: usize,
    /// Whether it was busy when its turn came.
    postponed: bool,
}

impl Waiting {
    fn new(directory: RemotePath, real: RemotePath, depth: u64, followed: usize) -> Self {
        Self { directory, real, depth, followed, postponed: false }
    }
}

/// Visits the entries of `directory` and, as far as `settings` go, of those below it. The result
/// are those that cannot be used: names that are none, lines that are no entries, directories below
/// that may not be read.
///
/// # Errors
///
/// Those of listing `directory` and of `visit`; `protocol` where there are more than 100 000
/// directories.
pub(in crate::operation) fn walk(
    session: &mut Session,
    directory: &RemotePath,
    settings: &WalkSettings,
    visit: &mut Visit<'_>,
) -> Result<Flaws, Failure> {
    let mut flaws = Flaws::new(settings.strict);
    // What links lead to is told by its real path.
    let real = match settings.follow_links {
        true => match session.real_path(directory) {
            Err(e) => return Err(session.explained_directory(directory, e)?),
            Ok(real) => real,
        },
        false => directory.clone(),
    };
    let mut known = KnownDirectories::new(directory, &real);
    let mut waiting = VecDeque::from([Waiting::new(directory.clone(), real, 0, 0)]);
    let mut wanted = true;
    let mut unresolved = 0;
    while let Some(next) = waiting.pop_front() {
        let Waiting { directory, real, depth, followed, postponed } = next;
        let descends = settings.depth.is_none_or(|deepest| depth < deepest);
        if descends {
            session.ask_for_unique()?;
        }
        // The control connection is busy with the listing: links and questions wait until it ends.
        let mut links = Vec::new();
        let mut undecided = Vec::new();
        let mut below = Vec::new();
        let mut linked = Vec::new();
        let has_mdtm = session.features().mdtm;
        let mut is_unseen = true;
        let entered = if depth > 0 { session.enter_listed(&directory) } else { Ok(()) };
        let is_gone = entered.as_ref().is_err_and(|e| e.is(Cause::Missing));
        let listed = entered.and_then(|()| {
            session.list_in_zone(&directory, &mut |found, zone| {
                is_unseen = false;
                let mut entry = match found {
                    Found::Entry(entry) => entry,
                    Found::Unusable(e) => return flaws.add_line(&directory, e).map(|()| wanted),
                };
                // A name that is none would lead whoever believes it out of the directory.
                let (within, path) = match place(&directory, &mut entry) {
                    Ok(place) => place,
                    Err(e) => {
                        return flaws.add(&directory, Some(&entry.name), e.into()).map(|()| wanted);
                    }
                };
                let within = within.as_ref().unwrap_or(&directory);
                if entry.kind == Kind::Directory && descends {
                    below.push((path.clone(), entry.unique.clone()));
                }
                if entry.kind == Kind::SymbolicLink && settings.follow_links {
                    links.push(entry);
                    return Ok(true);
                }
                let is_exact = !has_mdtm && entry.rounded_size.is_none();
                match visit(VisitedEntry { directory: within, entry, zone, is_exact })? {
                    Visited::Continue => {}
                    Visited::Stop => wanted = false,
                    Visited::Refine(entry) => undecided.push((path, entry)),
                }
                Ok(wanted)
            })
        });
        let listed = match listed {
            Err(e) if depth == 0 => Err(session.explained_directory(&directory, e)?),
            listed => listed,
        };
        match listed {
            // It was removed since the listing above it: nothing is left to visit.
            Err(_) if is_gone => {
                log::info!("{directory} is gone");
                continue;
            }
            // One that is busy: the others come first.
            Err(e) if depth > 0 && is_unseen && !postponed && is_busy(&e, session) => {
                let postponed = true;
                waiting.push_back(Waiting { directory, real, depth, followed, postponed });
                continue;
            }
            // One that may not be entered, or not be read: the others may.
            Err(e) if depth > 0 && (is_local(&e, session) || is_busy(&e, session)) => {
                flaws.add(&directory.parent(), Some(directory.file_name()), e)?;
            }
            other => other?,
        }
        for (path, entry) in undecided {
            if !wanted {
                break;
            }
            let entry = refine(session, &path, entry)?;
            let zone = session.zone();
            let within = path.parent();
            let seen = VisitedEntry { directory: &within, entry, zone, is_exact: true };
            wanted = !matches!(visit(seen)?, Visited::Stop);
        }
        for link in links {
            if !wanted {
                break;
            }
            let path = directory.entry(&link.name)?;
            let link_target = link.link_target.clone();
            let target = match resolve(session, &path, link) {
                Ok(target) => target,
                // One that leads nowhere: the others may.
                Err(e) if e.is(Cause::Missing) || is_local(&e, session) => {
                    flaws.add(&directory, Some(path.file_name()), e)?;
                    continue;
                }
                Err(e) => return Err(e),
            };
            // A link may lead back to where the walk came from: what counts is where it ends.
            if target.kind == Kind::Directory && descends {
                let mut end = session.real_path(&path)?;
                if end == path {
                    let by_target = link_target.and_then(|text| target_path(&real, &text));
                    end = by_target.unwrap_or(end);
                }
                let is_told = end != path;
                unresolved += usize::from(!is_told);
                if known.add(session, &end, None)?
                    && (is_told
                        || (followed < MAX_UNRESOLVED_LINKS && unresolved < MAX_UNRESOLVED_IN_ALL))
                {
                    linked.push((path, end));
                }
            }
            let zone = session.zone();
            let seen = VisitedEntry { directory: &directory, entry: target, zone, is_exact: true };
            wanted = !matches!(visit(seen)?, Visited::Stop);
        }
        if !wanted {
            return Ok(flaws);
        }
        if depth >= DEEPEST && !(below.is_empty() && linked.is_empty()) {
            let deeper =
                below.iter().map(|(path, _)| path).chain(linked.iter().map(|(path, _)| path));
            for path in deeper {
                flaws.add(&directory, Some(path.file_name()), too_deep(path, DEEPEST))?;
            }
            continue;
        }
        // A directory is visited once, however many ways lead to it.
        for (path, unique) in below {
            let real = real.entry(path.file_name())?;
            if known.add(session, &real, unique)? {
                waiting.push_back(Waiting::new(path, real, depth + 1, followed));
            }
        }
        let linked = linked.into_iter();
        waiting.extend(linked.map(|(path, end)| Waiting::new(path, end, depth + 1, followed + 1)));
        if known.count() > MAXIMUM_DIRECTORIES {
            let message = format!("there are more than {MAXIMUM_DIRECTORIES} directories");
            return Err(Failure::new(Cause::Nonsense, message)
                .with_path(directory)
                .with_transient(false)
                .with_hint("lower recursive, or walk the directories below one by one"));
        }
    }
    Ok(flaws)
}

/// Where `entry` of `directory` is: the directory it lies in, where that is one below, and its path.
/// What is listed by a path from there, as members of a file are, keeps its last name.
fn place(
    directory: &RemotePath,
    entry: &mut Entry,
) -> Result<(Option<RemotePath>, RemotePath), host_sdk::Error> {
    let Some(at) = entry.name.rfind('/').filter(|_| entry.is_path) else {
        return Ok((None, directory.entry(&entry.name)?));
    };
    let mut within = directory.clone();
    for part in entry.name.get(..at).unwrap_or_default().split('/') {
        within = within.entry(part)?;
    }
    let path = within.entry(entry.name.get(at + 1..).unwrap_or_default())?;
    entry.name.drain(..=at);
    Ok((Some(within), path))
}

/// Whether `error` is the server's answer about one directory, so that the others may be read.
fn is_local(error: &Failure, session: &mut Session) -> bool {
    let is_answer = error.is_answer() || matches!(error.cause(), Cause::Denied | Cause::Missing);
    is_answer && !error.is_transient() && session.is_usable()
}

/// Whether `error` is the server's answer about one directory, which may pass.
fn is_busy(error: &Failure, session: &mut Session) -> bool {
    error.is(Cause::Unavailable) && error.is_answer() && session.is_usable()
}

/// The entry at `path` with what MDTM and SIZE tell of it, where they are better than the listing.
fn refine(session: &mut Session, path: &RemotePath, listed: Entry) -> Result<Entry, Failure> {
    let exact = session.modified(path)?;
    let zone = session.zone();
    let refine = |modified: Modified| exact.map_or(modified, |it| modified.refined(&it, zone));
    let entry = Entry { modified: listed.modified.map(refine), ..listed };
    if entry.rounded_size.is_none() || entry.kind != Kind::RegularFile {
        return Ok(entry);
    }
    match session.size(path) {
        Ok(Some(size)) => Ok(Entry { size: Some(size), rounded_size: None, ..entry }),
        // What SIZE is refused for stays rounded.
        Err(e) if !e.is_answer() || !session.is_usable() => Err(e),
        Ok(None) | Err(_) => Ok(entry),
    }
}

/// The entry that a link leads to, under the link's name.
fn resolve(session: &mut Session, path: &RemotePath, link: Entry) -> Result<Entry, Failure> {
    let kind = match session.ask_size(path)? {
        SizeAnswer::Bytes(size) => {
            let modified = session.modified(path)?.or(link.modified);
            let kind = Kind::RegularFile;
            return Ok(Entry { kind, size: Some(size), modified, ..link });
        }
        SizeAnswer::Unanswered => Kind::RegularFile,
        SizeAnswer::Denied | SizeAnswer::Missing(_) => Kind::Directory,
    };
    if session.has_directory(path)? {
        return Ok(Entry { kind: Kind::Directory, size: None, ..link });
    }
    if kind == Kind::RegularFile {
        return Ok(Entry { kind, size: None, ..link });
    }
    Err(Failure::new(Cause::Missing, format!("the symbolic link {path} leads nowhere"))
        .with_path(path)
        .with_hint("repair the link on the server, or set followSymbolicLinks to false"))
}
