//! Ways to a directory: which CWD commands lead there from where the session is.

use super::session::Session;
use super::spelling::LoginName;
use crate::file::path::{Base, RemotePath, is_ambiguous};

/// How many ways to a directory there are at most.
pub(super) const MOST_ROUTES: usize = 2;

/// A way to a directory.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) start: Start,
    /// The arguments of the CWD commands.
    pub(super) steps: Vec<String>,
}

/// Where a way begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// Where the session is.
    Here,
    /// In the directory after login, to which its name leads back.
    Login,
    /// In the directory after login, to which only a new login leads back.
    NewLogin,
}

impl Session {
    /// The way to `directory` to take after `tried` others were refused.
    pub(super) fn route_to(&self, directory: &RemotePath, tried: usize) -> Option<Route> {
        let ways = Ways {
            login: &self.login_directory,
            name: self.shared.server.spelling.login_name(),
            here: self.current_directory.as_ref(),
        };
        ways.to(directory, tried)
    }

    /// Notes what a way that was taken has shown about the name of the directory after login.
    pub(super) fn note_route(&self, route: &Route, directory: &RemotePath, is_done: bool) {
        let spelling = &self.shared.server.spelling;
        if spelling.login_name() != LoginName::Untried
            || !is_below(directory, &self.login_directory)
        {
            return;
        }
        if route.steps.is_empty() && is_done {
            // The session is there, and was refused to go there by its name.
            spelling.note_login_name(LoginName::Useless);
            return;
        }
        let is_full = route.steps.first().is_some_and(|step| step.starts_with('/'));
        match route.start {
            Start::Here if is_full && is_done => spelling.note_login_name(LoginName::Full),
            // Nothing is there either way.
            Start::Login if !is_done => spelling.note_login_name(LoginName::Full),
            Start::Login => spelling.note_login_name(LoginName::Alone),
            Start::Here | Start::NewLogin => {}
        }
    }
}

/// Whether `directory` is told apart by the name of the directory after login: it begins with that.
fn is_below(directory: &RemotePath, login: &RemotePath) -> bool {
    login.is_unix()
        && (directory.base() == Base::Login
            || (!login.is_top() && (directory == login || directory.seen_from(login).is_some())))
}

/// What decides about the ways to a directory.
struct Ways<'s> {
    login: &'s RemotePath,
    name: LoginName,
    here: Option<&'s RemotePath>,
}

impl Ways<'_> {
    fn to(&self, directory: &RemotePath, tried: usize) -> Option<Route> {
        if directory.counts_from_nowhere() {
            return self.by_names(directory, tried);
        }
        if directory.is_unix() {
            return self.to_unix(directory, tried);
        }
        self.to_own(directory, tried)
    }

    /// The way to a directory that counts from the one after login, whose name is not known.
    fn by_names(&self, directory: &RemotePath, tried: usize) -> Option<Route> {
        if self.login.is_unix() {
            // An earlier session was not told.
            let full = self.login.join(directory.as_str()).ok()?;
            return Some(here([full.as_str()])).filter(|_| tried == 0);
        }
        match self.here.and_then(|from| directory.seen_from(from)) {
            Some(rest) => names_below(rest, tried),
            None => Some(Route {
                start: Start::NewLogin,
                steps: Some(directory.names_text())
                    .filter(|names| !names.is_empty())
                    .map(str::to_owned)
                    .into_iter()
                    .collect(),
            })
            .filter(|_| tried == 0),
        }
    }

    /// A Unix path is sent as a person spells it: from the directory after login if it counts from
    /// there, else as a whole.
    fn to_unix(&self, directory: &RemotePath, tried: usize) -> Option<Route> {
        let is_at_login = self.here == Some(self.login);
        let below = directory.seen_from(self.login).filter(|_| is_below(directory, self.login));
        let full = here([directory.as_str()]);
        let from = |start| {
            let steps = below.into_iter().map(str::to_owned).collect();
            Route { start: if is_at_login { Start::Here } else { start }, steps }
        };
        let is_nameless = matches!(self.name, LoginName::Alone | LoginName::Useless);
        let further = self.here.and_then(|from| directory.seen_from(from)).filter(|rest| {
            let is_relative = directory.base() == Base::Login && !is_ambiguous(rest);
            is_nameless || is_relative
        });
        if let Some(rest) = further {
            return names_below(rest, tried);
        }
        match (tried, self.name) {
            (0, LoginName::Useless) if is_below(directory, self.login) => {
                Some(from(Start::NewLogin))
            }
            (0, LoginName::Alone) if below.is_some() => Some(from(Start::Login)),
            (0, _) => Some(full),
            (1, LoginName::Untried) if is_below(directory, self.login) => Some(from(Start::Login)),
            _ => None,
        }
    }

    /// A directory in the server's own words is entered by these, and one below it name by name: only
    /// the server knows how it joins them.
    fn to_own(&self, directory: &RemotePath, tried: usize) -> Option<Route> {
        let names = |path: &RemotePath| path.names().map(str::to_owned).collect::<Vec<_>>();
        let below = self.here.and_then(|from| directory.seen_from(from));
        if let Some(rest) = below.filter(|_| tried == 0) {
            return Some(here(rest.split('/')));
        }
        let at_login = match self.name {
            LoginName::Useless => Start::NewLogin,
            _ => Start::Login,
        };
        if directory.base() == Base::Login {
            let start = if self.here == Some(self.login) && !directory.is_top() {
                Start::Here
            } else {
                at_login
            };
            return Some(Route { start, steps: names(directory) }).filter(|_| tried == 0);
        }
        let own = directory.base_text();
        let base: Vec<String> = match tried {
            0 => vec![own.to_owned()],
            1 if own.contains('/') => own.split('/').map(str::to_owned).collect(),
            _ => return None,
        };
        let is_here = directory.is_rooted(self.login) || self.here == Some(self.login);
        let start = if is_here { Start::Here } else { at_login };
        Some(Route { start, steps: base.into_iter().chain(names(directory)).collect() })
    }
}

