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
            let place = match letter | 0x20 {
                b'a' => 0,
                b'c' => 1,
                b'd' => 2,
                b'e' => 3,
                b'f' => 4,
                b'l' => 5,
                b'm' => 6,
                b'p' => 7,
                b'r' => 8,
                b'w' => 9,
                _ => continue,
            };
            rights |= 1 << place;
        }
        Self(rights)
    }
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
}
