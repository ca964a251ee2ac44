//! What the configuration says about the form of sessions.

use std::fmt;

use beakerhelpers_core::{Error, Result, StoreConfig, escape_controls};
use zeroize::Zeroizing;

use crate::cipher::{Cipher, Key, NonceSize, Sealing};

/// What a site's configuration says about the form of its sessions: the serializer, and the keys and the cipher where
/// they are encrypted.
///
/// A [`Decoder`](crate::Decoder) needs them only for encrypted sessions. The keys are wiped from memory when this is
/// dropped, and no `Debug` and no message shows them.
#[derive(Clone, Default)]
pub struct Settings {
    /// What the keys of the configuration begin with, for messages.
    prefix: Option<String>,
    serializer: Option<Serializer>,
    encrypt_key: Option<Secret>,
    validate_key: Option<Secret>,
    module: Module,
    nonce: Option<NonceSize>,
}

type Secret = Zeroizing<Vec<u8>>;

/// How a session becomes bytes before it is encrypted, if it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Serializer {
    Pickle,
    Json,
}

/// Which of Beaker's crypto modules is to encrypt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Module {
    /// The one that Beaker finds: another in each release.
    #[default]
    Default,
    /// The one that has this cipher.
    Of(Cipher),
    /// One that the application has registered.
    Foreign,
}

/// Which ciphers come into question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ciphers {
    Any,
    Only(Cipher),
    /// Without keys, what needs none.
    NullOnly,
}

impl Settings {
    /// Settings that say nothing: sessions are not encrypted.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads `data_serializer`, `encrypt_key`, `validate_key`, `crypto_type` and `encrypt_nonce_bits` as Beaker does
    /// (`beaker/util.py`, `coerce_session_params`, and `beaker/session.py`, 1.14.1).
    ///
    /// An `encrypt_key` without a `validate_key`, and a `crypto_type` that only the application knows, are errors of the
    /// sessions that are encrypted: Beaker before 1.6.2 had no use for either key, and any release reads `crypto_type`
    /// whether it encrypts or not.
    ///
    /// # Errors
    ///
    /// `Config`, naming key and place, for values that Beaker since 1.8 refuses: a `data_serializer` other than `pickle`
    /// and `json`, an `encrypt_nonce_bits` that is no multiple of 8.
    pub fn from_config(config: &StoreConfig) -> Result<Self> {
        let refuse = |name: &str, what: &str, value: &str| {
            Error::config(format!("{what}, not `{}`", escape_controls(value))).with_context("at", config.origin(name))
        };
        let serializer = match config.get("data_serializer") {
            None => None,
            Some("pickle") => Some(Serializer::Pickle),
            Some("json") => Some(Serializer::Json),
            Some(other) => {
                return Err(refuse("data_serializer", "the serializer must be `pickle` or `json`", other));
            }
        };
        let nonce = config.get("encrypt_nonce_bits").map(|text| {
            NonceSize::parse(text).ok_or_else(|| {
                refuse("encrypt_nonce_bits", "the bits of a nonce must be a multiple of 8, 524280 at most", text)
            })
        });
        let secret = |name| config.get(name).map(|text| Zeroizing::new(text.as_bytes().to_vec()));
        Ok(Self {
            prefix: Some(config.prefix().to_owned()),
            serializer,
            encrypt_key: secret("encrypt_key"),
            validate_key: secret("validate_key"),
            module: match config.get("crypto_type") {
                None | Some("default") => Module::Default,
                Some("cryptography") => Module::Of(Cipher::AesGcm),
                Some("pycrypto" | "pycryptodome") => Module::Of(Cipher::AesCtr),
                Some("nss") => Module::Of(Cipher::AesCbc),
                Some(_) => Module::Foreign,
            },
            nonce: nonce.transpose()?,
        })
    }

    /// Whether a site of these settings writes its sessions in the same form, and with the same keys, as one of those: each
    /// can read what the other wrote.
    #[must_use]
    pub fn agree_with(&self, other: &Self) -> bool {
        let serializer = |settings: &Self| settings.serializer.unwrap_or(Serializer::Pickle);
        let keys = |settings: &Self| {
            let Self { encrypt_key, validate_key, module, nonce, .. } = settings.clone();
            encrypt_key.map(|key| (key, validate_key, module, nonce.unwrap_or_default()))
        };
        serializer(self) == serializer(other) && keys(self) == keys(other)
    }

    /// The serializer that is set.
    pub(crate) const fn serializer(&self) -> Option<Serializer> {
        self.serializer
    }

