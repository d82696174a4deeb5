//! The entries of a selection that come first in its order: of a million entries, three take the
//! memory of a thousand at most where three are wanted.

use std::cmp::Reverse;

use jiff::civil::DateTime;

use super::age::{Age, AgeCheck, untold};
use super::selected::Selected;
use crate::config::SortBy;
use crate::failure::Failure;
use crate::file::time::zone::ServerTimeZone;
use crate::session::Session;

/// How many entries are held, however few are wanted, before those that come too late are dropped.
const AT_LEAST: usize = 1000;

/// The entries that come first, no more than are wanted, and those of which that is not sure.
pub(super) struct Shortlist {
    sort_by: SortBy,
    limit: usize,
    entries: Vec<Candidate>,
    /// How many of them are sure to be meant.
    sure: usize,
    /// How many entries are held until the next cut.
    room: usize,
}

struct Candidate {
    selected: Selected,
    is_sure: bool,
}

impl Candidate {
    /// The span in which the file was modified, on the server's clock, as exactly as that was told.
    fn modified(&self, zone: &ServerTimeZone) -> Option<(DateTime, DateTime)> {
        let modified = self.selected.entry.modified?;
        let start = modified.server_time(zone);
        Some((start, start.checked_add(modified.precision.span()).unwrap_or(start)))
    }
}

impl Shortlist {
    /// Without entries.
    pub(super) fn new(sort_by: SortBy, limit: usize) -> Self {
        let room = limit.saturating_mul(2).max(AT_LEAST);
        Self { sort_by, limit, entries: Vec::new(), sure: 0, room }
    }

    /// How many entries are held.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The entry that was added last.
    pub(super) fn last(&self) -> Option<&Selected> {
        self.entries.last().map(|last| &last.selected)
    }

    /// Adds an entry that is old enough, or may be; answers whether a later one may be wanted.
    pub(super) fn add(&mut self, selected: Selected, age: Age, zone: &ServerTimeZone) -> bool {
        let is_sure = match age {
            Age::NotMeant => return true,
            Age::Meant => true,
            Age::Open => false,
        };
        self.sure += usize::from(is_sure);
        self.entries.push(Candidate { selected, is_sure });
        if self.sort_by == SortBy::None {
            return self.sure < self.limit;
        }
        if self.entries.len() >= self.room {
            self.cut(zone);
            self.room = self.entries.len().saturating_mul(2).max(self.room);
        }
        true
    }

    /// Drops what comes after as many sure entries as are wanted.
    fn cut(&mut self, zone: &ServerTimeZone) {
        self.sort(zone);
        let mut sure = 0;
        let end = self.entries.iter().position(|candidate| {
            sure += usize::from(candidate.is_sure);
            sure >= self.limit
        });
        if let Some(last) = end {
            let kept = self.count_with_ties(last, zone);
            self.entries.truncate(kept);
        }
        self.sure = self.entries.iter().filter(|candidate| candidate.is_sure).count();
    }

    /// How many entries come first with the one at `last`, and with those that may be as new as that:
    /// a listing may tell the minute or the day alone.
    fn count_with_ties(&self, last: usize, zone: &ServerTimeZone) -> usize {
        let rest = self.entries.get(last + 1..).unwrap_or_default();
        let start = self.entries.get(last).and_then(|last| last.modified(zone));
        let (SortBy::Newest, Some((start, _))) = (self.sort_by, start) else { return last + 1 };
        let is_tie = |other: &&Candidate| other.modified(zone).is_some_and(|(_, end)| end > start);
        last + 1 + rest.iter().take_while(is_tie).count()
    }

    /// Asks MDTM about the files that may be the newest, where a listing does not tell which one is.
    fn settle_newest(&mut self, session: &mut Session) -> Result<(), Failure> {
        let zone = session.zone().clone();
        self.cut(&zone);
        let Some(first) = self.entries.first() else { return Ok(()) };
        let is_told = first.selected.entry.modified.is_some();
        if is_told && self.entries.len() == 1 {
            return Ok(());
        }
        let mut times = Vec::new();
        for candidate in &self.entries {
            let path = candidate.selected.path()?;
            let told = session.modified(&path)?;
            if told.is_none() && candidate.selected.entry.modified.is_none() {
                return Err(untold(&path));
            }
            times.push(told);
        }
        // Times of the listing and of MDTM may be those of different clocks.
        match times.into_iter().collect::<Option<Vec<_>>>() {
            Some(times) => {
                for (candidate, told) in self.entries.iter_mut().zip(times) {
                    candidate.selected.entry.modified = Some(told);
                }
                self.sort(&zone);
            }
            None => log::warn!(
                "{} files may be the newest, and MDTM does not tell which one is: the first in the \
                 listing is taken",
                self.entries.len()
            ),
        }
        Ok(())
    }

