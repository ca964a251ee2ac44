//! Cookies of real Beaker, and Beaker on ours.

use beakerhelpers_codec::cookie::{CookieKey, DEFAULT_NAME, Given, find, without_quotes};
use beakerhelpers_codec::{Decoded, Decoder, Encoder, Settings};
use beakerhelpers_core::{Framing, Payload, StoreConfig};
use beakerhelpers_testkit::{OLDER_RELEASES, Python, python};

const WRITE: &str = "
from beaker.session import CookieSession
request = {}
session = CookieSession(request, validate_key='val', **KEYS)
session['user'] = 'Jonas Žukas'
session['n'] = 7
session.save()
print(request['cookie_out'])
";

const READ: &str = "
from beaker.session import CookieSession
session = CookieSession({'cookie': 'a=b; beaker.session.id=COOKIE'}, validate_key='val', **KEYS)
assert not session.is_new
print(session['user'], session['n'])
";

/// The arguments for Beaker, and the options that say the same.
const FORMS: [(&str, &[(&str, &str)]); 3] = [
    ("{}", &[]),
    ("{'data_serializer': 'json'}", &[("data_serializer", "json")]),
    ("{'encrypt_key': 'enc'}", &[("encrypt_key", "enc")]),
];

fn both_ways(python: &Python, release: &str) {
    for (keys, options) in FORMS {
        let config = StoreConfig::new("beaker.session").with("validate_key", "val");
        let config = options.iter().fold(config, |config, (name, value)| config.with(name, *value));
        let settings = Settings::from_config(&config).unwrap();
        let header = python.run(&WRITE.replace("KEYS", keys));
        let Given::Value(cookie) = find(&header, DEFAULT_NAME) else { panic!("{release}, {keys}: no cookie") };
        let key = CookieKey::new("val");
        let value = key.verify(without_quotes(cookie)).unwrap_or_else(|| panic!("{release}, {keys}: the signature"));
        let payload = Payload::new(Framing::Text, value.as_bytes().to_vec());
        let decoded = Decoder::with_settings(settings.clone()).decode(&payload).unwrap();
        let Decoded::Session(mut session) = decoded else { panic!("{release}, {keys}: no session") };
        assert_eq!(
            session.value("user").and_then(beakerhelpers_core::Value::as_str),
            Some("Jonas Žukas"),
            "{release}, {keys}"
        );

        session.set("n", |draft| draft.int(8));
        let changed = Encoder::with_settings(settings.clone()).update(&payload, &session).unwrap();
        let mut encoder = Encoder::with_settings(settings);
        // An older Beaker may look for another library's cipher than the one that is new here.
        let anew = (!keys.contains("encrypt")).then(|| encoder.encode(&session, Framing::Text).unwrap());
        for payload in [Some(changed), anew].into_iter().flatten() {
            let cookie = key.sign(std::str::from_utf8(payload.bytes()).unwrap());
            let read = python.run(&READ.replace("KEYS", keys).replace("COOKIE", &cookie));
            assert_eq!(read.trim(), "Jonas Žukas 8", "{release}, {keys}");
        }
    }
}

#[test]
fn of_the_current_beaker() {
    both_ways(&python!(), "current");
}

#[test]
fn of_older_ones() {
    for release in OLDER_RELEASES {
        both_ways(&python!(release), release);
    }
}
