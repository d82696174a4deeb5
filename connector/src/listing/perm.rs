//! What the user may do with an entry, as the fact `perm` states it (RFC 3659 §7.5.5).

use std::fmt;

/// The letters of the standard, in its order.
const LETTERS: &[u8; 10] = b"acdeflmprw";

/// The rights that a server states; letters that the standard does not know are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Perm(u16);

impl Perm {
    /// The rights of `adfrw`, in any order and case; none at all where there is no letter.
    pub(super) fn parse(letters: &[u8]) -> Self {
        let mut rights = 0;
        for letter in letters {
            if let Some(place) = place(letter.to_ascii_lowercase()) {
                rights |= 1 << place;
            }
        }
        Self(rights)
    }

    /// Whether the file can be read but not deleted. What denies reading as well is not believed:
    /// some servers leave the fact blank.
    pub(crate) fn denies_deleting(self) -> bool {
        self.has(b'r') && !self.has(b'd')
    }

    /// As [`Perm::denies_deleting`], for renaming.
    pub(crate) fn denies_renaming(self) -> bool {
        self.has(b'r') && !self.has(b'f')
    }

    fn has(self, letter: u8) -> bool {
        place(letter).is_some_and(|place| self.0 & 1 << place != 0)
    }
}

fn place(letter: u8) -> Option<usize> {
    LETTERS.iter().position(|known| *known == letter)
}

impl fmt::Display for Perm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, letter) in LETTERS.iter().enumerate() {
            if self.0 & 1 << place != 0 {
                write!(f, "{}", char::from(*letter))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_come_in_the_order_of_the_standard() {
        for (stated, rights) in [("wrfda", "adfrw"), ("ELCMPF", "ceflmp"), ("", ""), ("?r7", "r")] {
            assert_eq!(Perm::parse(stated.as_bytes()).to_string(), rights, "{stated}");
        }
    }

    #[test]
    fn a_file_that_may_only_be_read_stays() {
        let cases =
            [("r", true, true), ("rd", false, true), ("Rf", true, false), ("", false, false)];
        for (stated, deleting, renaming) in cases {
            let perm = Perm::parse(stated.as_bytes());
            assert_eq!((perm.denies_deleting(), perm.denies_renaming()), (deleting, renaming));
        }
    }
}
