//! Addresses and networks of the Internet Protocol.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An object of Python's `ipaddress`.
///
/// It displays as Python's `str` prints it, such as `10.0.0.0/8` or `fe80::1%eth0`.
#[derive(Clone, Copy)]
pub struct Ip<'a> {
    sort: IpSort,
    text: Option<&'a str>,
    address: IpAddr,
    prefix: u8,
}

/// What an [`Ip`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IpSort {
    /// `IPv4Address`
    V4Address,
    /// `IPv4Network`
    V4Network,
    /// `IPv4Interface`: an address in a network.
    V4Interface,
    /// `IPv6Address`
    V6Address,
    /// `IPv6Network`
    V6Network,
    /// `IPv6Interface`: an address in a network.
    V6Interface,
}

impl IpSort {
    pub(super) fn of(class: &[u8]) -> Option<Self> {
        Some(match class {
            b"IPv4Address" => Self::V4Address,
            b"IPv4Network" => Self::V4Network,
            b"IPv4Interface" => Self::V4Interface,
            b"IPv6Address" => Self::V6Address,
            b"IPv6Network" => Self::V6Network,
            b"IPv6Interface" => Self::V6Interface,
            _ => return None,
        })
    }

    /// The name of the class.
    pub const fn class(self) -> &'static str {
        match self {
            Self::V4Address => "IPv4Address",
            Self::V4Network => "IPv4Network",
            Self::V4Interface => "IPv4Interface",
            Self::V6Address => "IPv6Address",
            Self::V6Network => "IPv6Network",
            Self::V6Interface => "IPv6Interface",
        }
    }
}

impl<'a> Ip<'a> {
    /// What it is.
    pub const fn sort(&self) -> IpSort {
        self.sort
    }

    /// The address, of a network its first. A scope of IPv6 (`%eth0`) is not in it.
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// How many bits are of the network; all of them for an address.
    pub const fn prefix_len(&self) -> u8 {
        self.prefix
    }

    /// An address as a number, as Python writes most of them; `None` where it is none.
    pub(super) fn of_number(sort: IpSort, number: u128) -> Option<Self> {
        let (address, prefix) = match sort {
            IpSort::V4Address => (Ipv4Addr::from_bits(number.try_into().ok()?).into(), 32),
            IpSort::V6Address => (Ipv6Addr::from_bits(number).into(), 128),
            _ => return None,
        };
        Some(Self { sort, text: None, address, prefix })
    }

    /// What Python writes of all others, its own text of the object; `None` where Python would refuse it or print it in another way.
    pub(super) fn of_text(sort: IpSort, text: &'a str) -> Option<Self> {
        let (address, prefix) = match sort {
            IpSort::V4Address | IpSort::V6Address => (text, None),
            _ => text.split_once('/').map(|(address, prefix)| (address, Some(prefix)))?,
        };
        let (address, bits): (IpAddr, u8) = match sort {
            IpSort::V4Address | IpSort::V4Network | IpSort::V4Interface => (v4(address)?.into(), 32),
            IpSort::V6Address | IpSort::V6Network | IpSort::V6Interface => (v6(address)?.into(), 128),
        };
        let prefix = match prefix {
            None => bits,
            Some(text) => text.parse().ok().filter(|prefix: &u8| *prefix <= bits && prefix.to_string() == text)?,
        };
        if matches!(sort, IpSort::V4Network | IpSort::V6Network) && has_host_bits(address, prefix) {
            return None;
        }
        Some(Self { sort, text: Some(text), address, prefix })
    }
}

fn v4(text: &str) -> Option<Ipv4Addr> {
    // It takes dotted decimals without leading zeros only, as Python.
    text.parse().ok()
}

fn v6(text: &str) -> Option<Ipv6Addr> {
    let text = match text.split_once('%') {
        Some((_, scope)) if scope.is_empty() || scope.contains(['%', '/']) => return None,
        Some((text, _)) => text,
        None => text,
    };
    let address: Ipv6Addr = text.parse().ok()?;
    (address.to_string() == text || shown(address) == text).then_some(address)
}

/// As Python prints it before 3.13: mapped addresses of IPv4 as any other.
fn shown(address: Ipv6Addr) -> String {
    match address.to_ipv4_mapped().map(|v4| v4.octets()) {
        Some([a, b, c, d]) => format!("::ffff:{:x}:{:x}", u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])),
        None => address.to_string(),
    }
}

fn has_host_bits(address: IpAddr, prefix: u8) -> bool {
    match address {
        IpAddr::V4(address) => address.to_bits() & u32::MAX.checked_shr(prefix.into()).unwrap_or(0) != 0,
        IpAddr::V6(address) => address.to_bits() & u128::MAX.checked_shr(prefix.into()).unwrap_or(0) != 0,
    }
}

impl fmt::Display for Ip<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.text, self.address) {
            (Some(text), _) => f.write_str(text),
            (None, IpAddr::V4(address)) => address.fmt(f),
            (None, IpAddr::V6(address)) => f.write_str(&shown(address)),
        }
    }
}

/// Shows nothing of its contents.
impl fmt::Debug for Ip<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sort.class())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_python_prints_is_an_address() {
        let good = [
            (IpSort::V4Address, "1.2.3.4", 32),
            (IpSort::V4Network, "10.0.0.0/8", 8),
            (IpSort::V4Network, "0.0.0.0/0", 0),
            (IpSort::V4Network, "1.2.3.4/32", 32),
            (IpSort::V4Interface, "10.0.0.1/8", 8),
            (IpSort::V6Address, "::", 128),
            (IpSort::V6Address, "fe80::1%eth0", 128),
            (IpSort::V6Address, "::ffff:102:304", 128),
            (IpSort::V6Address, "::ffff:1.2.3.4", 128),
            (IpSort::V6Network, "2001:db8::/32", 32),
            (IpSort::V6Interface, "2001:db8::1/64", 64),
        ];
        for (sort, text, prefix) in good {
            let ip = Ip::of_text(sort, text).unwrap();
            assert_eq!((ip.to_string().as_str(), ip.prefix_len()), (text, prefix));
        }
        let bad = [
            (IpSort::V4Address, "1.2.3"),
            (IpSort::V4Address, "01.2.3.4"),
            (IpSort::V4Address, "1.2.3.4/8"),
            (IpSort::V4Network, "10.0.0.1/8"),
            (IpSort::V4Network, "10.0.0.0"),
            (IpSort::V4Network, "10.0.0.0/33"),
            (IpSort::V4Network, "10.0.0.0/08"),
            (IpSort::V6Address, "0:0::1"),
            (IpSort::V6Address, "FE80::1"),
            (IpSort::V6Address, "fe80::1%"),
            (IpSort::V6Network, "2001:db8::1/32"),
            (IpSort::V6Address, "1.2.3.4"),
        ];
        for (sort, text) in bad {
            assert!(Ip::of_text(sort, text).is_none(), "{text}");
        }
    }
}
