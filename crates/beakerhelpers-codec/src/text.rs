//! Text.
use beakerhelpers_core::{Kind, Result, Value};
/// Stub.
pub fn push_str(value: Value<'_>, out: &mut String) -> Result<()> {
    match value.kind() {
        Kind::Str(s) => out.push_str(s),
        Kind::Int(i) => out.push_str(&i.to_string()),
        Kind::None => out.push_str("None"),
        Kind::Bool(b) => out.push_str(if b { "True" } else { "False" }),
        other => out.push_str(&format!("{other:?}")),
    }
    Ok(())
}
