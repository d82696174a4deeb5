//! Did-you-mean: the known word that is nearest to a mistyped one.

/// `did you mean "…"?` for a near miss, else the list of what is allowed.
pub fn expected_one_of<'a>(given: &str, allowed: impl Iterator<Item = &'a str> + Clone) -> String {
    if let Some(word) = nearest(given, allowed.clone()) {
        return format!("did you mean \"{word}\"?");
    }
    match quoted_list(allowed.map(|word| format!("\"{word}\""))) {
        list if list.is_empty() => "nothing is allowed here".to_owned(),
        list => format!("allowed is {list}"),
    }
}

/// The word of `known` that `given` nearly is: some letters differ, or their case does.
pub fn nearest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_lowercase();
    let (distance, word) = known
        .map(|word| (strsim::damerau_levenshtein(&given, &word.to_lowercase()), word))
        .min_by_key(|(distance, _)| *distance)?;
    (distance <= 1 + given.chars().count() / 4).then_some(word)
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
