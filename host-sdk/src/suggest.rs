//! Did-you-mean: the known word that is nearest to a mistyped one.

/// `did you mean "…"?` for a near miss, else the list of what is allowed.
pub fn expected_one_of<'a>(given: &str, allowed: impl Iterator<Item = &'a str> + Clone) -> String {
    let nearest = allowed
        .clone()
        .map(|word| {
            (strsim::damerau_levenshtein(&given.to_lowercase(), &word.to_lowercase()), word)
        })
        .min_by_key(|(distance, _)| *distance);
    match nearest {
        Some((distance, word)) if distance <= 1 + given.chars().count() / 4 => {
            format!("did you mean \"{word}\"?")
        }
        Some(_) => format!("allowed is {}", quoted_list(allowed.map(|word| format!("\"{word}\"")))),
        None => "nothing is allowed here".to_owned(),
    }
}

/// `a, b or c`.
pub(crate) fn quoted_list(items: impl Iterator<Item = String>) -> String {
    let mut items: Vec<String> = items.collect();
    match items.pop() {
        None => String::new(),
        Some(last) if items.is_empty() => last,
        Some(last) => format!("{} or {last}", items.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_miss_is_suggested_and_a_far_one_lists_all() {
        let allowed = ["query", "get", "list"];
        assert_eq!(expected_one_of("qeury", allowed.into_iter()), "did you mean \"query\"?");
        assert_eq!(
            expected_one_of("upload", allowed.into_iter()),
            "allowed is \"query\", \"get\" or \"list\""
        );
    }
}
