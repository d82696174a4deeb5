use super::text::{Pattern, Values};

/// Where a scripted session is, so that a whole path in a script fits the bare name that is sent there.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// The working directory, where it is a Unix path.
    here: Option<String>,
    /// The last command, while its answer is open.
    asked: Option<Vec<u8>>,
}

impl Place {
    /// The captures, if `command` fits as it is, or with the whole path of what it names.
    pub(super) fn fits(&self, pattern: &Pattern, command: &[u8]) -> Option<Values> {
        let fits = pattern.fits(command);
        if fits.is_some() || !pattern.text().contains(" /") {
            return fits;
        }
        pattern.fits(&self.with_whole_path(command)?)
    }

    /// `command` with the whole path of what it names, where that counts from the working directory.
    pub(super) fn with_whole_path(&self, command: &[u8]) -> Option<Vec<u8>> {
        let command = std::str::from_utf8(command).ok()?;
        let words = match command.split(' ').next()? {
            "SITE" => 3,
            "MFMT" => 2,
            "CWD" | "RETR" | "STOR" | "APPE" | "SIZE" | "MDTM" | "MLST" | "DELE" | "RNFR"
            | "RNTO" | "MKD" | "RMD" | "HASH" | "XSHA256" | "XSHA512" | "XSHA1" | "XMD5"
            | "XCRC" => 1,
            _ => return None,
        };
        let (at, _) = command.match_indices(' ').nth(words - 1)?;
        let (before, name) = command.split_at(at + 1);
        let here = self.here.as_deref().unwrap_or("/");
        let is_relative = !name.is_empty() && !name.starts_with('/');
        is_relative.then(|| format!("{before}{}/{name}", here.trim_end_matches('/')).into_bytes())
    }

    /// Notes a command, before it is answered.
    pub(super) fn asked(&mut self, command: &[u8]) {
        self.asked = Some(command.to_vec());
    }

    /// Notes an answer.
    pub(super) fn answered(&mut self, reply: &[u8]) {
        let Some(command) = self.asked.take() else { return };
        let whole = self.with_whole_path(&command).unwrap_or(command);
        let (Ok(command), Ok(reply)) = (std::str::from_utf8(&whole), std::str::from_utf8(reply))
        else {
            return;
        };
        if let Some(path) = command.strip_prefix("CWD ").filter(|_| reply.starts_with('2')) {
            self.here = Some(path.to_owned());
        } else if command == "PWD" && self.here.is_none() {
            let quoted = reply.split_once('"').map(|(_, rest)| rest.replace("\"\"", "\0"));
            let path = quoted.and_then(|rest| Some(rest.split_once('"')?.0.replace('\0', "\"")));
            self.here = path.filter(|path| path.starts_with('/'));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_path_fits_a_bare_name_in_its_directory() {
        let mut place = Place::default();
        let fits = |place: &Place, pattern: &str, command: &str| {
            place.fits(&Pattern::parse(pattern).unwrap(), command.as_bytes()).is_some()
        };
        assert!(fits(&place, "RETR /a.txt", "RETR a.txt"));
        place.asked(b"CWD in");
        place.answered(b"250 Done.\r\n");
        assert!(fits(&place, "RETR /in/a.txt", "RETR a.txt"));
        assert!(fits(&place, "SITE CHMOD 644 /in/a.txt", "SITE CHMOD 644 a.txt"));
        assert!(!fits(&place, "RETR /a.txt", "RETR a.txt"));
        assert!(!fits(&place, "RETR a.txt", "RETR /in/a.txt"));
        place.asked(b"CWD /other");
        place.answered(b"550 No.\r\n");
        assert!(fits(&place, "DELE /in/a.txt", "DELE a.txt"));
    }
}
