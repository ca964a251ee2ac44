/// Somebody who may log in to every [`Server`](super::Server), with a password.
///
/// PostgreSQL asks for it by SCRAM-SHA-256, MariaDB by `mysql_native_password`, over sockets of either sort. To Redis the
/// way does not matter: it has no [`TLS_ONLY`](Self::TLS_ONLY), and [`ADMIN`](Self::ADMIN) comes over TCP, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// The name to log in with.
    pub name: &'static str,
    /// The password, as it is: not encoded for a URL.
    pub password: &'static str,
}

impl User {
    /// May do everything, over the unix socket only, in whose folder nobody else is let: whoever may do everything in a
    /// server runs programs as its account, and this password is no secret.
    pub const ADMIN: Self = Self { name: "admin", password: "all-powerful" };
    /// The application: may do everything in the databases of the tests, and owns those of PostgreSQL. Its password must
    /// be encoded in a URL.
    pub const SITE: Self = Self { name: "site", password: "p@ss:w/rd%41+ ?#&=" };
    /// May read every table of the databases of the tests, and change none.
    pub const READER: Self = Self { name: "reader", password: "only-looks" };
    /// May do what [`SITE`](Self::SITE) may, over an encrypted connection only: `hostssl`, `REQUIRE SSL`.
    pub const TLS_ONLY: Self = Self { name: "tls_only", password: "in-the-dark" };
    /// May log in and do nothing there. In MariaDB it cannot even use a database.
    pub const STRANGER: Self = Self { name: "stranger", password: "from-outside" };
    /// A replica of MariaDB, which comes over TCP. Those of PostgreSQL come over the socket.
    pub(super) const FOLLOWER: Self = Self { name: "follower", password: "keeps-up" };

    /// The same with another password, which is wrong on every server.
    #[must_use]
    pub const fn with_password(mut self, password: &'static str) -> Self {
        self.password = password;
        self
    }
}