    /// The entries that are meant, in their order. MDTM is asked about those that are not sure.
    ///
    /// # Errors
    ///
    /// As [`AgeCheck::is_old`].
    pub(super) fn finish(
        mut self,
        session: &mut Session,
        age: Option<&mut AgeCheck>,
    ) -> Result<Vec<Selected>, Failure> {
        match self.sort_by {
            SortBy::Newest => self.settle_newest(session)?,
            _ => self.sort(session.zone()),
        }
        let Some(age) = age else {
            self.entries.truncate(self.limit);
            return Ok(self.entries.into_iter().map(|candidate| candidate.selected).collect());
        };
        let mut meant = Vec::new();
        for Candidate { selected, is_sure } in self.entries {
            if meant.len() >= self.limit {
                break;
            }
            if is_sure || age.is_meant(session, &selected)? {
                meant.push(selected);
            }
        }
        Ok(meant)
    }

    /// Sorts; what is equal stays in the order of the listing.
    fn sort(&mut self, zone: &ServerTimeZone) {
        let entries = &mut self.entries;
        match self.sort_by {
            SortBy::None => {}
            SortBy::FileName => entries.sort_by(|a, b| {
                let (a, b) = (&a.selected, &b.selected);
                (&a.directory, &a.entry.name).cmp(&(&b.directory, &b.entry.name))
            }),
            SortBy::Size => entries.sort_by_key(|one| {
                let size = one.selected.entry.approximate_size();
                (size.is_none(), size)
            }),
            SortBy::Timestamp => entries.sort_by_key(|one| {
                let modified = one.selected.entry.modified;
                let time = modified.map(|modified| modified.server_time(zone));
                (time.is_none(), time)
            }),
            // The time at which the span ends that the listing tells: the newest comes first.
            SortBy::Newest => {
                entries.sort_by_key(|one| Reverse(one.modified(zone).map(|(_, end)| end)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::file::path::RemotePath;
    use crate::file::time::modified::{Modified, Precision};
    use crate::listing::{Entry, Kind};

    fn add(list: &mut Shortlist, number: u64, age: Age) -> bool {
        let directory = Arc::new(RemotePath::root());
        let mut entry = Box::new(Entry::new(number.to_string(), Kind::RegularFile));
        entry.size = Some(number % 5000);
        list.add(Selected { directory, entry }, age, &ServerTimeZone::Auto)
    }

    fn names(list: &Shortlist) -> Vec<&str> {
        list.entries.iter().map(|one| one.selected.entry.name.as_str()).collect()
    }

    #[test]
    fn few_of_many_are_held() {
        let mut list = Shortlist::new(SortBy::Size, 3);
        for number in (0..20_000).rev() {
            assert!(add(&mut list, number, Age::Meant));
            assert!(list.len() < AT_LEAST);
        }
        list.cut(&ServerTimeZone::Auto);
        // Of equal ones, those that were listed first.
        assert_eq!(names(&list), ["15000", "10000", "5000"]);
    }

    #[test]
    fn the_newest_stays_with_those_that_may_be_as_new() {
        let mut list = Shortlist::new(SortBy::Newest, 1);
        let directory = Arc::new(RemotePath::root());
        let times = [
            ("day", 27, 0, Precision::Day),
            ("before", 26, 23, Precision::Second),
            ("noon", 27, 12, Precision::Minute),
            ("old", 1, 12, Precision::Second),
        ];
        for (name, day, hour, precision) in times {
            let mut entry = Box::new(Entry::new(name.to_owned(), Kind::RegularFile));
            let at = jiff::civil::datetime(2026, 11, day, hour, 0, 0, 0);
            entry.modified = Some(Modified::utc(at, precision));
            let selected = Selected { directory: Arc::clone(&directory), entry };
            assert!(list.add(selected, Age::Meant, &ServerTimeZone::Auto));
        }
        list.cut(&ServerTimeZone::Auto);
        assert_eq!(names(&list), ["day", "noon"]);
    }

    #[test]
    fn what_may_come_first_is_held_until_it_is_sure() {
        let mut list = Shortlist::new(SortBy::Size, 2);
        for number in 0..2500 {
            let age = if number < 3 { Age::Open } else { Age::Meant };
            add(&mut list, number, age);
        }
        list.cut(&ServerTimeZone::Auto);
        assert_eq!(names(&list), ["0", "1", "2", "3", "4"]);
    }

    #[test]
    fn without_an_order_the_first_ones_are_enough() {
        let mut list = Shortlist::new(SortBy::None, 2);
        let wanted: Vec<bool> = [Age::Open, Age::NotMeant, Age::Meant, Age::Open, Age::Meant]
            .into_iter()
            .zip(0..)
            .map(|(age, number)| add(&mut list, number, age))
            .collect();
        assert_eq!(wanted, [true, true, true, true, false]);
        assert_eq!(names(&list), ["0", "2", "3", "4"]);
    }
}
