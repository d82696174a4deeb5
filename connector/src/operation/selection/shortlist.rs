//! The entries of a selection that come first in its order: of a million entries, three take the
//! memory of a thousand at most where three are wanted.

use super::age::{Age, MinimumAge};
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
            Age::Young => return true,
            Age::Old => true,
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
            self.entries.truncate(last + 1);
        }
        self.sure = sure;
    }

    /// The entries that are meant, in their order. MDTM is asked about those that are not sure.
    ///
    /// # Errors
    ///
    /// As [`MinimumAge::is_old`].
    pub(super) fn finish(
        mut self,
        session: &mut Session,
        age: Option<&mut MinimumAge>,
    ) -> Result<Vec<Selected>, Failure> {
        self.sort(session.zone());
        let Some(age) = age else {
            self.entries.truncate(self.limit);
            return Ok(self.entries.into_iter().map(|candidate| candidate.selected).collect());
        };
        let mut meant = Vec::new();
        for Candidate { selected, is_sure } in self.entries {
            if meant.len() >= self.limit {
                break;
            }
            if is_sure || age.is_old(session, &selected)? {
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
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::file::path::RemotePath;
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
            assert!(add(&mut list, number, Age::Old));
            assert!(list.len() < AT_LEAST);
        }
        list.cut(&ServerTimeZone::Auto);
        // Of equal ones, those that were listed first.
        assert_eq!(names(&list), ["15000", "10000", "5000"]);
    }

    #[test]
    fn what_may_come_first_is_held_until_it_is_sure() {
        let mut list = Shortlist::new(SortBy::Size, 2);
        for number in 0..2500 {
            let age = if number < 3 { Age::Open } else { Age::Old };
            add(&mut list, number, age);
        }
        list.cut(&ServerTimeZone::Auto);
        assert_eq!(names(&list), ["0", "1", "2", "3", "4"]);
    }

    #[test]
    fn without_an_order_the_first_ones_are_enough() {
        let mut list = Shortlist::new(SortBy::None, 2);
        let wanted: Vec<bool> = [Age::Open, Age::Young, Age::Old, Age::Open, Age::Old]
            .into_iter()
            .zip(0..)
            .map(|(age, number)| add(&mut list, number, age))
            .collect();
        assert_eq!(wanted, [true, true, true, true, false]);
        assert_eq!(names(&list), ["0", "2", "3", "4"]);
    }
}
