//! The keys of one master.

use std::sync::Arc;

use beakerhelpers_core::Result;
use redis::{RedisError, RedisResult, Value, cmd};

use crate::keys::PATTERN;
use crate::node::Node;
use crate::pipeline::{bytes, refusal, unexpected};
use crate::place::Address;
use crate::seen::Seen;
use crate::server::Server;

/// So many keys the server looks at in one `SCAN`: a fraction of a millisecond.
const COUNT: usize = 512;

/// Walks over the keys by `SCAN`. It gives each key that is there all the time once at least, whatever happens meanwhile,
/// and keeps nothing on the server. The server looks for the next keys while these are worked on.
pub(super) struct Scan {
    node: Node,
    /// Where to go on; `None` at the end.
    cursor: Option<Vec<u8>>,
    /// Whether the server is asked already.
    is_asked: bool,
}

impl Scan {
    pub(super) fn open(server: &Arc<Server>, address: &Address) -> Result<Self> {
        let node = Node::open(server, address)?;
        Ok(Self { node, cursor: Some(b"0".to_vec()), is_asked: false })
    }

    pub(super) fn node(&self) -> &Node {
        &self.node
    }

    /// The next keys, each once; none where a part of the server has none. `None` is the end.
    pub(super) fn next(&mut self, seen: &mut Seen) -> Result<Option<Vec<Vec<u8>>>> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let is_asked = &mut self.is_asked;
        let (next, mut keys) = self.node.run(|wire| {
            // A connection that was made anew has been asked for nothing.
            if !std::mem::take(is_asked) {
                wire.send(&packed(cursor))?;
            }
            let (next, keys) = read(wire.answer()?)?;
            if let Some(next) = &next {
                wire.send(&packed(next))?;
            }
            Ok((next, keys))
        })?;
        self.is_asked = next.is_some();
        self.cursor = next;
        keys.retain(|key| seen.is_new(key));
        Ok(Some(keys))
    }
}

fn packed(cursor: &[u8]) -> Vec<u8> {
    cmd("SCAN").arg(cursor).arg("MATCH").arg(PATTERN).arg("COUNT").arg(COUNT).get_packed_command()
}

/// Where to go on, and the keys until there.
type Scanned = (Option<Vec<u8>>, Vec<Vec<u8>>);

fn read(answer: Value) -> RedisResult<Scanned> {
    if let Some(error) = refusal(&answer) {
        return Err(error);
    }
    let parts: Result<[Value; 2], RedisError> = match answer {
        Value::Array(parts) => parts.try_into().map_err(|_| unexpected()),
        _ => Err(unexpected()),
    };
    let [cursor, Value::Array(keys)] = parts? else { return Err(unexpected()) };
    let cursor = bytes(cursor)?.ok_or_else(unexpected)?;
    let keys = keys.into_iter().map(|key| bytes(key)?.ok_or_else(unexpected)).collect::<RedisResult<_>>()?;
    Ok(((cursor != b"0").then_some(cursor), keys))
}
