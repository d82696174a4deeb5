use std::collections::HashSet;
use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

use super::data::Data;
use super::place::Place;
use super::script::{Connection, Step};
use super::shared::{ENDLESS, Record, Shared, Stop, mismatch};
use super::text::{Template, Values, escape};
use super::wire::{Meter, Wire};

/// No command is longer; a client that sends this much without a line end is wrong.
const LONGEST_COMMAND: usize = 1 << 16;

pub(super) fn run(stream: TcpStream, script: &Connection, shared: &Shared) -> Record {
    let sent = Arc::clone(&shared.sent_control);
    let meter = match Meter::new(stream, &shared.timeouts, sent, shared.cut_control) {
        Ok(meter) => meter,
        Err(error) => {
            return Record { mismatch: Some(error.to_string()), ..Record::default() };
        }
    };
    let mut session = Session {
        script,
        shared,
        wire: Some(Wire::Plain(meter)),
        unread: Vec::new(),
        used: HashSet::new(),
        values: Values::new(),
        data: Data::default(),
        place: Place::default(),
        record: Record::default(),
    };
    let mut line = 0;
    let result = session.play(&mut line);
    if let Err(Stop::Mismatch(words)) = result
        && !session.is_cut()
    {
        session.note(format!("! line {line}: {words}"));
        session.record.mismatch = Some(format!("line {line}: {words}"));
        let _ = session.write(format!("421 line {line} of the script: {words}\r\n").as_bytes());
    }
    session.record
}

struct Session<'a> {
    script: &'a Connection,
    shared: &'a Shared,
    /// `None` after it was closed.
    wire: Option<Wire>,
    unread: Vec<u8>,
    /// The numbers of the rules that have answered.
    used: HashSet<usize>,
    values: Values,
    data: Data,
    place: Place,
    record: Record,
}

