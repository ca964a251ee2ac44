//! Whether and how the connection is encrypted, in the words of all Python drivers.

use std::path::PathBuf;

use beakerhelpers_core::{DatabaseUrl, Error, Result, escape_controls};
use mysql::{ClientIdentity, SslOpts};

/// What is asked of TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tls {
    pub(crate) mode: Mode,
    pub(crate) authority: Option<PathBuf>,
    /// The client's certificate and key.
    pub(crate) identity: Option<(PathBuf, PathBuf)>,
}

/// How much is asked. The names are those of MySQL's `--ssl-mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    Disabled,
    /// Where the server has it, whoever the server is.
    Preferred,
    /// Or there is no connection; whoever the server is.
    Required,
    /// The server's certificate is signed by an authority that is trusted, whatever host it is for.
    VerifyCa,
    /// It is for this host, too.
    VerifyIdentity,
}

impl Tls {
    /// Reads the options of a URL: those of SQLAlchemy (`sqlalchemy/dialects/mysql/mysqldb.py`, `create_connect_args`,
    /// 2.1), PyMySQL, mysqlclient and MySQL Connector.
    ///
    /// # Errors
    ///
    /// `Config` for what is no value of an option, `Unsupported` for what only OpenSSL has.
    pub(crate) fn of_url(url: &DatabaseUrl) -> Result<Self> {
        Self::read(&|name| url.option(name))
    }

    /// As [`of_url`](Self::of_url), from options of any origin.
    pub(crate) fn read<'a>(option: &dyn Fn(&str) -> Option<&'a str>) -> Result<Self> {
        let flag = |name: &str| option(name).map(|text| truth(name, text)).transpose();
        let path = |name: &str| option(name).map(PathBuf::from);
        if option("ssl_capath").is_some() {
            return Err(Error::unsupported("`ssl_capath` is not supported")
                .with_hint("name one file that holds the authority's certificate with `ssl_ca`"));
        }
        let authority = path("ssl_ca");
        let identity = match (path("ssl_cert"), path("ssl_key")) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => return Err(Error::config("`ssl_cert` and `ssl_key` belong together, and one of them is missing")),
        };
        let named = option("ssl_mode").or_else(|| option("ssl-mode")).map(mode).transpose()?;
        let off = flag("ssl_disabled")? == Some(true) || flag("ssl")? == Some(false);
        let (certificate, identity_checked) =
            (flag("ssl_verify_cert")?, flag("ssl_verify_identity")?.or(flag("ssl_check_hostname")?));
        let mode = if let Some(mode) = named {
            mode
        } else if off {
            Mode::Disabled
        } else if certificate == Some(false) {
            Mode::Required
        } else if identity_checked == Some(true) {
            Mode::VerifyIdentity
        } else if authority.is_some() || certificate == Some(true) {
            // Public authorities are trusted, too: a certificate of theirs for any host must not do.
            if identity_checked == Some(false) { Mode::VerifyCa } else { Mode::VerifyIdentity }
        } else if identity.is_some() || flag("ssl")? == Some(true) {
            Mode::Required
        } else {
            Mode::Preferred
        };
        Ok(Self { mode, authority, identity })
    }

    /// As the client wants it; `None` for no encryption.
    pub(crate) fn options(&self) -> Option<SslOpts> {
        if self.mode == Mode::Disabled {
            return None;
        }
        let identity = self.identity.clone().map(|(certificate, key)| ClientIdentity::new(certificate, key));
        Some(
            SslOpts::default()
                .with_root_cert_path(self.authority.clone())
                .with_client_identity(identity)
                .with_danger_accept_invalid_certs(self.mode < Mode::VerifyCa)
                .with_danger_skip_domain_validation(self.mode < Mode::VerifyIdentity),
        )
    }
}

fn mode(text: &str) -> Result<Mode> {
    [
        ("DISABLED", Mode::Disabled),
        ("PREFERRED", Mode::Preferred),
        ("REQUIRED", Mode::Required),
        ("VERIFY_CA", Mode::VerifyCa),
        ("VERIFY_IDENTITY", Mode::VerifyIdentity),
    ]
    .into_iter()
    .find_map(|(name, mode)| text.eq_ignore_ascii_case(name).then_some(mode))
    .ok_or_else(|| odd("ssl_mode", text, "`DISABLED`, `PREFERRED`, `REQUIRED`, `VERIFY_CA` or `VERIFY_IDENTITY`"))
}

fn truth(name: &str, text: &str) -> Result<bool> {
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(&["true", "1", "yes", "on", "t", "y"]) {
        return Ok(true);
    }
    if is(&["false", "0", "no", "off", "f", "n"]) {
        return Ok(false);
    }
    Err(odd(name, text, "`true` or `false`"))
}

fn odd(name: &str, text: &str, wanted: &str) -> Error {
    Error::config(format!("`{name}` must be {wanted}, not `{}`", escape_controls(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(query: &str) -> Result<Tls> {
        Tls::of_url(&DatabaseUrl::parse(&format!("mysql://u:p@db/x?{query}")).expect("a URL"))
    }

    #[test]
    fn every_drivers_words_are_understood() {
        for (query, mode) in [
            ("charset=utf8mb4", Mode::Preferred),
            ("ssl_disabled=True", Mode::Disabled),
            ("ssl=false", Mode::Disabled),
            ("ssl=true", Mode::Required),
            ("ssl_mode=REQUIRED", Mode::Required),
            ("ssl_mode=verify_ca&ssl_ca=/ca.pem", Mode::VerifyCa),
            ("ssl_ca=/ca.pem", Mode::VerifyIdentity),
            ("ssl_ca=/ca.pem&ssl_check_hostname=false", Mode::VerifyCa),
            ("ssl_ca=/ca.pem&ssl_verify_identity=0", Mode::VerifyCa),
            ("ssl_ca=/ca.pem&ssl_verify_cert=false", Mode::Required),
            ("ssl_verify_cert=true", Mode::VerifyIdentity),
            ("ssl_verify_identity=true", Mode::VerifyIdentity),
            ("ssl_cert=/c.pem&ssl_key=/k.pem", Mode::Required),
        ] {
            assert_eq!(tls(query).expect(query).mode, mode, "{query}");
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for query in ["ssl_disabled=perhaps", "ssl_mode=strict", "ssl_cert=/c.pem", "ssl_capath=/etc/ssl"] {
            assert!(tls(query).is_err(), "{query}");
        }
    }

    #[test]
    fn what_is_not_verified_is_not_asked_of_the_client() {
        let options = |query| tls(query).expect(query).options().expect("TLS");
        assert!(options("ssl=true").accept_invalid_certs());
        let strict = options("ssl_ca=/ca.pem");
        assert!(!strict.accept_invalid_certs() && !strict.skip_domain_validation());
        assert!(options("ssl_mode=VERIFY_CA").skip_domain_validation());
        assert!(tls("ssl_disabled=1").expect("off").options().is_none());
    }
}
