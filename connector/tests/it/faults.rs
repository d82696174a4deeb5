//! The table of faults, row by row: which written conversation proves the expected answer, for
//! which operation.

use std::collections::BTreeSet;

use crate::conversations::ALL;
use crate::support::report;
use crate::transcript::Transcript;

/// A fault with the conversations in which it happens.
type Row = (&'static str, &'static [&'static str]);

/// What attackers do, and where it is withstood. What no conversation can show is proved by the
/// modules trust, secrets, reuse, names and panics.
const ATTACKS: &[Row] = &[
    ("bounce", &["pasv_bounce", "pasv_with_an_unreachable_address", "epsv_without_a_port"]),
    (
        "injection and stripping",
        &[
            "auth_answered_with_a_login",
            "auth_answered_with_an_offer",
            "auth_refused_as_unknown",
            "auth_refused_by_policy",
            "greeting_that_skips_tls",
            "half_a_reply_in_clear_behind_auth",
            "private_data_refused",
            "replies_in_clear_behind_auth",
        ],
    ),
    (
        "traversal",
        &[
            "listed_name_above",
            "listed_name_absolute",
            "listed_name_cr",
            "listed_name_in_facts",
            "listed_name_inside",
            "listed_name_nul",
            "pwd_with_a_nul",
        ],
    ),
    ("truncation in TLS", &["tls_data_without_farewell", "tls_listing_without_farewell"]),
    ("another's data connection", &["active_from_a_foreign_address"]),
    ("replies out of turn", &["a_reply_too_many", "text_behind_the_password"]),
    ("leaked credentials", &["password_is_echoed", "password_is_echoed_later", "wrong_password"]),
    (
        "memory",
        &[
            "endless_feature_list",
            "endless_listing",
            "endless_listing_line",
            "endless_reply",
            "endless_reply_line",
            "delays_without_end",
            "preliminary_replies_without_end",
        ],
    ),
    ("terminals", &["control_bytes_in_replies", "listed_escape_sequences"]),
];

/// What networks and servers do.
const FAULTS: &[Row] = &[
    (
        "cut before 150, 425, 450",
        &[
            "cut_before_the_transfer",
            "data_connection_refused_once",
            "file_is_busy",
            "list_data_refused_once",
            "query_cut_before_each_transfer",
            "session_cut_before_the_upload",
            "upload_data_refused_once",
            "upload_of_a_busy_name",
            "delete_of_a_busy_file",
            "delete_unanswered",
            "delete_unanswered_and_no_size",
        ],
    ),
    (
        "cut after 150, 426, 451",
        &[
            "aborted_by_the_server",
            "cut_by_reset",
            "cut_early",
            "cut_in_the_middle",
            "cut_in_the_middle_with_the_session",
            "six_interruptions",
            "progress_counts_attempts_anew",
            "failed_on_two_sessions",
            "query_cut_in_the_middle",
            "listing_aborted",
            "listing_again",
            "listing_told_in_part",
            "upload_aborted_by_the_server",
            "upload_cut",
            "upload_cut_twice",
            "append_cut",
            "append_refused_at_its_end",
            "append_sent_and_not_there_yet",
            "append_of_nothing_unanswered",
            "append_cut_and_no_size",
            "append_without_its_confirmation",
            "refused_while_the_data_stays_open",
        ],
    ),
    (
        "short and confirmed",
        &[
            "data_short_and_confirmed",
            "text_short_and_confirmed",
            "text_of_records",
            "text_with_its_line_ends",
            "data_short_and_size_gone",
            "data_short_then_whole",
            "query_data_short",
        ],
    ),
    (
        "whole and not confirmed",
        &[
            "confirmation_refused",
            "everything_but_the_confirmation",
            "everything_and_refused",
            "everything_but_the_confirmation_and_no_time",
            "query_without_its_confirmation",
            "listing_without_its_confirmation",
            "upload_without_confirmation",
        ],
    ),
    (
        "cut after 226, idle 421",
        &[
            "cut_after_the_confirmation",
            "goodbye_to_a_command",
            "idle_goodbye",
            "upload_cut_after_its_confirmation",
        ],
    ),
    (
        "stall, half-open, slow",
        &[
            "stall",
            "stalled_login",
            "stall_and_no_time_left",
            "stall_then_resumed",
            "silent_data_connection",
            "greeting_that_drips",
            "reply_that_drips",
            "query_stalled",
            "listing_that_drips",
            "upload_that_nobody_reads",
            "delete_never_answered",
        ],
    ),
    (
        "control dies in a long transfer",
        &[
            "confirmation_that_never_comes",
            "control_silent_after_the_data",
            "control_silent_after_the_upload",
        ],
    ),
    (
        "421 anywhere",
        &[
            "goodbye_in_a_download",
            "goodbye_in_an_upload",
            "goodbye_to_a_command",
            "goodbye_to_a_deletion",
            "goodbye_to_a_renaming",
            "goodbye_to_an_appending",
            "rename_unanswered",
            "rename_unanswered_and_name_taken",
            "claim_unanswered",
            "removal_unanswered",
        ],
    ),
    ("SIZE below the data", &["size_below_the_data", "query_size_below_the_data"]),
    (
        "changed file",
        &[
            "content_changed_meanwhile",
            "file_gone_since_the_listing",
            "file_grew_meanwhile",
            "grown_before_removal",
            "rewritten_before_removal",
            "rewritten_while_it_was_busy",
            "moved_while_it_was_busy",
            "mlst_tells_nothing",
            "rewritten_before_removal_by_facts",
            "grown_before_demanded_removal",
            "size_changed_meanwhile",
            "time_changed_meanwhile",
        ],
    ),
    (
        "REST ignored or refused",
        &[
            "rest_ignored",
            "rest_ignored_in_a_uniform_file",
            "rest_refused_501",
            "rest_refused_502",
            "rest_refused_550",
            "rest_agreed_and_transfer_refused",
            "upload_cut_without_rest",
            "upload_rest_ignored",
        ],
    ),
    (
        "listing cut",
        &[
            "listing_again",
            "listing_of_a_busy_directory",
            "listing_aborted",
            "listing_cut_behind_what_is_wanted",
            "listing_cut_in_a_line",
        ],
    ),
    ("unknown format", &["listed_in_blocks", "unknown_listing", "mlsd_announced_and_refused"]),
    ("active and nobody calls", &["active_and_nobody_calls", "active_and_silent"]),
    (
        "TLS alert or garbage",
        &[
            "auth_agreed_and_no_tls",
            "auth_agreed_and_hung_up",
            "code_522",
            "tls_data_without_farewell",
        ],
    ),
    (
        "wrong password",
        &[
            "account_is_missing",
            "goodbye_to_a_wrong_password",
            "password_asked_for_again",
            "too_many_wrong_passwords",
            "wrong_password",
            "wrong_password_after_a_cut",
            "stalled_password",
            "user_whose_name_is_max",
            "wrong_password_everywhere",
        ],
    ),
    (
        "too many",
        &[
            "too_many_users",
            "too_many_users_and_denied",
            "too_many_users_everywhere",
            "too_many_users_for_good",
        ],
    ),
    (
        "550, 552",
        &[
            "code_534",
            "delete_of_nothing",
            "existence_that_cannot_be_proven",
            "missing_directory",
            "missing_without_size",
            "one_file_denied",
            "upload_refused_at_once",
            "upload_without_room",
        ],
    ),
    (
        "upload kept short",
        &[
            "upload_kept_short",
            "text_kept_short",
            "upload_kept_short_then_whole",
            "upload_kept_short_twice",
        ],
    ),
    ("refused in mid-upload", &["upload_refused_early"]),
];

/// The operations of a conversation.
fn operations(name: &str) -> BTreeSet<String> {
    let requests = ["create", "query", "get", "list", "delete"];
    let transcript = Transcript::read(name);
    let words = transcript.directives().map(|line| line.split(' ').next().unwrap_or_default());
    words.filter(|word| requests.contains(word)).map(str::to_owned).collect()
}

#[test]
fn every_fault_has_its_conversations() {
    let mut scenarios = 0;
    for (fault, names) in ATTACKS.iter().chain(FAULTS) {
        assert!(!names.is_empty(), "{fault} is not proved");
        let mut covered = BTreeSet::new();
        for name in *names {
            assert!(ALL.contains(name), "{fault}: there is no conversation {name}");
            let operations = operations(name);
            assert!(!operations.is_empty(), "{name} asks for nothing");
            scenarios += operations.len();
            covered.extend(operations);
        }
        let covered: Vec<String> = covered.into_iter().collect();
        report("FAULT", &format!("{fault:<34} {:>2}  {}", names.len(), covered.join(" ")));
    }
    report("FAULTS", &format!("{scenarios} scenarios"));
}
