//! One control connection of a model server.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::link::Link;
use super::shared::{POLL, Shared};
use super::world::{Ending, Fault};

/// How long the client may take to make a data connection, and to read or send what it asked for.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(5);

/// Plays one session to its end, whatever that is. The socket is shut down: others hold copies.
pub(super) fn run(stream: TcpStream, shared: &Arc<Shared>) {
    let Ok(link) = Link::new(stream, shared.tls.as_ref()) else { return };
    let mut session = Session {
        control: BufReader::new(link),
        shared: Arc::clone(shared),
        listener: None,
        offset: 0,
        renaming: String::new(),
        here: "/".to_owned(),
    };
    // A client that is gone is no fault of the server's.
    let _ = session.talk();
    session.control.get_mut().shut_down();
}

struct Session {
    control: BufReader<Link>,
    shared: Arc<Shared>,
    listener: Option<TcpListener>,
    offset: usize,
    renaming: String,
    /// The working directory.
    here: String,
}

impl Session {
    fn talk(&mut self) -> io::Result<()> {
        self.say("220 ready")?;
        loop {
            let mut line = String::new();
            if self.control.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let (verb, argument) = line.trim_end().split_once(' ').unwrap_or((line.trim_end(), ""));
            let fault = self.shared.world().next_fault(verb);
            match fault {
                Some(Fault::HangsUp) => return Ok(()),
                Some(Fault::Goodbye) => return self.say("421 Shutting down."),
                Some(Fault::Silence | Fault::SilentTo(_)) => {
                    // Until the client, or the server's end, hangs up.
                    return io::copy(&mut self.control, &mut io::sink()).map(drop);
                }
                Some(Fault::Busy) => {
                    self.say("450 Busy.")?;
                    continue;
                }
                Some(Fault::Denied) => {
                    self.say("550 Denied.")?;
                    continue;
                }
                _ => {}
            }
            let Some(answer) = self.perform(verb, argument, fault.as_ref())? else { return Ok(()) };
            match fault {
                Some(Fault::Unanswered) => return Ok(()),
                Some(Fault::CutAnswer(bytes)) => {
                    let answer = format!("{answer}\r\n");
                    let kept = bytes.min(answer.len() - 1);
                    return self.send_control(&answer.as_bytes()[..kept]);
                }
                _ => self.say(&answer)?,
            }
            if verb == "QUIT" {
                return Ok(());
            }
        }
    }

    fn say(&mut self, reply: &str) -> io::Result<()> {
        self.send_control(format!("{reply}\r\n").as_bytes())
    }

    fn send_control(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.control.get_mut().write_all(bytes)?;
        self.control.get_mut().flush()
    }

    /// Does what is asked for; the answer, or none where the session ends instead.
    fn perform(
        &mut self,
        verb: &str,
        argument: &str,
        fault: Option<&Fault>,
    ) -> io::Result<Option<String>> {
        let shared = Arc::clone(&self.shared);
        let whole = match argument.starts_with('/') || argument.is_empty() {
            true => argument.to_owned(),
            false => format!("{}/{argument}", self.here.trim_end_matches('/')),
        };
        let path = whole.as_str();
        let done = |is_done: bool| if is_done { "250 Done." } else { "550 No." }.to_owned();
        let answer = match verb {
            "USER" => "331 Password?".to_owned(),
            "PASS" => "230 Welcome.".to_owned(),
            "FEAT" => "211-Features:\r\n MDTM\r\n SIZE\r\n REST STREAM\r\n211 End".to_owned(),
            "PWD" => "257 \"/\" is the current directory".to_owned(),
            "TYPE" | "NOOP" | "PBSZ" | "PROT" => "200 Done.".to_owned(),
            "QUIT" => "221 Goodbye.".to_owned(),
            "CWD" => {
                let is_there = path == "/" || shared.world().directories.contains(path);
                if is_there {
                    path.clone_into(&mut self.here);
                }
                done(is_there)
            }
            "MKD" => match shared.world().directories.insert(path.to_owned()) {
                true => "257 Made.".to_owned(),
                false => "550 It exists.".to_owned(),
            },
            "RMD" => done(shared.world().directories.remove(path)),
            "SIZE" => match shared.world().files.get(path) {
                Some(stored) => format!("213 {}", stored.content.len()),
                None => "550 No such file.".to_owned(),
            },
            "MDTM" => match shared.world().files.get(path) {
                Some(stored) => {
                    format!("213 2024010100{:02}{:02}", stored.written / 60, stored.written % 60)
                }
                None => "550 No such file.".to_owned(),
            },
            "DELE" => done(shared.world().files.remove(path).is_some()),
            "RNFR" => {
                path.clone_into(&mut self.renaming);
                "350 And?".to_owned()
            }
            "RNTO" => done(shared.world().rename(&self.renaming, path)),
            "REST" => match fault {
                Some(Fault::RestUnknown) => "502 What?".to_owned(),
                _ => {
                    let is_ignored = fault == Some(&Fault::RestIgnored);
                    self.offset = if is_ignored { 0 } else { argument.parse().unwrap_or(0) };
                    "350 From there.".to_owned()
                }
            },
            "EPSV" => {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
                listener.set_nonblocking(true)?;
                let port = listener.local_addr()?.port();
                self.listener = Some(listener);
                format!("229 Entering Extended Passive Mode (|||{port}|)")
            }
            "RETR" => {
                let stored = shared.world().files.get(path).cloned();
                let Some(stored) = stored else { return Ok(Some(done(false))) };
                let from = std::mem::take(&mut self.offset).min(stored.content.len());
                let mut other = stored.content.clone();
                other.reverse();
                match fault {
                    Some(Fault::Changed(_)) => {
                        other.push(b'!');
                        shared.world().place(path, other);
                    }
                    Some(Fault::Swapped(_)) => shared.world().swap(path, other),
                    _ => {}
                }
                return self.send(&stored.content[from..], fault);
            }
            "LIST" => {
                let listing = shared.world().listing();
                return self.send(listing.as_bytes(), fault);
            }
            "STOR" => return self.receive(path, fault),
            _ => "502 What?".to_owned(),
        };
        Ok(Some(answer))
    }

