//! Deleting where no script can do it: what is compared is too large for one.

use redis::{RedisResult, Value, cmd};

use crate::failure::{Trouble, trouble};
use crate::pipeline::{Pipeline, bytes, number, refusal, unexpected};
use crate::wire::Wire;

/// Compares here and deletes in a transaction, which the server does not do if somebody touches the key in between. 1: it
/// is deleted; -1: it holds something else than what was judged; 0: there is none. `None`: nothing was done.
pub(crate) fn delete(wire: &mut Wire, key: &[u8], judged: &[u8]) -> RedisResult<Option<i64>> {
    let mut look = Pipeline::default();
    look.add(cmd("WATCH").arg(key));
    look.add(cmd("GET").arg(key));
    let [watched, found] = exactly(look.run(wire)?)?;
    if refusal(&watched).is_some() || refusal(&found).is_some() {
        return Ok(None);
    }
    let found = bytes(found)?;
    if found.as_deref() != Some(judged) {
        wire.ask(&cmd("UNWATCH"))?;
        return Ok(Some(if found.is_some() { -1 } else { 0 }));
    }
    // Alone: outside of a transaction the next command would delete at once.
    match wire.ask(&cmd("MULTI")) {
        Ok(_) => {}
        Err(error) if trouble(&error) == Trouble::Final => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut delete = Pipeline::default();
    delete.add(cmd("DEL").arg(key));
    delete.add(&cmd("EXEC"));
    let [_queued, done] = exactly(delete.run(wire)?)?;
    match done {
        // Somebody touched it.
        Value::Nil => Ok(Some(-1)),
        Value::Array(answers) => answers.first().map_or_else(|| Err(unexpected()), number).map(Some),
        _ => Err(refusal(&done).unwrap_or_else(unexpected)),
    }
}

fn exactly<const N: usize>(answers: Vec<Value>) -> RedisResult<[Value; N]> {
    answers.try_into().map_err(|_| unexpected())
}
