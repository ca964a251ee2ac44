//! Findings, printed.

use std::io::Write;

use beakerhelpers_core::command::clap;
use beakerhelpers_core::{Finding, Result, Severity, StoreInfo, escape_controls};
use serde_json::json;

/// How findings are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Lines for people
    #[default]
    Text,
    /// An object for scripts
    Json,
}

/// Whether something is missing.
pub(crate) fn lacks(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Missing)
}

/// Writes what a check of this store found.
pub(crate) fn write(format: Format, store: &StoreInfo, findings: &[Finding], out: &mut dyn Write) -> Result<()> {
    let location = escape_controls(&store.location);
    match format {
        Format::Json => {
            let found: Vec<_> = findings
                .iter()
                .map(|Finding { severity, message, hint, .. }| {
                    let hint = hint.as_deref().map(escape_controls);
                    json!({ "severity": severity.name(), "message": escape_controls(message), "hint": hint })
                })
                .collect();
            let object = json!({ "location": location, "ok": !lacks(findings), "findings": found });
            writeln!(out, "{object}")?;
        }
        Format::Text => {
            out.write_all(lines(findings).as_bytes())?;
            if !store.capabilities.setup {
                writeln!(out, "it answers, and needs no setting up: {location}")?;
            } else if !lacks(findings) {
                writeln!(out, "nothing is missing: {location}")?;
            }
        }
    }
    Ok(())
}

/// The findings as lines, what to do below each.
pub(crate) fn lines(findings: &[Finding]) -> String {
    let mut lines = String::new();
    for Finding { severity, message, hint, .. } in findings {
        lines.extend([severity.name(), ": ", &*escape_controls(message), "\n"]);
        if let Some(hint) = hint {
            lines.extend(["  ", &*escape_controls(hint), "\n"]);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use beakerhelpers_core::Capabilities;

    use super::*;

    fn findings() -> [Finding; 2] {
        [
            Finding::new(Severity::Missing, "there is no \u{1b}[31m").with_hint("make \"one\"\n"),
            Finding::new(Severity::Odd, "it is odd"),
        ]
    }

    fn written(format: Format, findings: &[Finding]) -> String {
        let mut out = Vec::new();
        let store = StoreInfo::new("test", "there".to_owned(), Capabilities::NONE.with_setup(true));
        write(format, &store, findings, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_says_what_and_what_to_do() {
        let text = "missing: there is no \\x1b[31m\n  make \"one\"\\n\nodd: it is odd\n";
        assert_eq!(written(Format::Text, &findings()), text);
        assert_eq!(written(Format::Text, &findings()[1..]), "odd: it is odd\nnothing is missing: there\n");
        assert_eq!(written(Format::Text, &[]), "nothing is missing: there\n");
    }

    #[test]
    fn json_is_one_object_on_one_line() {
        let text = written(Format::Json, &findings());
        assert_eq!(text.lines().count(), 1);
        let object: serde_json::Value = serde_json::from_str(&text).unwrap();
        let expected = json!({ "location": "there", "ok": false, "findings": [
            { "severity": "missing", "message": "there is no \\x1b[31m", "hint": "make \"one\"\\n" },
            { "severity": "odd", "message": "it is odd", "hint": null },
        ] });
        assert_eq!(object, expected);
        assert!(written(Format::Json, &findings()[1..]).contains("\"ok\":true"));
    }
}