/// The ways to what lies `rest` below the session: at once, or name by name where the server takes no
/// slash.
fn names_below(rest: &str, tried: usize) -> Option<Route> {
    match tried {
        0 => Some(here([rest])),
        1 if rest.contains('/') => Some(here(rest.split('/'))),
        _ => None,
    }
}

fn here<'t>(steps: impl IntoIterator<Item = &'t str>) -> Route {
    Route { start: Start::Here, steps: steps.into_iter().map(str::to_owned).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The steps of the first way, behind `~` where it begins at the login and `!` at a new one.
    fn way(login: &str, here: &str, directory: &str, name: LoginName, tried: usize) -> String {
        let login = RemotePath::login_at(login).unwrap();
        let path = |text: &str| login.directory(text).unwrap();
        let here = path(here);
        let route = Ways { login: &login, name, here: Some(&here) }.to(&path(directory), tried);
        let Some(route) = route else { return "none".to_owned() };
        let start = match route.start {
            Start::Here => "",
            Start::Login => "~ ",
            Start::NewLogin => "! ",
        };
        format!("{start}{}", route.steps.join(" "))
    }

    #[test]
    fn a_directory_is_entered_as_it_is_spelled() {
        use LoginName::{Alone, Full, Untried, Useless};
        for (login, here, directory, name, expected) in [
            ("/", "", "/in", Untried, "/in"),
            ("/", "", "in", Untried, "in"),
            ("/", "", " in", Untried, "/ in"),
            ("/", "in", "in/deep", Untried, "deep"),
            ("/", "out", "in", Untried, "/in"),
            ("/home/anna", "", "in", Untried, "in"),
            ("/home/anna", "out", "in", Untried, "/home/anna/in"),
            ("/home/anna", "out", "in", Full, "/home/anna/in"),
            ("/home/anna", "out", "in", Alone, "~ in"),
            ("/home/anna", "out", "in", Useless, "! in"),
            ("/home/anna", "", "/home/anna/in", Useless, "in"),
            ("'U01.'", "", "'U02.'", Untried, "'U02.'"),
            ("'U01.'", "'U02.'", "'U03.'", Untried, "'U03.'"),
            ("'U01.'", "'U02.'", "'U01.'/LIB", Untried, "~ LIB"),
            ("QGPL", "QUSRSYS", "QTEMP", Untried, "~ QTEMP"),
            ("QGPL", "QUSRSYS", "QTEMP", Useless, "! QTEMP"),
            ("QGPL", "QUSRSYS", "/QSYS.LIB", Untried, "/QSYS.LIB"),
            ("C:\\a", "D:\\b", "C:\\c", Untried, "C:\\c"),
        ] {
            let found = way(login, here, directory, name, 0);
            assert_eq!(found, expected, "{directory} from {here:?}, login {login}");
        }
    }

    #[test]
    fn a_refused_way_may_have_another_one() {
        use LoginName::{Full, Untried};
        for (login, here, directory, name, expected) in [
            ("/home/anna", "out", "in", Untried, "~ in"),
            ("/home/anna", "", "/home/anna/in", Untried, "in"),
            ("/home/anna", "", "/in", Untried, "none"),
            ("/home/anna", "", "in", Untried, "none"),
            ("/", "", "in/deep", Untried, "in deep"),
            ("/home/anna", "out", "in", Full, "none"),
            ("/", "", "/in", Untried, "none"),
            ("'U01.'", "", "'U02.'/LIB", Untried, "'U02.' LIB"),
        ] {
            let found = way(login, here, directory, name, 1);
            assert_eq!(found, expected, "{directory} from {here:?}, login {login}");
        }
    }
}
