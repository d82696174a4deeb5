//! The settings of a connection, as types.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use host_sdk::kit::RetryPolicy;
use host_sdk::{Error, Secret, Settings};
use serde::Deserialize;
use serde_json::Value;

use super::tls::{Security, TlsSettings, tls};
use crate::descriptor::descriptor;
use crate::file::name::NameEncoding;
use crate::file::normalization::Normalization;
use crate::file::time::zone::ServerTimeZone;

/// Everything a session needs to know.
#[derive(Debug)]
pub(crate) struct ConnectionSettings {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) credentials: Credentials,
    /// As given: absolute, or relative to the login directory.
    pub(crate) remote_directory: Option<String>,
    pub(crate) security: Security,
    pub(crate) tls: TlsSettings,
    pub(crate) mode: DataMode,
    pub(crate) passive_address: PassiveAddress,
    pub(crate) active: ActiveSettings,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) keep_alive: bool,
    pub(crate) listing: ListingPreference,
    pub(crate) encoding: NameEncoding,
    pub(crate) normalization: Normalization,
    pub(crate) zone: ServerTimeZone,
    pub(crate) connection_timeout: Option<Duration>,
    pub(crate) read_timeout: Option<Duration>,
    pub(crate) transfer_timeout: Option<Duration>,
    pub(crate) maximum_connections: usize,
    pub(crate) retry: RetryPolicy,
    pub(crate) maximum_line: usize,
    pub(crate) maximum_entries: usize,
}

/// Who logs in.
#[derive(Debug)]
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) password: Option<Secret>,
    pub(crate) account: Option<Secret>,
}

/// Who opens data connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum DataMode {
    /// This side.
    Passive,
    /// The server.
    Active,
}

/// Where passive data connections go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum PassiveAddress {
    /// To the control connection's peer.
    Control,
    /// Where the server says.
    Server,
}

/// Where active data connections are awaited.
#[derive(Debug)]
pub(crate) struct ActiveSettings {
    pub(crate) ports: RangeInclusive<u16>,
    /// The address to announce instead of the control connection's own.
    pub(crate) address: Option<IpAddr>,
}

/// A proxy for control and passive data connections.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) kind: ProxyKind,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
}

/// The protocol of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ProxyKind {
    /// RFC 1928.
    Socks5,
    /// RFC 9110 §9.3.6.
    Http,
}

/// The command that lists directories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ListingPreference {
    /// MLSD where the server has it.
    Auto,
    /// MLSD.
    Mlsd,
    /// LIST.
    List,
}

impl ConnectionSettings {
    /// The name that the server's certificate has to carry.
    pub(crate) fn tls_name(&self) -> &str {
        self.tls.server_name.as_deref().unwrap_or(&self.host)
    }

    /// Checks raw settings.
    ///
    /// # Errors
    ///
    /// `configuration` with the path of the setting.
    pub(crate) fn parse(raw: &Value) -> Result<Self, Error> {
        let settings = Settings::check(&descriptor().connection.fields, raw)?;
        let security: Security = settings.require("sslMode")?;
        let default_port = if security == Security::Implicit { 990 } else { 21 };
        Ok(Self {
            host: host(&settings, "host")?,
            port: settings.get("port")?.unwrap_or(default_port),
            credentials: credentials(&settings)?,
            remote_directory: line(&settings, "remoteDirectory")?,
            security,
            tls: tls(&settings)?,
            mode: settings.require("connectionMode")?,
            passive_address: settings.require("passiveAddress")?,
            active: active(&settings)?,
            proxy: settings.group("proxy").map(proxy).transpose().map_err(|e| e.under("proxy"))?,
            keep_alive: settings.is("keepAlive"),
            listing: settings.require("listing")?,
            encoding: NameEncoding::from_label(settings.text("fileNameEncoding").unwrap_or("auto"))
                .map_err(|e| Error::configuration("fileNameEncoding", e.to_string()))?,
            normalization: settings.require("fileNameNormalization")?,
            zone: ServerTimeZone::from_name(settings.text("serverTimeZone").unwrap_or("auto"))
                .map_err(|e| Error::configuration("serverTimeZone", e.to_string()))?,
            connection_timeout: settings.milliseconds("connectionTimeout"),
            read_timeout: settings.milliseconds("readTimeout"),
            transfer_timeout: settings.milliseconds("transferTimeout"),
            maximum_connections: settings.require("maximumConnections")?,
            retry: retry(&settings)?,
            maximum_line: settings.require("maximumLineLength")?,
            maximum_entries: settings.require("maximumListingEntries")?,
        })
    }
}

/// The text of `id`, refused when it could end a command early.
fn line(settings: &Settings, id: &str) -> Result<Option<String>, Error> {
    let Some(text) = settings.text(id) else { return Ok(None) };
    check_line(id, text)?;
    Ok(Some(text.to_owned()))
}

fn check_line(id: &str, text: &str) -> Result<(), Error> {
    if text.contains(['\r', '\n', '\0']) {
        return Err(Error::configuration(id, "must not contain CR, LF or NUL"));
    }
    Ok(())
}

fn secret_line(settings: &Settings, id: &str) -> Result<Option<Secret>, Error> {
    let secret = settings.secret(id)?;
    if let Some(secret) = &secret {
        check_line(id, secret.reveal())?;
    }
    Ok(secret)
}

