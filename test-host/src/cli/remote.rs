//! `ls`, `get`, `put` and `rm`: a look at a server without a process file.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clap::Args;
use host_sdk::kit::text::printable;
use host_sdk::{Error, ErrorKind, Progress};
use serde_json::{Value, json};

use super::failure::{Failure, with_output};
use super::identity;
use super::options::{Options, Output, cancel_on_interrupt, prepared, results};
use super::remote_url::RemoteUrl;
use crate::cancellation::Cancellation;
use crate::exit_code::ExitCode;
use crate::pipeline::Refusal;
use crate::process::{ProcessFile, Variables};
use crate::report::events::Event;
use crate::report::{LogCounts, Reporter, Text};

/// The variable of the environment with the password.
const PASSWORD: &str = "FTP_PASSWORD";

const PLACE: &str = "ftp://user@host:port/path; ftpes:// is TLS by AUTH, ftps:// TLS from the first \
byte. The password comes from $FTP_PASSWORD or is asked for";

#[derive(Debug, Args)]
pub(super) struct LsArguments {
    #[arg(help = format!("The directory: {PLACE}"))]
    url: String,
}

#[derive(Debug, Args)]
pub(super) struct GetArguments {
    #[arg(help = format!("The file: {PLACE}"))]
    url: String,
    /// Where it is written
    #[arg(default_value = ".")]
    directory: PathBuf,
    /// Replace a file that is there
    #[arg(long)]
    overwrite: bool,
}

#[derive(Debug, Args)]
pub(super) struct PutArguments {
    /// The local file
    file: PathBuf,
    #[arg(help = format!("Where it goes; the file's own name where it ends with /: {PLACE}"))]
    url: String,
    /// Replace a file that is there
    #[arg(long)]
    overwrite: bool,
}

#[derive(Debug, Args)]
pub(super) struct RmArguments {
    #[arg(help = format!("The file: {PLACE}"))]
    url: String,
}

pub(super) fn ls(arguments: &LsArguments, options: &Options) -> Result<ExitCode, Failure> {
    let url = RemoteUrl::parse(&arguments.url)?;
    let step = json!({"name": "ls", "type": "connector", "connection": "server",
                      "operation": "list"});
    run(&url, &url.path, &[step], options)
}

pub(super) fn get(arguments: &GetArguments, options: &Options) -> Result<ExitCode, Failure> {
    let url = RemoteUrl::parse(&arguments.url)?;
    let (directory, name) = url.directory_and_name()?;
    let if_exists = if arguments.overwrite { "replace" } else { "error" };
    let steps = [
        json!({"name": "get", "type": "connector", "connection": "server", "operation": "get",
               "parameters": {"id": template(name)}}),
        json!({"name": "keep", "type": "writeFiles", "ifExists": if_exists,
               "directory": template(path_text(&arguments.directory)?)}),
    ];
    run(&url, directory, &steps, options)
}

pub(super) fn put(arguments: &PutArguments, options: &Options) -> Result<ExitCode, Failure> {
    let url = RemoteUrl::parse(&arguments.url)?;
    let file = &arguments.file;
    let no_file = || Error::configuration("", format!("{} names no file", file.display()));
    if !std::fs::metadata(file)?.is_file() {
        return Err(no_file().into());
    }
    let local = path_text(Path::new(file.file_name().ok_or_else(no_file)?))?;
    if local.contains(['*', '?']) {
        let message = "a name with * or ? would be a pattern; rename the file first";
        return Err(Error::configuration("", message).into());
    }
    let (directory, name) = match url.directory_and_name() {
        Ok(split) => split,
        Err(_) => (url.path.trim_end_matches('/'), local),
    };
    let directory = if directory.is_empty() && url.path.starts_with('/') { "/" } else { directory };
    let from = match file.parent() {
        Some(parent) if parent != Path::new("") => path_text(parent)?,
        _ => ".",
    };
    let action = if arguments.overwrite { "overwrite" } else { "generateError" };
    let steps = [
        json!({"name": "read", "type": "readFiles", "directory": template(from), "include": local,
               "includeHidden": true}),
        json!({"name": "name", "type": "setProperties", "properties": {"fileName": template(name)}}),
        json!({"name": "put", "type": "connector", "connection": "server", "operation": "create",
               "options": {"actionIfFileExists": action}}),
    ];
    run(&url, directory, &steps, options)
}

pub(super) fn rm(arguments: &RmArguments, options: &Options) -> Result<ExitCode, Failure> {
    let url = RemoteUrl::parse(&arguments.url)?;
    let (directory, name) = url.directory_and_name()?;
    let step = json!({"name": "rm", "type": "connector", "connection": "server",
                      "operation": "delete", "parameters": {"id": template(name)}});
    run(&url, directory, &[step], options)
}

