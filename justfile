# The commands of daily work; `just --list` names them. The gate is .ci/run.

set shell := ["bash", "-euo", "pipefail", "-c"]

_default:
    @just --list

# Format, lints and documentation
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked

# Every test, or those that match
test *NAMES:
    cargo test --workspace --locked {{ NAMES }}

# One written conversation, such as `just transcript rest_refused_501`
transcript NAME:
    cargo test -p ftp-connector --test it --locked -- --exact conversations::{{ NAME }}

# The table of behaviours on the rows of one server, such as `just flavour vsftpd` or `just flavour vsftpd_plain`
flavour NAME:
    cargo test -p ftp-connector --test it --locked -- matrix::{{ NAME }}

# One behaviour of the table, on every row or on those of one server
behaviour NAME ROWS="":
    FTP_TEST_BEHAVIOUR={{ NAME }} cargo test -p ftp-connector --test it --locked -- matrix::{{ ROWS }}

# The property tests with many cases, all or one, such as `just fuzz quoted_paths_come_back`
fuzz NAME="" CASES="100000":
    PROPTEST_CASES={{ CASES }} cargo test -p ftp-connector --lib --locked fuzz::{{ NAME }}

# Schemas and the page of settings, written from the types
schemas:
    cargo run --locked -p schemas

# Lines of a listing per second of processor time
bench:
    cargo bench --locked -p ftp-connector --bench listing

# 200 files from a server in the process into SQLite
demo:
    cargo run --release --locked -- demo

# Licenses, banned crates and sources of the dependencies
deny:
    cargo deny --locked check licenses bans sources

# Dependencies that nothing uses
unused:
    cargo machete

# Spelling
typos:
    typos

# What has to pass before a change lands
gate:
    .ci/run