    /// How a new session is to be encrypted; `None` where it is not to be. By default as Beaker 1.14 does it where it finds
    /// `cryptography`: only the site knows what its Beaker finds.
    ///
    /// # Errors
    ///
    /// `Unsupported` for an `encrypt_key` without a `validate_key`, and for a module of the application.
    pub(crate) fn sealing(&self) -> Result<Option<Sealing>> {
        if self.encrypt_key.is_none() {
            return Ok(None);
        }
        if let Some(obstacle) = self.obstacle("is to be") {
            return Err(obstacle);
        }
        let cipher = if let Module::Of(cipher) = self.module { cipher } else { Cipher::AesGcm };
        Ok(Some(Sealing { cipher, nonce: self.nonce.unwrap_or_default() }))
    }

    /// The size of the nonce, where it is set.
    pub(crate) const fn nonce(&self) -> Option<NonceSize> {
        self.nonce
    }

    /// The ciphers that may have encrypted a session, going by the configuration.
    pub(crate) const fn ciphers(&self) -> Ciphers {
        match self.module {
            _ if !self.has_keys() => Ciphers::NullOnly,
            Module::Default => Ciphers::Any,
            Module::Of(cipher) => Ciphers::Only(cipher),
            Module::Foreign => Ciphers::NullOnly,
        }
    }

    /// Whether there are keys to decrypt with.
    pub(crate) const fn has_keys(&self) -> bool {
        self.encrypt_key.is_some() && self.validate_key.is_some()
    }

    /// The key of the session with this nonce; `None` without the two keys. `salt` is memory to work in.
    pub(crate) fn key(&self, nonce: &[u8], salt: &mut Zeroizing<Vec<u8>>) -> Option<Key> {
        Some(Key::derive(self.encrypt_key.as_ref()?, self.validate_key.as_ref()?, nonce, salt))
    }

    /// Why a session that `is` encrypted, or `seems to be`, cannot be decrypted, whatever it holds; `None` where there
    /// is no such reason.
    pub(crate) fn obstacle(&self, is: &str) -> Option<Error> {
        let missing = |name, hint| {
            let why = format!("the session {is} encrypted, and {} is not set", self.name(name));
            Some(Error::unsupported(why).with_hint(hint))
        };
        match (&self.encrypt_key, &self.validate_key, self.module) {
            (None, ..) => missing(
                "encrypt_key",
                format!(
                    "give {} and {} in the ini file as the application has them",
                    self.name("encrypt_key"),
                    self.name("validate_key")
                ),
            ),
            (_, None, _) => missing(
                "validate_key",
                format!(
                    "give {} in the ini file as the application has it: Beaker too needs both keys",
                    self.name("validate_key")
                ),
            ),
            (.., Module::Foreign) => Some(
                Error::unsupported(format!(
                    "the session {is} encrypted, and {} names a module that is not Beaker's own",
                    self.name("crypto_type")
                ))
                .with_hint("known are `default`, `cryptography`, `pycryptodome`, `pycrypto` and `nss`"),
            ),
            _ => None,
        }
    }

    /// What of the configuration a session contradicts that was encrypted like this, for a message.
    pub(crate) fn contradicted_by(&self, cipher: Cipher, nonce: NonceSize) -> String {
        let by_cipher = matches!(self.module, Module::Of(other) if other != cipher).then(|| self.name("crypto_type"));
        let by_nonce = self.nonce.is_some_and(|other| other != nonce).then(|| self.name("encrypt_nonce_bits"));
        let names: Vec<_> = [by_cipher, by_nonce].into_iter().flatten().collect();
        names.join(" and ")
    }

