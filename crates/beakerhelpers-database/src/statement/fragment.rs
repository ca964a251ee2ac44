//! Statements for the databases that diesel talks to.

use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
#[cfg(feature = "sqlite")]
use diesel::serialize::IsNull;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::{BigInt, Binary, Double, HasSqlType, Text, Timestamp, Untyped};

use super::{Piece, Statement, Time};

impl<DB> QueryFragment<DB> for Statement<'_>
where
    DB: Backend
        + HasSqlType<BigInt>
        + HasSqlType<Double>
        + HasSqlType<Text>
        + HasSqlType<Binary>
        + HasSqlType<Timestamp>,
    i64: ToSql<BigInt, DB>,
    f64: ToSql<Double, DB>,
    str: ToSql<Text, DB>,
    [u8]: ToSql<Binary, DB>,
    Time: ToSql<Timestamp, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        for piece in self.pieces() {
            match piece {
                Piece::Sql(sql) => out.push_sql(sql),
                Piece::Table(table) => {
                    if let Some(schema) = &table.schema {
                        out.push_identifier(schema)?;
                        out.push_sql(".");
                    }
                    out.push_identifier(&table.name)?;
                }
                Piece::Int(number) => out.push_bind_param::<BigInt, _>(number)?,
                Piece::Real(number) => out.push_bind_param::<Double, _>(number)?,
                Piece::Text(text) => out.push_bind_param::<Text, str>(text)?,
                Piece::Bytes(bytes) => out.push_bind_param::<Binary, [u8]>(bytes)?,
                Piece::Time(time) => out.push_bind_param::<Timestamp, _>(time)?,
            }
        }
        Ok(())
    }
}

impl QueryId for Statement<'_> {
    type QueryId = ();
    // Diesel keeps prepared statements by their SQL then, which is short and the same for every page.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Statement<'_> {
    type SqlType = Untyped;
}

#[cfg(feature = "sqlite")]
impl ToSql<Timestamp, diesel::sqlite::Sqlite> for Time {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, diesel::sqlite::Sqlite>) -> serialize::Result {
        out.set_value(self.0.to_string());
        Ok(IsNull::No)
    }
}

#[cfg(feature = "postgres")]
impl ToSql<Timestamp, diesel::pg::Pg> for Time {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, diesel::pg::Pg>) -> serialize::Result {
        let micros = self.0.as_micros().saturating_sub(crate::postgres::EPOCH);
        ToSql::<Timestamp, diesel::pg::Pg>::to_sql(&diesel::pg::data_types::PgTimestamp(micros), &mut out.reborrow())
    }
}
