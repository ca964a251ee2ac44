//! The columns of the matrix, and what a cell says.

/// How a site has its sessions written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    /// `data_serializer`
    pub(crate) serializer: &'static str,
    /// `crypto_type`; `None` where nothing is encrypted.
    pub(crate) crypto: Option<&'static str>,
    /// `encrypt_nonce_bits`, where it is set.
    bits: Option<u16>,
}

const fn form(serializer: &'static str, crypto: Option<&'static str>, bits: Option<u16>) -> Form {
    Form { serializer, crypto, bits }
}

/// `validate_key` of all sites.
pub(super) const VALIDATE_KEY: &str = "val-key-9876543210";

/// The columns.
pub(crate) const FORMS: [Form; 12] = [
    form("pickle", None, None),
    form("pickle", Some("default"), None),
    form("pickle", Some("default"), Some(48)),
    form("pickle", Some("cryptography"), None),
    form("pickle", Some("pycrypto"), None),
    form("pickle", Some("pycryptodome"), None),
    form("json", None, None),
    form("json", Some("default"), None),
    form("json", Some("default"), Some(48)),
    form("json", Some("cryptography"), None),
    form("json", Some("pycrypto"), None),
    form("json", Some("pycryptodome"), None),
];

impl Form {
    /// What the ini file says about it. What is as by default is left out.
    pub(crate) fn keys(self) -> String {
        let mut keys = String::new();
        let mut key = |name: &str, value: &str| keys.extend(["beaker.session.", name, " = ", value, "\n"]);
        if self.serializer != "pickle" {
            key("data_serializer", self.serializer);
        }
        key("validate_key", VALIDATE_KEY);
        if let Some(crypto) = self.crypto {
            key("encrypt_key", "enc-key-0123456789");
            if crypto != "default" {
                key("crypto_type", crypto);
            }
        }
        if let Some(bits) = self.bits {
            key("encrypt_nonce_bits", &bits.to_string());
        }
        keys
    }

    /// The head of its column.
    pub(crate) fn head(self) -> String {
        let crypto = self.crypto.unwrap_or("plain");
        let bits = self.bits.map(|bits| format!(", {bits} bits")).unwrap_or_default();
        format!("{}, {crypto}{bits}", self.serializer)
    }
}

/// What JSON can hold.
pub(super) const JSON_CONTENTS: [&str; 4] = [
    "{'user_name': 'joe@doe.com', 'visits': 7, 'admin': False, 'score': 1.5, 'nothing': None, 'empty': ''}",
    "{'list': [1, 'two', None, [3.0]], 'tuple': (1,), 'dict': {'a': {'b': [1, 2]}}, 'ints': {1: 'one'}}",
    "{'lt': 'Linas Juškevičius', 'cjk': '日本語', 'emoji': '👩\\u200d👧', 'lines': 'a\\nb\\r\\nc', 'quotes': '\"\\'', \
      'nul': 'a\\0b', 'lone': ['\\ud800'], 'ž': '\\x7f'}",
    "{'big': 2**64, 'negative': -2**100, 'inf': float('inf'), 'nan': float('nan'), 'small': 5e-324, 'minus': -0.0}",
];
/// What it cannot.
pub(super) const NO_JSON: &str = "{'raw': b'\\xff'}";

/// What came of a form in a store with a release of Beaker.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    /// Each loads what the other wrote or changed.
    Both,
    /// The same, but Beaker does not load what is written anew.
    Changes(Note),
    /// Beaker cannot do it.
    Impossible(Note),
    /// It is not as it should be.
    Failed(String),
}

/// A reason; the document has a sentence for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// New sessions are base64, which this Beaker does not know.
    Base64 = 1,
    /// It takes no notice of the serializer; new sessions as above.
    NoSerializer,
    /// Which cipher is the default depends on the release and on what it finds.
    Default,
    /// It knows no such `crypto_type`.
    NoCrypto,
    /// Its `ext:database` does not work.
    NoDatabase,
    /// It knows no such store.
    NoStore,
}

impl Cell {
    /// As it stands in the table.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Both => "✓".to_owned(),
            Self::Changes(note) => format!("✓ ({})", *note as u8),
            Self::Impossible(note) => format!("– ({})", *note as u8),
            Self::Failed(_) => "✗".to_owned(),
        }
    }
}
