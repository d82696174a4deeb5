//! What a control connection has to resume TLS sessions with.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::ServerName;

/// Tickets kept at most: a server may hand out several with each connection.
const MOST: usize = 16;

/// The TLS sessions of one control connection; its data connections resume them.
///
/// A session of TLS 1.2 resumes any number of times. A ticket of TLS 1.3 is good for one
/// connection, and servers differ in when they give new ones: ProFTPD gives none with uploads.
#[derive(Debug, Default)]
pub(crate) struct TicketStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    group: Option<NamedGroup>,
    session: Option<Tls12ClientSessionValue>,
    tickets: VecDeque<Tls13ClientSessionValue>,
    had_tickets: bool,
}

impl TicketStore {
    /// Whether the server gave tickets and none is left.
    pub(crate) fn is_used_up(&self) -> bool {
        let state = self.lock();
        state.had_tickets && state.tickets.is_empty()
    }

    /// Whether the next data connection but one can resume as well.
    pub(crate) fn has_spare(&self) -> bool {
        let state = self.lock();
        !state.had_tickets || state.session.is_some() || state.tickets.len() > 1
    }

    /// Whether the server ever gave a ticket.
    pub(crate) fn had_tickets(&self) -> bool {
        self.lock().had_tickets
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// There is one server, so nothing is looked up by its name.
impl ClientSessionStore for TicketStore {
    fn set_kx_hint(&self, _: ServerName<'static>, group: NamedGroup) {
        self.lock().group = Some(group);
    }

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.lock().group
    }

    fn set_tls12_session(&self, _: ServerName<'static>, session: Tls12ClientSessionValue) {
        self.lock().session = Some(session);
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.lock().session.clone()
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {
        self.lock().session = None;
    }

    fn insert_tls13_ticket(&self, _: ServerName<'static>, ticket: Tls13ClientSessionValue) {
        let mut state = self.lock();
        state.had_tickets = true;
        if state.tickets.len() == MOST {
            state.tickets.pop_front();
        }
        state.tickets.push_back(ticket);
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        // The newest lives longest.
        self.lock().tickets.pop_back()
    }
}
