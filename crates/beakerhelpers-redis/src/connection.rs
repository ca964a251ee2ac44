//! Connecting.

use std::time::Duration;

use beakerhelpers_core::{Error, Result};
use redis::{Client, Connection, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, RedisResult};

use crate::place::{Address, Place, Tls};

/// How to connect to an address of a place.
pub(crate) fn info(place: &Place, address: &Address) -> RedisResult<ConnectionInfo> {
    let mut login = RedisConnectionInfo::default().set_db(place.database).set_skip_set_lib_name();
    if let Some(username) = &place.username {
        login = login.set_username(username);
    }
    if let Some(password) = &place.password {
        login = login.set_password(password);
    }
    let address = match (address, &place.tls) {
        (Address::Unix(path), _) => ConnectionAddr::Unix(path.clone()),
        (Address::Tcp(host, port), None) => ConnectionAddr::Tcp(host.clone(), *port),
        (Address::Tcp(host, port), Some(tls)) => encrypted(host, *port, tls)?,
    };
    Ok(address.into_connection_info()?.set_redis_settings(login))
}

/// Connects within some time, which each read and each write may then take, too.
pub(crate) fn connect(info: &ConnectionInfo, wait: Duration) -> RedisResult<Connection> {
    let connection = Client::open(info.clone())?.get_connection_with_timeout(wait)?;
    connection.set_read_timeout(Some(wait))?;
    connection.set_write_timeout(Some(wait))?;
    Ok(connection)
}

/// Makes sure that this build can do what the place asks for.
pub(crate) fn check(place: &Place) -> Result<()> {
    if place.tls.is_some() && !cfg!(feature = "tls") {
        return Err(Error::unsupported("this build cannot encrypt connections to Redis")
            .with_context("at", place.origin.as_str())
            .with_hint("build it with the feature `tls` of `beakerhelpers-redis`"));
    }
    Ok(())
}

#[cfg(feature = "tls")]
fn encrypted(host: &str, port: u16, tls: &Tls) -> RedisResult<ConnectionAddr> {
    // Whoever chose another one first is right, too.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let address = ConnectionAddr::TcpTls { host: host.to_owned(), port, insecure: tls.trusts_all, tls_params: None };
    let client = Client::build_with_tls(address, certificates(tls))?;
    let mut address = client.get_connection_info().addr().clone();
    address.set_danger_accept_invalid_hostnames(tls.ignores_names);
    Ok(address)
}

#[cfg(feature = "tls")]
pub(crate) fn certificates(tls: &Tls) -> redis::TlsCertificates {
    let identity = tls.identity.clone();
    redis::TlsCertificates {
        client_tls: identity.map(|(client_cert, client_key)| redis::ClientTlsConfig { client_cert, client_key }),
        root_cert: tls.authorities.clone(),
    }
}

#[cfg(not(feature = "tls"))]
fn encrypted(_host: &str, _port: u16, _tls: &Tls) -> RedisResult<ConnectionAddr> {
    Err((redis::ErrorKind::InvalidClientConfig, "this build cannot encrypt connections").into())
}
