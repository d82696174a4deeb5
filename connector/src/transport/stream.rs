//! A connected stream, plain or with TLS around it, for control and data connections alike.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use host_sdk::kit::Deadline;
use rustls::{ClientConnection, StreamOwned};

/// The bytes of `buffer` that a read of `count` bytes has filled.
///
/// # Errors
///
/// `InvalidData` where the stream claims more than there is room for.
pub(crate) fn filled(buffer: &[u8], count: usize) -> io::Result<&[u8]> {
    buffer.get(..count).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, "more bytes are said to be read than fit")
    })
}

/// A connected stream.
pub(crate) enum NetStream {
    /// Bytes in clear.
    Plain(TcpStream),
    /// Bytes inside TLS.
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl NetStream {
    /// The socket beneath.
    pub(crate) fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.get_ref(),
        }
    }

    /// The TLS state, if there is any.
    pub(crate) fn tls(&self) -> Option<&ClientConnection> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(stream) => Some(&stream.conn),
        }
    }

    /// How long one read may block.
    pub(crate) fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.socket().set_read_timeout(timeout)
    }

    /// How long one write may block.
    pub(crate) fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.socket().set_write_timeout(timeout)
    }

    /// Ends the sending half in order: everything flushed, close_notify where there is TLS, then
    /// the end of the TCP stream.
    pub(crate) fn close_sending(&mut self) -> io::Result<()> {
        if let Self::Tls(stream) = self {
            stream.conn.send_close_notify();
        }
        self.flush()?;
        self.socket().shutdown(Shutdown::Write)
    }
}

impl NetStream {
    /// Ends TLS in order, and goes on in clear over the same socket. A server that does not end its
    /// side by `deadline` is taken to have done so without saying it.
    ///
    /// # Errors
    ///
    /// Those of the socket; `UnexpectedEof` where the server hangs up.
    pub(crate) fn end_tls(&mut self, deadline: Deadline) -> io::Result<()> {
        let Self::Tls(stream) = self else { return Ok(()) };
        stream.conn.send_close_notify();
        stream.flush()?;
        let mut buffer = [0; 1024];
        while let Ok(left) = deadline.remaining("the end of TLS") {
            stream.sock.set_read_timeout(left)?;
            match read_tls(stream, &mut buffer) {
                Ok(0) => break,
                // What the server still says inside TLS is in nobody's way.
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e)
                    if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
                {
                    break;
                }
                Err(e) => return Err(e),
            }
        }
        let socket = stream.sock.try_clone()?;
        *self = Self::Plain(socket);
        Ok(())
    }
}

impl Read for NetStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(stream) => read_tls(stream, buffer),
        }
    }
}

impl Write for NetStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// Reads what is decrypted, after one read of the socket at the most. `Interrupted` where that
/// was not enough for a record: the caller looks at its deadline before it asks again, so that a
/// peer that sends byte by byte does not outlast it.
fn read_tls(
    stream: &mut StreamOwned<ClientConnection, TcpStream>,
    buffer: &mut [u8],
) -> io::Result<usize> {
    let StreamOwned { conn, sock } = stream;
    while conn.wants_write() {
        conn.write_tls(sock)?;
    }
    match conn.reader().read(buffer) {
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
        decrypted => return decrypted,
    }
    conn.read_tls(sock)?;
    if let Err(e) = conn.process_new_packets() {
        // The alert tells the server's log why; whether it arrives changes nothing here.
        let _ = conn.write_tls(sock);
        return Err(io::Error::new(io::ErrorKind::InvalidData, e));
    }
    match conn.reader().read(buffer) {
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => Err(io::ErrorKind::Interrupted.into()),
        decrypted => decrypted,
    }
}
