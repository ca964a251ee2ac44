//! The masters of a cluster.

use redis::cluster::{ClusterClient, ClusterConnection};
use redis::{Connection, RedisError, RedisResult, Value, cmd};

use crate::connection::{connect, info};
use crate::failure::{Trouble, trouble};
use crate::pipeline::unexpected;
use crate::place::{Address, Place};
use crate::server::Server;

/// A connection that finds the node of each key, and follows keys that move.
pub(crate) fn connect_to_all(server: &Server) -> RedisResult<ClusterConnection> {
    let Server { place, wait, .. } = server;
    // The client would hide why nobody lets it in, or that it may not ask for what it needs, and ask every node.
    first_node(server, |connection, own| {
        cmd("PING").query::<Value>(connection)?;
        ask(connection, own)
    })?;
    let nodes = place.addresses.iter().map(|address| info(place, address)).collect::<RedisResult<Vec<_>>>()?;
    let client = ClusterClient::builder(nodes).connection_timeout(*wait).response_timeout(*wait).retries(5);
    let connection = encrypted(client, place).build()?.get_connection()?;
    connection.set_read_timeout(Some(*wait))?;
    connection.set_write_timeout(Some(*wait))?;
    Ok(connection)
}

#[cfg(feature = "tls")]
fn encrypted(client: redis::cluster::ClusterClientBuilder, place: &Place) -> redis::cluster::ClusterClientBuilder {
    let Some(tls) = &place.tls else { return client };
    let mode = if tls.trusts_all { redis::cluster::TlsMode::Insecure } else { redis::cluster::TlsMode::Secure };
    let client = client.tls(mode).danger_accept_invalid_hostnames(tls.ignores_names);
    client.certs(crate::connection::certificates(tls))
}

#[cfg(not(feature = "tls"))]
const fn encrypted(client: redis::cluster::ClusterClientBuilder, _: &Place) -> redis::cluster::ClusterClientBuilder {
    client
}

/// The addresses of all masters, as the first node tells that can be reached.
pub(crate) fn masters(server: &Server) -> RedisResult<Vec<Address>> {
    first_node(server, ask)
}

/// Asks the first node that can be reached. What one refuses the others refuse, too.
fn first_node<T>(server: &Server, mut ask: impl FnMut(&mut Connection, &Address) -> RedisResult<T>) -> RedisResult<T> {
    let mut last = RedisError::from((redis::ErrorKind::ClusterConnectionNotFound, "no node is configured"));
    for address in &server.place.addresses {
        let asked = info(&server.place, address).and_then(|info| connect(&info, server.wait));
        match asked.and_then(|mut connection| ask(&mut connection, address)) {
            Err(error) if trouble(&error) != Trouble::Final => last = error,
            done => return done,
        }
    }
    Err(last)
}

fn ask(connection: &mut Connection, own: &Address) -> RedisResult<Vec<Address>> {
    let slots: Value = cmd("CLUSTER").arg("SLOTS").query(connection)?;
    let Value::Array(ranges) = slots else { return Err(unexpected()) };
    let mut masters = Vec::new();
    for range in ranges {
        let address = master(range, own).ok_or_else(unexpected)?;
        if !masters.contains(&address) {
            masters.push(address);
        }
    }
    if masters.is_empty() {
        return Err((redis::ErrorKind::Server(redis::ServerErrorKind::ClusterDown), "no node has any slots").into());
    }
    Ok(masters)
}

/// The master of a range: `[first, last, [host, port, …], replicas…]`.
fn master(range: Value, own: &Address) -> Option<Address> {
    let Value::Array(parts) = range else { return None };
    let Value::Array(node) = parts.into_iter().nth(2)? else { return None };
    let mut node = node.into_iter();
    let (host, port) = (node.next()?, node.next()?);
    let Value::Int(port) = port else { return None };
    let host = match host {
        Value::BulkString(host) => String::from_utf8(host).ok()?,
        Value::Nil => String::new(),
        _ => return None,
    };
    let Address::Tcp(own, _) = own else { return None };
    // A node that does not know its own host means the one that was asked.
    let host = if host.is_empty() || host == "?" { own.clone() } else { host };
    Some(Address::Tcp(host, u16::try_from(port).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_masters_of_ranges_are_found_and_nothing_else() {
        let own = Address::Tcp("seed".to_owned(), 1);
        let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let range = |node| Value::Array(vec![Value::Int(0), Value::Int(9), node]);
        let node = |host, port| range(Value::Array(vec![host, Value::Int(port)]));
        assert_eq!(master(node(text("a"), 7), &own), Some(Address::Tcp("a".to_owned(), 7)));
        for unknown in [text(""), text("?"), Value::Nil] {
            assert_eq!(master(node(unknown, 7), &own), Some(Address::Tcp("seed".to_owned(), 7)));
        }
        for odd in
            [Value::Nil, Value::Array(vec![]), range(Value::Nil), range(Value::Array(vec![])), node(text("a"), -1)]
        {
            assert_eq!(master(odd, &own), None);
        }
    }
}