    /// The name of a key as the user writes it.
    pub(crate) fn name(&self, key: &str) -> String {
        match &self.prefix {
            Some(prefix) => format!("`{prefix}.{key}`"),
            None => format!("`{key}`"),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { serializer, encrypt_key, validate_key, module, nonce, .. } = self;
        let hidden = |key: &Option<Secret>| key.as_ref().map(|_| "…");
        f.debug_struct("Settings")
            .field("serializer", serializer)
            .field("encrypt_key", &hidden(encrypt_key))
            .field("validate_key", &hidden(validate_key))
            .field("module", module)
            .field("nonce", nonce)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use beakerhelpers_core::ErrorKind;

    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings> {
        let config = StoreConfig::new("shop");
        Settings::from_config(&pairs.iter().fold(config, |config, (name, value)| config.with(name, *value)))
    }

    fn refused(name: &str, value: &str) -> String {
        let error = read(&[(name, value)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        error.report().to_string()
    }

    #[test]
    fn what_beaker_refuses_is_refused_by_key_and_place() {
        assert_eq!(
            refused("data_serializer", "yaml\u{1b}"),
            "the serializer must be `pickle` or `json`, not `yaml\\x1b`\n  at: `shop.data_serializer`"
        );
        for bits in ["12", "-8", "8.0", "+8", "many", "524288", "99999999999999999999"] {
            assert_eq!(
                refused("encrypt_nonce_bits", bits),
                format!(
                    "the bits of a nonce must be a multiple of 8, 524280 at most, not `{bits}`\n  \
                     at: `shop.encrypt_nonce_bits`"
                )
            );
        }
        assert_eq!(read(&[("encrypt_nonce_bits", "48")]).unwrap().nonce(), NonceSize::of_chars(8, 0));
        assert_eq!(read(&[("data_serializer", "json")]).unwrap().serializer(), Some(Serializer::Json));
    }

    #[test]
    fn each_module_stands_for_its_cipher() {
        let keys = [("encrypt_key", "k"), ("validate_key", "v")];
        let ciphers = |module| read(&[keys[0], keys[1], ("crypto_type", module)]).unwrap().ciphers();
        assert_eq!(ciphers("default"), Ciphers::Any);
        assert_eq!(ciphers("pycrypto"), Ciphers::Only(Cipher::AesCtr));
        assert_eq!(ciphers("pycryptodome"), Ciphers::Only(Cipher::AesCtr));
        assert_eq!(ciphers("cryptography"), Ciphers::Only(Cipher::AesGcm));
        assert_eq!(ciphers("nss"), Ciphers::Only(Cipher::AesCbc));
        assert_eq!(read(&keys).unwrap().ciphers(), Ciphers::Any);
        assert_eq!(read(&keys[..1]).unwrap().ciphers(), Ciphers::NullOnly);
    }

    #[test]
    fn what_stands_in_the_way_of_decrypting() {
        let obstacle = |pairs: &[(&str, &str)]| read(pairs).unwrap().obstacle("is").map(|error| error.to_string());
        let keys = [("encrypt_key", "k"), ("validate_key", "v"), ("crypto_type", "ours")];
        assert_eq!(obstacle(&[]).unwrap(), "the session is encrypted, and `shop.encrypt_key` is not set");
        assert_eq!(obstacle(&keys[1..]).unwrap(), "the session is encrypted, and `shop.encrypt_key` is not set");
        assert_eq!(obstacle(&keys[..1]).unwrap(), "the session is encrypted, and `shop.validate_key` is not set");
        assert!(obstacle(&keys).unwrap().contains("`shop.crypto_type` names a module that is not Beaker's own"));
        assert_eq!(obstacle(&keys[..2]), None);
        let error = Settings::new().obstacle("seems to be").unwrap();
        assert_eq!(error.to_string(), "the session seems to be encrypted, and `encrypt_key` is not set");
    }

    #[test]
    fn settings_agree_where_one_site_reads_what_the_other_wrote() {
        let of = |pairs: &[(&str, &str)]| read(pairs).unwrap();
        let keys = [("encrypt_key", "k"), ("validate_key", "v")];
        for same in [
            [of(&[]), of(&[("data_serializer", "pickle")])],
            // Where nothing is encrypted it does not matter by what.
            [of(&[]), of(&[("crypto_type", "cryptography"), ("validate_key", "v"), ("encrypt_nonce_bits", "48")])],
            [of(&keys), of(&[keys[0], keys[1], ("encrypt_nonce_bits", "128")])],
        ] {
            assert!(same[0].agree_with(&same[1]) && same[1].agree_with(&same[0]), "{same:?}");
        }
        for other in [
            of(&[("data_serializer", "json")]),
            of(&keys),
            of(&[keys[0], ("validate_key", "other")]),
            of(&[keys[0], keys[1], ("crypto_type", "pycryptodome")]),
            of(&[keys[0], keys[1], ("encrypt_nonce_bits", "48")]),
        ] {
            assert!(other.agree_with(&other));
            assert!(!other.agree_with(&of(&[])) && !of(&[("encrypt_key", "k")]).agree_with(&other), "{other:?}");
            assert!(!other.agree_with(&of(&[keys[0], ("validate_key", "a third")])), "{other:?}");
        }
    }

    #[test]
    fn keys_are_not_shown() {
        let settings = read(&[("encrypt_key", "s3cret"), ("validate_key", "s3cret")]).unwrap();
        let shown = format!("{settings:?}");
        assert!(!shown.contains("s3cret") && shown.contains("encrypt_key: Some"), "{shown}");
        // A `Vec<u8>` would be shown as numbers.
        assert!(!shown.contains("115"), "{shown}");
    }
}
