//! Tests of what only a loaded connector can show.

mod compatibility;
mod conformance;
mod executing;
mod loading;
mod logging;
mod panics;
mod support;