/// `text` as a template that stands for itself.
fn template(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

fn path_text(path: &Path) -> Result<&str, Error> {
    path.to_str().ok_or_else(|| {
        Error::configuration("", format!("the name {} is not UTF-8", path.display()))
    })
}

fn run(
    url: &RemoteUrl,
    directory: &str,
    steps: &[Value],
    options: &Options,
) -> Result<ExitCode, Failure> {
    let process = json!({
        "process": steps.last().map_or(&Value::Null, |step| &step["name"]),
        "connections": {"server": connection(url, directory)?},
        "steps": steps,
    });
    let path = Path::new("URL");
    // What looks like a variable in a name is part of the name.
    let text = process.to_string().replace("${", "$${");
    let file = ProcessFile::parse(path, &text, &Variables::default());
    let identity = file.process().as_ref().map(identity::of).unwrap_or_default();
    let cancellation = Cancellation::new();
    cancel_on_interrupt(&cancellation)?;
    let reporter: Arc<dyn Reporter> = match options.output {
        Output::Json => options.reporter(identity, file.last_step()),
        Output::Text => Arc::new(Listing {
            text: Text::new(io::sink(), options.verbosity(), "").of_run(identity),
            failed: Mutex::default(),
        }),
    };
    let connectors = options.connectors(&reporter);
    let (prepared, _) = prepared(file, &connectors, &cancellation)?;
    let outcome = prepared
        .run(&reporter, &cancellation)
        .map_err(|e| Failure::of(path, Refusal::Process(e)))?;
    let is_empty = outcome.summary.documents.empty > 0;
    let last = steps.last().and_then(|step| step["type"].as_str());
    // A person named one file. That there is none of this name is no success.
    if outcome.exit_code == ExitCode::Success && is_empty && last == Some("writeFiles") {
        let what = format!("{} does not exist", url.path);
        return Err(Error::new(ErrorKind::NotFound, what).into());
    }
    Ok(with_output(Ok(outcome.exit_code), reporter.finish()))
}

fn connection(url: &RemoteUrl, directory: &str) -> Result<Value, Error> {
    let mut settings = json!({
        "connector": "ftp",
        "host": url.host,
        "sslMode": url.ssl_mode,
        // A person waits: a server that is not there is said at once.
        "retry": {"attempts": 2},
    });
    if let Some(port) = url.port {
        settings["port"] = json!(port);
    }
    if !directory.is_empty() {
        settings["remoteDirectory"] = json!(directory);
    }
    if let Some(user) = &url.user {
        settings["userName"] = json!(user);
        settings["password"] = match &url.password {
            Some(password) => json!(password),
            None if std::env::var_os(PASSWORD).is_some() => json!({"env": PASSWORD}),
            None if io::stdin().is_terminal() => json!(asked_password(url)?),
            None => {
                let message = format!("no password for {user}");
                let error = Error::configuration("", message);
                return Err(error.with_hint(format!("set {PASSWORD} in the environment")));
            }
        };
    }
    Ok(settings)
}

/// The password, as it is typed on the terminal without being shown.
fn asked_password(url: &RemoteUrl) -> Result<String, Error> {
    let failed = |e: io::Error| Error::configuration("", format!("no password was read: {e}"));
    let user = url.user.as_deref().unwrap_or_default();
    let prompt = printable(&format!("password of {user} on {}: ", url.host));
    write!(io::stderr(), "{prompt}").map_err(failed)?;
    let hidden = std::process::Command::new("stty").arg("-echo").status();
    let mut password = String::new();
    let read = io::stdin().read_line(&mut password);
    if hidden.is_ok_and(|status| status.success()) {
        // The terminal would stay silent; nothing else can be done where this fails.
        let _ = std::process::Command::new("stty").arg("echo").status();
    }
    let _ = writeln!(io::stderr());
    read.map_err(failed)?;
    Ok(password.trim_end_matches(['\r', '\n']).to_owned())
}

/// Prints the entries of a listing for people.
struct Listing {
    text: Text<io::Sink>,
    failed: Mutex<Option<io::Error>>,
}

impl Listing {
    fn failed(&self) -> MutexGuard<'_, Option<io::Error>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reporter for Listing {
    fn event(&self, event: &Event) {
        match event {
            Event::Document(document) if document.json.is_some() => {
                let entry = document.json.as_ref().and_then(|json| json.value().ok());
                if let Some(line) = entry.as_ref().and_then(entry_line)
                    && let Err(error) = writeln!(results(), "{line}")
                {
                    self.failed().get_or_insert(error);
                }
            }
            event => self.text.event(event),
        }
    }

    fn progress(&self, step: &str, progress: Progress) {
        self.text.progress(step, progress);
    }

    fn expect(&self, step: &str, bytes: u64) {
        self.text.expect(step, bytes);
    }

    fn log_counts(&self) -> LogCounts {
        self.text.log_counts()
    }

    fn finish(&self) -> io::Result<()> {
        self.failed().take().map_or(Ok(()), Err)
    }

    fn new_execution(&self, step: &str) -> u64 {
        self.text.new_execution(step)
    }

    fn step_of(&self, execution: u64) -> Option<String> {
        self.text.step_of(execution)
    }
}

/// `d           - 2026-11-27 22:00:00.000 in`; nothing for what is no entry.
fn entry_line(entry: &Value) -> Option<String> {
    let text = |id: &str| entry.get(id).and_then(Value::as_str);
    let name = text("fileName")?;
    let (kind, end) = match text("fileType") {
        Some("directory") => ('d', "/"),
        Some("symbolic_link") => ('l', ""),
        Some("regular_file") => ('-', ""),
        _ => ('?', ""),
    };
    let size = entry.get("size").filter(|size| !size.is_null());
    let size = size.map_or("-".to_owned(), ToString::to_string);
    let time = text("timestamp").unwrap_or("-");
    Some(printable(&format!("{kind} {size:>14}  {time:<23}  {name}{end}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_a_line() {
        let entry = json!({"fileName": "a\u{1b}", "fileType": "directory", "size": null});
        assert_eq!(entry_line(&entry).unwrap(), format!("d {:>14}  {:<23}  a\\x1b/", "-", "-"));
        assert_eq!(entry_line(&json!({"other": 1})), None);
    }
}
