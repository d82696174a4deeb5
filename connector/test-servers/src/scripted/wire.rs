use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use socket2::SockRef;

const POLL: Duration = Duration::from_millis(10);
/// Long enough for the reader to be woken between two pieces, short enough for whole conversations.
const BETWEEN_PIECES: Duration = Duration::from_micros(200);
/// What a client may still do after the test has said that it is over.
const GRACE: Duration = Duration::from_millis(300);

/// How long each single step may take.
#[derive(Clone, Debug)]
pub(super) struct Timeouts {
    pub(super) wait: Duration,
    /// Set when the test is over.
    pub(super) finish: Arc<OnceLock<Instant>>,
}

impl Timeouts {
    pub(super) fn timer(&self) -> Timer<'_> {
        Timer { timeouts: self, start: Instant::now() }
    }

    pub(super) fn is_finished(&self) -> bool {
        self.finish.get().is_some()
    }
}

#[derive(Debug)]
pub(super) struct Timer<'a> {
    timeouts: &'a Timeouts,
    start: Instant,
}

impl Timer<'_> {
    pub(super) fn is_over(&self) -> bool {
        self.start.elapsed() > self.timeouts.wait
            || self.timeouts.finish.get().is_some_and(|finish| finish.elapsed() > GRACE)
    }

    /// Sleeps a little, or says that there is no more time.
    pub(super) fn poll(&self) -> io::Result<()> {
        if self.is_over() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        std::thread::sleep(Duration::from_millis(2));
        Ok(())
    }
}

/// A socket that counts what it sends, sends it in pieces, and dies where the script says.
#[derive(Debug)]
pub(super) struct Meter {
    stream: TcpStream,
    sent: Arc<AtomicUsize>,
    left: Option<usize>,
    piece: Option<usize>,
}

impl Meter {
    pub(super) fn new(
        stream: TcpStream,
        timeouts: &Timeouts,
        sent: Arc<AtomicUsize>,
        cut: Option<usize>,
    ) -> io::Result<Self> {
        stream.set_nonblocking(false)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(POLL))?;
        stream.set_write_timeout(Some(timeouts.wait))?;
        let meter = Self { stream, sent, left: cut, piece: None };
        meter.die_if_due();
        Ok(meter)
    }

    fn is_cut(&self) -> bool {
        self.left == Some(0)
    }

    fn die_if_due(&self) {
        if self.is_cut() {
            let _ = self.stream.shutdown(Shutdown::Both);
        }
    }
}

impl Read for Meter {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}

impl Write for Meter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_cut() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        let most = self.piece.unwrap_or(usize::MAX).min(self.left.unwrap_or(usize::MAX));
        let written = self.stream.write(&bytes[..bytes.len().min(most)])?;
        self.sent.fetch_add(written, Ordering::Relaxed);
        if let Some(left) = &mut self.left {
            *left -= written;
        }
        self.die_if_due();
        if self.piece.is_some() {
            std::thread::sleep(BETWEEN_PIECES);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A control or data connection, with or without TLS.
#[derive(Debug)]
pub(super) enum Wire {
    Plain(Meter),
    Tls(Box<StreamOwned<ServerConnection, Meter>>),
}

impl Wire {
    pub(super) fn is_cut(&self) -> bool {
        self.meter().is_cut()
    }

    pub(super) fn split(&mut self, piece: Option<usize>) {
        match self {
            Self::Plain(meter) => meter.piece = piece,
            Self::Tls(stream) => stream.sock.piece = piece,
        }
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(meter) => meter.write_all(bytes),
            Self::Tls(stream) => {
                stream.write_all(bytes)?;
                stream.flush()
            }
        }
    }

    /// Some bytes; none at the end; `WouldBlock` when there are none yet.
    pub(super) fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = match self {
            Self::Plain(meter) => meter.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        };
        result.map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => io::ErrorKind::WouldBlock.into(),
            _ => error,
        })
    }

    /// As [`Wire::try_receive`], but waits for the first bytes.
    pub(super) fn receive(&mut self, buffer: &mut [u8], timer: &Timer<'_>) -> io::Result<usize> {
        loop {
            match self.try_receive(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => timer.poll()?,
                other => return other,
            }
        }
    }

    pub(super) fn start_tls(
        self,
        config: &Arc<ServerConfig>,
        timer: &Timer<'_>,
    ) -> io::Result<Self> {
        let Self::Plain(meter) = self else {
            return Err(io::Error::other("TLS is there already"));
        };
        let connection = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, meter);
        while stream.conn.is_handshaking() || stream.conn.wants_write() {
            match stream.conn.complete_io(&mut stream.sock) {
                Ok(_) => {}
                Err(error) if is_too_early(&error) => timer.poll()?,
                Err(error) => return Err(error),
            }
        }
        Ok(Self::Tls(Box::new(stream)))
    }

    /// Ends the connection as TLS and TCP want it.
    pub(super) fn close(mut self) {
        if let Self::Tls(stream) = &mut self {
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
        self.truncate();
    }

    /// Ends the connection without TLS's farewell.
    pub(super) fn truncate(self) {
        let _ = self.meter().stream.shutdown(Shutdown::Write);
    }

    pub(super) fn reset(self) {
        let _ = SockRef::from(&self.meter().stream).set_linger(Some(Duration::ZERO));
    }

    fn meter(&self) -> &Meter {
        match self {
            Self::Plain(meter) => meter,
            Self::Tls(stream) => &stream.sock,
        }
    }
}

fn is_too_early(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
