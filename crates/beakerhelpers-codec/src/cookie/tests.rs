use super::*;

#[test]
fn signatures_are_beakers() {
    // `SignedCookie('v').value_encode('abc')` of Beaker 1.14.1.
    let signed = "ff7b5e9f923dbab45f113df66ebad1bafc560379abc";
    let key = CookieKey::new("v");
    assert_eq!(key.sign("abc"), signed);
    assert_eq!(key.verify(signed), Some("abc"));
    assert_eq!(key.verify(&key.sign("")), Some(""));
    assert_eq!(key.verify(&key.sign("ąž")), Some("ąž"));
    assert_eq!(CookieKey::new("w").verify(signed), None);
    assert_eq!(key.verify(&signed.to_uppercase()), None);
    for cut in 0..signed.len() {
        assert_eq!(key.verify(&signed[..cut]), None, "{cut}");
        let mut wrong = signed.as_bytes().to_vec();
        *wrong.get_mut(cut).unwrap() ^= 1;
        assert_eq!(key.verify(std::str::from_utf8(&wrong).unwrap()), None, "{cut}");
    }
    // A character across the end of the signature.
    assert_eq!(key.verify(&format!("{}ąabc", &signed[..39])), None);
    assert!(!format!("{key:?}").contains('v'));
}

#[test]
fn cookies_are_found_wherever_they_are_copied_from() {
    let name = "beaker.session.id";
    for text in [
        "abc==",
        "  abc==\n",
        "beaker.session.id=abc==",
        "Cookie: beaker.session.id=abc==",
        "cookie:a=b;beaker.session.id=abc==;c=d",
        "Set-Cookie: beaker.session.id=abc==; Path=/; SameSite=Lax",
        "a=\"x; beaker.session.id=no; \\\"; y\"; beaker.session.id=abc==",
        "Cookie: a=b\r\nCookie: beaker.session.id=abc==\r\n",
        "beaker.session.id=first; beaker.session.id=abc==",
        "xbeaker.session.id=no; beaker.session.id = abc==",
    ] {
        assert!(find(text, name) == Given::Value("abc=="), "{text}");
    }
    for text in ["Cookie: a=b", "Set-Cookie:", "a=b; c=d", "a=b\nc=d", "Cookie: beaker.session.ids=abc"] {
        assert!(find(text, name) == Given::Missing, "{text}");
    }
    assert!(find("", name) == Given::Value(""));
}

#[test]
fn quotes_and_escapes_are_pythons() {
    assert_eq!(without_quotes("\"abc\""), "abc");
    assert_eq!(unquoted("abc"), "abc");
    assert_eq!(unquoted("\"abc\""), "abc");
    assert_eq!(unquoted("\"a b\\054\\073\\\"\\\\\""), "a b,;\"\\");
    // `SimpleCookie` writes bytes of UTF-8 that WSGI made characters of.
    assert_eq!(unquoted("\"\\304\\205\""), "ą");
    assert_eq!(unquoted("\"\\344\""), "ä");
    assert_eq!(unquoted("\"\\9\\04\\777\""), "904777");
    assert_eq!(unquoted("\"\\\""), "\\");
    assert_eq!(unquoted("\""), "\"");
}