    /// The client's data connection, made after it got the port.
    fn data(&mut self) -> io::Result<Link> {
        let listener = self.listener.take().ok_or(io::ErrorKind::NotConnected)?;
        let start = Instant::now();
        while start.elapsed() < CLIENT_TIMEOUT && !self.shared.is_over() {
            if let Ok((stream, _)) = listener.accept() {
                stream.set_nonblocking(false)?;
                stream.set_read_timeout(Some(CLIENT_TIMEOUT))?;
                stream.set_write_timeout(Some(CLIENT_TIMEOUT))?;
                return Link::new(stream, self.shared.tls.as_ref());
            }
            std::thread::sleep(POLL);
        }
        Err(io::ErrorKind::TimedOut.into())
    }

    fn send(&mut self, content: &[u8], fault: Option<&Fault>) -> io::Result<Option<String>> {
        self.say("150 Here it comes.")?;
        let mut data = self.data()?;
        let (bytes, ending) = match fault {
            Some(Fault::Short(bytes, ending)) => (*bytes, *ending),
            Some(Fault::Changed(bytes) | Fault::Swapped(bytes)) => (*bytes, Ending::Aborted),
            _ => (content.len(), Ending::Confirmed),
        };
        // A client that does not want the rest says so on the control connection.
        let _ = data.write_all(&content[..bytes.min(content.len())]).and_then(|()| data.flush());
        match fault {
            Some(Fault::NoFarewell) => {}
            Some(Fault::Garbage) => data.send_garbage(),
            _ => data.say_farewell(),
        }
        Ok(said(ending))
    }

    fn receive(&mut self, path: &str, fault: Option<&Fault>) -> io::Result<Option<String>> {
        self.say("150 Go ahead.")?;
        let mut data = self.data()?;
        let from = std::mem::take(&mut self.offset);
        let (bytes, ending) = match fault {
            Some(Fault::Short(bytes, ending)) => (*bytes, *ending),
            _ => (usize::MAX, Ending::Confirmed),
        };
        let mut received = Vec::new();
        let whole = (&mut data).take(bytes as u64).read_to_end(&mut received);
        if ending == Ending::Confirmed {
            // It takes the rest, and keeps none of it.
            let _ = io::copy(&mut data, &mut io::sink());
        }
        data.say_farewell();
        let mut world = self.shared.world();
        let before = world.files.get(path).map(|stored| stored.content.clone());
        let mut content = before.unwrap_or_default();
        content.truncate(from);
        content.resize(from, 0);
        content.extend_from_slice(&received);
        world.write(path, content);
        Ok(if whole.is_ok() { said(ending) } else { said(Ending::Aborted) })
    }
}

fn said(ending: Ending) -> Option<String> {
    match ending {
        Ending::Confirmed => Some("226 Done.".to_owned()),
        Ending::Aborted => Some("426 Connection closed; transfer aborted.".to_owned()),
        Ending::HungUp => None,
    }
}
