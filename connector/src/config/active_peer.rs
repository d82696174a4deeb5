//! From where a server may open active data connections.

use std::net::IpAddr;

use host_sdk::Error;

/// Whose active data connections are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ActivePeer {
    /// Those of the control connection's peer.
    Control,
    /// Those of anybody.
    Any,
    /// Those of the control connection's peer and of these networks.
    Listed(Vec<Network>),
}

/// Addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    /// How many bits of the address count.
    bits: u32,
}

impl ActivePeer {
    /// Reads `control`, `any` or a list such as `192.0.2.7, 198.51.100.0/24`.
    ///
    /// # Errors
    ///
    /// `configuration` at `id`.
    pub(super) fn parse(id: &str, text: &str) -> Result<Self, Error> {
        match text.trim() {
            "control" => Ok(Self::Control),
            "any" => Ok(Self::Any),
            list => {
                let networks: Option<Vec<Network>> = list.split(',').map(Network::parse).collect();
                networks.map(Self::Listed).ok_or_else(|| {
                    let message = "expected \"control\", \"any\" or addresses and networks such as \
                                   192.0.2.7, 198.51.100.0/24";
                    Error::configuration(id, message)
                })
            }
        }
    }

    /// Whether a connection from `address` is taken, where the control connection goes to `control`.
    pub(crate) fn admits(&self, address: IpAddr, control: IpAddr) -> bool {
        // An IPv4 peer may show as an IPv6 one on a dual-stack socket.
        let is_control = address.to_canonical() == control.to_canonical();
        match self {
            Self::Control => is_control,
            Self::Any => true,
            Self::Listed(networks) => {
                is_control || networks.iter().any(|network| network.contains(address))
            }
        }
    }
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        (bits <= most).then_some(Self { address, bits })
    }

    fn contains(&self, address: IpAddr) -> bool {
        let shift = |width: u32| width - self.bits;
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(mine), IpAddr::V4(other)) => {
                let differs = u32::from(mine) ^ u32::from(other);
                differs.checked_shr(shift(32)).unwrap_or(0) == 0
            }
            (IpAddr::V6(mine), IpAddr::V6(other)) => {
                let differs = u128::from(mine) ^ u128::from(other);
                differs.checked_shr(shift(128)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(text: &str, address: &str) -> bool {
        let peer = ActivePeer::parse("activePeer", text).unwrap();
        peer.admits(address.parse().unwrap(), "192.0.2.1".parse().unwrap())
    }

    #[test]
    fn peers_are_admitted_as_the_setting_says() {
        assert!(admits("control", "192.0.2.1") && admits("control", "::ffff:192.0.2.1"));
        assert!(!admits("control", "192.0.2.2") && admits("any", "203.0.113.9"));
        let list = "192.0.2.7, 198.51.100.0/24, 2001:db8::/32";
        for address in ["192.0.2.1", "192.0.2.7", "198.51.100.200", "2001:db8:1::2"] {
            assert!(admits(list, address), "{address}");
        }
        for address in ["192.0.2.8", "198.51.101.1", "2001:db9::1"] {
            assert!(!admits(list, address), "{address}");
        }
        assert!(admits("0.0.0.0/0", "203.0.113.9") && !admits("0.0.0.0/0", "2001:db8::1"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "here", "192.0.2.0/33", "192.0.2", "any, control"] {
            assert!(ActivePeer::parse("activePeer", text).is_err(), "{text}");
        }
    }
}