fn host(settings: &Settings, id: &str) -> Result<String, Error> {
    let host = line(settings, id)?.unwrap_or_default();
    let bare = host.trim().trim_start_matches('[').trim_end_matches(']');
    if bare.contains(|c: char| c.is_whitespace() || c == '/') || bare.contains("://") {
        return Err(Error::configuration(id, "expected a name or an address, not a URL"));
    }
    Ok(bare.to_owned())
}

fn credentials(settings: &Settings) -> Result<Credentials, Error> {
    let user = line(settings, "userName")?;
    let password = secret_line(settings, "password")?;
    if user.is_none() && password.is_some() {
        return Err(Error::configuration("password", "a password needs a userName"));
    }
    Ok(Credentials {
        user: user.unwrap_or_else(|| "anonymous".to_owned()),
        password,
        account: secret_line(settings, "account")?,
    })
}

fn active(settings: &Settings) -> Result<ActiveSettings, Error> {
    let text = settings.text("activePorts").unwrap_or_default();
    let ports = text
        .split_once('-')
        .and_then(|(first, last)| {
            Some(first.trim().parse::<u16>().ok()?..=last.trim().parse::<u16>().ok()?)
        })
        .filter(|ports| *ports.start() > 0 && !ports.is_empty())
        .ok_or_else(|| {
            Error::configuration(
                "activePorts",
                "expected two ports, the lower one first: 50000-50100",
            )
        })?;
    let address = settings
        .text("activeAddress")
        .map(|text| {
            text.trim().parse().map_err(|_| {
                Error::configuration("activeAddress", "expected an IPv4 or IPv6 address")
            })
        })
        .transpose()?;
    Ok(ActiveSettings { ports, address })
}

fn proxy(settings: &Settings) -> Result<Proxy, Error> {
    let kind: ProxyKind = settings.require("type")?;
    let default_port = match kind {
        ProxyKind::Socks5 => 1080,
        ProxyKind::Http => 3128,
    };
    Ok(Proxy {
        kind,
        host: host(settings, "host")?,
        port: settings.get("port")?.unwrap_or(default_port),
        user: line(settings, "userName")?,
        password: secret_line(settings, "password")?,
    })
}

fn retry(settings: &Settings) -> Result<RetryPolicy, Error> {
    let group = settings
        .group("retry")
        .ok_or_else(|| Error::internal("field retry is not declared with a value"))?;
    Ok(RetryPolicy {
        attempts: group.require("attempts")?,
        delay: group.milliseconds("delay").unwrap_or_default(),
        maximum_delay: group.milliseconds("maximumDelay").unwrap_or_default(),
        total_time: group.milliseconds("totalTime"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path_of(raw: Value) -> String {
        let error = ConnectionSettings::parse(&raw).unwrap_err();
        error.report().path.clone().unwrap_or_default()
    }

    #[test]
    fn a_host_is_enough() {
        let settings = ConnectionSettings::parse(&json!({"host": "h"})).unwrap();
        assert_eq!(settings.port, 21);
        assert_eq!(settings.credentials.user, "anonymous");
        assert_eq!(settings.connection_timeout, Some(Duration::from_secs(30)));
        assert_eq!((settings.retry.attempts, settings.retry.total_time), (7, None));
        assert_eq!(settings.active.ports, 50_000..=50_100);
    }

    #[test]
    fn a_blank_port_follows_the_ssl_mode() {
        let raw = json!({"host": "h", "port": "", "sslMode": "implicit"});
        assert_eq!(ConnectionSettings::parse(&raw).unwrap().port, 990);
    }

    #[test]
    fn misfits_are_refused_where_they_are() {
        let cases = [
            (json!({}), "host"),
            (json!({"host": "ftp://h"}), "host"),
            (json!({"host": "h", "userName": "a\r\nDELE x"}), "userName"),
            (json!({"host": "h", "userName": "a", "password": "b\nc"}), "password"),
            (json!({"host": "h", "password": "b"}), "password"),
            (json!({"host": "h", "remoteDirectory": "a\0b"}), "remoteDirectory"),
            (json!({"host": "h", "activePorts": "9-1"}), "activePorts"),
            (json!({"host": "h", "activeAddress": "here"}), "activeAddress"),
            (json!({"host": "h", "certificateFingerprint": "abc"}), "certificateFingerprint"),
            (
                json!({"host": "h", "tlsMinimumVersion": "1.3", "tlsMaximumVersion": "1.2"}),
                "tlsMinimumVersion",
            ),
            (json!({"host": "h", "trust": "only"}), "trust"),
            (json!({"host": "h", "clientKey": "k"}), "clientCertificate"),
            (json!({"host": "h", "serverTimeZone": "Mars/Olympus"}), "serverTimeZone"),
            (json!({"host": "h", "fileNameEncoding": "klingon"}), "fileNameEncoding"),
            (json!({"host": "h", "retry": {"attempts": 0}}), "retry.attempts"),
            (
                json!({"host": "h", "proxy": {"host": "p"}, "connectionMode": "active"}),
                "connectionMode",
            ),
        ];
        for (raw, path) in cases {
            assert_eq!(path_of(raw.clone()), path, "{raw}");
        }
    }
}
