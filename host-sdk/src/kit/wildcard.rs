//! File name patterns.

use std::str::Chars;

/// A pattern in which `*` stands for any number of characters and `?` for exactly one. It matches
/// whole texts; case counts, and no character has another special meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wildcard(String);

impl Wildcard {
    /// The pattern that `pattern` spells. Every text is a pattern.
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    /// True if the pattern matches all of `text`. Takes at most the product of the two lengths in
    /// steps, and allocates nothing.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let (mut pattern, mut text) = (self.0.chars(), text.chars());
        // The pattern after the last `*`, and the text that this `*` has not taken.
        let mut retry: Option<(Chars<'_>, Chars<'_>)> = None;
        loop {
            let (mut next_pattern, mut next_text) = (pattern.clone(), text.clone());
            match (next_pattern.next(), next_text.next()) {
                (None, None) => return true,
                (Some('*'), _) => {
                    retry = Some((next_pattern.clone(), text.clone()));
                    pattern = next_pattern;
                }
                (Some(wanted), Some(character)) if wanted == '?' || wanted == character => {
                    (pattern, text) = (next_pattern, next_text);
                }
                _ => {
                    let Some((after_star, rest)) = &mut retry else { return false };
                    // The `*` takes one character more.
                    if rest.next().is_none() {
                        return false;
                    }
                    (pattern, text) = (after_star.clone(), rest.clone());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_texts() {
        for (pattern, text) in [
            ("*", ""),
            ("*", "a"),
            ("**", "a"),
            ("*.xml", "a.b.xml"),
            ("INV-??.*", "INV-01.x"),
            ("a*b*c", "aXbYbZc"),
            ("*ab", "aab"),
            (".*", ".a"),
            ("?", "é"),
            ("a?b", "a\nb"),
            ("", ""),
        ] {
            assert!(Wildcard::new(pattern).matches(text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("*.xml", "a.xml2"),
            ("?", ""),
            ("a*b", "ac"),
            ("", "a"),
            ("INV", "inv"),
            (".", "a"),
            ("[a]", "a"),
        ] {
            assert!(!Wildcard::new(pattern).matches(text), "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_end_soon() {
        let text = "a".repeat(2_000);
        assert!(!Wildcard::new("*a".repeat(200) + "b").matches(&text));
        assert!(Wildcard::new("*a".repeat(200)).matches(&text));
    }
}
