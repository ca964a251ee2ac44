//! URLs as SQLAlchemy takes them.

/// The way to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// The port on 127.0.0.1.
    Tcp,
    /// The unix socket.
    Socket,
}

/// Encodes whatever has a meaning in a URL, and in the end of one.
pub(super) fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_survive_a_url() {
        assert_eq!(encoded("a-1.p@ss:w/rd%41+ ?ą"), "a-1.p%40ss%3Aw%2Frd%2541%2B%20%3F%C4%85");
    }
}