impl Session<'_> {
    fn play(&mut self, at: &mut usize) -> Result<(), Stop> {
        let steps = &self.script.steps;
        let mut index = 0;
        while let Some((line, step)) = steps.get(index) {
            if self.is_cut() {
                return Err(Stop::AsWritten);
            }
            *at = *line;
            index += 1;
            if let Step::Send(first) = step {
                let mut bytes = self.fill(first)?;
                // Replies that follow each other travel together, as a server's own buffer does it.
                while let Some((line, Step::Send(next))) = steps.get(index) {
                    *at = *line;
                    bytes.extend(self.fill(next)?);
                    index += 1;
                }
                self.send(&bytes)?;
            } else {
                self.step(step)?;
            }
        }
        self.wait_for_end()
    }

    fn step(&mut self, step: &Step) -> Result<(), Stop> {
        match step {
            Step::Send(template) => {
                let bytes = self.fill(template)?;
                self.send(&bytes)?;
            }
            Step::Expect(pattern) => {
                let wanted = format!("`{}` was expected", pattern.text());
                let command =
                    self.command(&wanted, |command, place| place.fits(pattern, command))?;
                self.values.extend(command);
            }
            Step::ExpectClose => self.expect_close()?,
            Step::Split(piece) => {
                let piece = *piece;
                self.wire()?.split(piece);
            }
            Step::Pause(time) => std::thread::sleep(*time),
            Step::PauseUntilCommand => {
                if self.unread.is_empty() && !self.read_more("the next command was expected")? {
                    return mismatch("the client hung up before its next command");
                }
            }
            Step::Silence(time) => self.silence(Instant::now() + *time)?,
            Step::Endless(bytes) => self.endless(bytes)?,
            Step::Tls => self.start_tls()?,
            Step::Close => return self.leave(Wire::close),
            Step::Reset => return self.leave(Wire::reset),
            Step::Listen { dead } => {
                let port = self.data.listen(*dead)?;
                for (name, value) in [("port", port), ("p1", port >> 8), ("p2", port & 0xff)] {
                    self.values.insert(name.to_owned(), value.to_string().into_bytes());
                }
            }
            Step::Data(step) => self.data.step(step, self.shared, &mut self.record)?,
        }
        Ok(())
    }

    fn fill(&self, template: &Template) -> Result<Vec<u8>, Stop> {
        template.fill(&self.values).or_else(mismatch)
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.note(format!("< {}", escape(bytes)));
        self.place.answered(bytes);
        self.write(bytes).or_else(|error| mismatch(format!("the reply could not be sent: {error}")))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.wire.as_mut().map_or(Ok(()), |wire| wire.send(bytes))
    }

    /// Reads commands until one `fits`, answering those that the script answers at any time.
    fn command<T>(
        &mut self,
        wanted: &str,
        fits: impl Fn(&[u8], &Place) -> Option<T>,
    ) -> Result<T, Stop> {
        loop {
            let Some(command) = self.next_command(wanted)? else {
                return mismatch(format!("{wanted}, but the client hung up"));
            };
            if let Some(fit) = fits(&command, &self.place) {
                return Ok(fit);
            }
            if !self.answer_otherwise(&command)? {
                return mismatch(format!("{wanted}, not `{}`", escape(&command)));
            }
        }
    }

    fn answer_otherwise(&mut self, command: &[u8]) -> Result<bool, Stop> {
        let rule = self.script.otherwise.iter().enumerate().find_map(|(number, rule)| {
            let is_open = !rule.once || !self.used.contains(&number);
            let captures = self.place.fits(&rule.pattern, command).filter(|_| is_open)?;
            Some((number, captures, rule))
        });
        let Some((number, captures, rule)) = rule else { return Ok(false) };
        self.used.insert(number);
        self.values.extend(captures);
        let bytes = self.fill(&rule.reply)?;
        self.send(&bytes)?;
        Ok(true)
    }

    /// The next command without its line end; `None` if the client hung up.
    fn next_command(&mut self, wanted: &str) -> Result<Option<Vec<u8>>, Stop> {
        let end = loop {
            if let Some(end) = self.unread.iter().position(|&byte| byte == b'\n') {
                break end;
            }
            if self.unread.len() > LONGEST_COMMAND {
                return mismatch(format!(
                    "{wanted}, not {LONGEST_COMMAND} bytes without a line end"
                ));
            }
            if !self.read_more(wanted)? {
                return Ok(None);
            }
        };
        let mut command: Vec<u8> = self.unread.drain(..=end).collect();
        self.note(format!("> {}", escape(&command)));
        if !command.ends_with(b"\r\n") {
            return mismatch(format!("`{}` does not end with CR LF", escape(&command)));
        }
        command.truncate(command.len() - 2);
        self.record.commands.push(escape(&command));
        let whole = self.place.with_whole_path(&command);
        self.record.whole.push(escape(whole.as_deref().unwrap_or(&command)));
        self.place.asked(&command);
        self.data.notice(&command);
        Ok(Some(command))
    }

    /// False if the client hung up.
    fn read_more(&mut self, wanted: &str) -> Result<bool, Stop> {
        let shared = self.shared;
        let mut buffer = [0; 4096];
        match self.wire()?.receive(&mut buffer, &shared.timeouts.timer()) {
            Ok(0) => Ok(false),
            Ok(length) => {
                self.unread.extend_from_slice(&buffer[..length]);
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                mismatch(format!("{wanted}, but nothing came"))
            }
            // A client that drops its connection in a hurry resets it or forgets TLS's farewell.
            Err(_) => Ok(false),
        }
    }

    fn expect_close(&mut self) -> Result<(), Stop> {
        const WANTED: &str = "the client was expected to hang up";
        while let Some(command) = self.next_command(WANTED)? {
            if !self.answer_otherwise(&command)? {
                return mismatch(format!("{WANTED}, not to send `{}`", escape(&command)));
            }
        }
        Ok(())
    }

    fn silence(&mut self, until: Instant) -> Result<(), Stop> {
        let mut buffer = [0; 4096];
        while self.unread.is_empty() && Instant::now() < until {
            match self.wire()?.try_receive(&mut buffer) {
                Ok(0) => return mismatch("the client hung up instead of waiting"),
                Ok(length) => self.unread.extend_from_slice(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return mismatch(format!("the client hung up: {error}")),
            }
        }
        if self.unread.is_empty() {
            return Ok(());
        }
        mismatch(format!("silence was expected, not `{}`", escape(&self.unread)))
    }

    fn endless(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let many = bytes.repeat((1 << 14) / bytes.len().max(1) + 1);
        let mut sent = 0;
        while sent < ENDLESS {
            if self.write(&many).is_err() {
                self.note(format!("< endless, until the client hung up after about {sent} bytes"));
                return Ok(());
            }
            sent += many.len();
        }
        mismatch(format!("the client read {sent} bytes without hanging up"))
    }

    fn start_tls(&mut self) -> Result<(), Stop> {
        if !self.unread.is_empty() {
            return mismatch(format!("`{}` came before the handshake", escape(&self.unread)));
        }
        let Some(wire) = self.wire.take() else { return mismatch("the connection is closed") };
        match wire.start_tls(&self.shared.tls, &self.shared.timeouts.timer()) {
            Ok(wire) => {
                self.wire = Some(wire);
                self.note("= TLS");
                Ok(())
            }
            Err(error) if self.shared.cut_control.is_some() => {
                self.note(format!("= {error}"));
                Err(Stop::AsWritten)
            }
            Err(error) => mismatch(format!("no TLS handshake: {error}")),
        }
    }

    fn leave(&mut self, how: impl FnOnce(Wire)) -> Result<(), Stop> {
        self.note("= the server hangs up");
        if let Some(wire) = self.wire.take() {
            how(wire);
        }
        Err(Stop::AsWritten)
    }

    /// The script is played; a client may keep its connection, leave, or say goodbye.
    fn wait_for_end(&mut self) -> Result<(), Stop> {
        const WANTED: &str = "the script is over: only QUIT was expected";
        let mut buffer = [0; 4096];
        while !self.shared.timeouts.is_finished() {
            if self.unread.contains(&b'\n') {
                let Some(command) = self.next_command(WANTED)? else { return Ok(()) };
                if command.eq_ignore_ascii_case(b"QUIT") {
                    return self.send(b"221 Goodbye.\r\n").or(Ok(()));
                }
                if !self.answer_otherwise(&command)? {
                    return mismatch(format!("{WANTED}, not `{}`", escape(&command)));
                }
                continue;
            }
            match self.wire()?.try_receive(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(length) => self.unread.extend_from_slice(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Ok(()),
            }
        }
        Ok(())
    }

    fn wire(&mut self) -> Result<&mut Wire, Stop> {
        match &mut self.wire {
            Some(wire) => Ok(wire),
            None => mismatch("the connection is closed"),
        }
    }

    fn is_cut(&self) -> bool {
        self.wire.as_ref().is_some_and(Wire::is_cut)
    }

    fn note(&mut self, line: impl Into<String>) {
        self.record.lines.push(line.into());
    }
}
