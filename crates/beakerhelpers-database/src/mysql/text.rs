//! Statements as text. Nothing in them depends on the server's settings: identifiers are in backticks, texts and bytes
//! are hexadecimal, numbers and times are digits. No statement is left prepared on the server.

use std::fmt::Write;

use mysql::Value;

use crate::statement::{Piece, Statement, TableName};

/// What is longer is not written as hexadecimal digits, which are twice as long, but sent beside the text.
const LONGEST: usize = 128 * 1024;

/// A statement, and the values of the question marks in it.
pub(super) struct Rendered {
    pub(super) text: String,
    pub(super) values: Vec<Value>,
}

pub(super) fn render(statement: &Statement<'_>) -> Rendered {
    let mut text = String::new();
    let mut values = Vec::new();
    for piece in statement.pieces() {
        match piece {
            Piece::Sql(sql) => text.push_str(sql),
            Piece::Table(table) => push_table(&mut text, table),
            Piece::Int(number) => write!(text, "{number}").expect("a string takes all"),
            Piece::Real(number) => write!(text, "{number:e}").expect("a string takes all"),
            // No server takes these for anything else.
            Piece::Text(id) if id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) => {
                text.extend(["'", id, "'"]);
            }
            Piece::Text(id) => {
                text.push_str("_utf8mb4 ");
                push_hex(&mut text, id.as_bytes());
            }
            Piece::Bytes(bytes) if bytes.len() > LONGEST => {
                text.push('?');
                values.push(Value::Bytes(bytes.to_vec()));
            }
            Piece::Bytes(bytes) => push_hex(&mut text, bytes),
            // Compared and stored as a time of microseconds, whatever the column keeps of it.
            Piece::Time(time) => write!(text, "TIMESTAMP'{}'", time.0).expect("a string takes all"),
        }
    }
    Rendered { text, values }
}

/// The name in backticks, and the schema before it.
pub(super) fn push_table(text: &mut String, table: &TableName) {
    if let Some(schema) = &table.schema {
        push_identifier(text, schema);
        text.push('.');
    }
    push_identifier(text, &table.name);
}

pub(super) fn push_identifier(text: &mut String, name: &str) {
    text.push('`');
    text.push_str(&name.replace('`', "``"));
    text.push('`');
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    text.reserve(bytes.len() * 2 + 3);
    text.push_str("x'");
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text.push('\'');
}

#[cfg(test)]
mod tests {
    use beakerhelpers_core::NaiveTime;

    use super::*;
    use crate::statement::Time;

    #[test]
    fn nothing_gets_out_of_its_quotes() {
        let table = TableName::new(Some("a`b"), "x'; --").expect("names");
        let time = Time(NaiveTime::parse(b"2026-01-02 03:04:05.000006").expect("a time"));
        let long = vec![7; LONGEST + 1];
        let statement = Statement::new([
            Piece::Sql("SELECT "),
            Piece::Table(&table),
            Piece::Sql(" "),
            Piece::Text("'ą\\"),
            Piece::Sql(" "),
            Piece::Bytes(b"\0'"),
            Piece::Sql(" "),
            Piece::Int(-5),
            Piece::Sql(" "),
            Piece::Time(time),
            Piece::Sql(" "),
            Piece::Bytes(&long),
        ]);
        let rendered = render(&statement);
        assert_eq!(
            rendered.text,
            "SELECT `a``b`.`x'; --` _utf8mb4 x'27C4855C' x'0027' -5 TIMESTAMP'2026-01-02 03:04:05.000006' ?"
        );
        assert_eq!(rendered.values.len(), 1);
    }
}
