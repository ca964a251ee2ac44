//! All of something or nothing.

use super::client::Client;
use crate::failure::Failure;

/// Does work in a transaction that `begin` begins, and hands it what that gives. Any error undoes it.
pub(super) fn transaction<C: Client, B, T>(
    client: &mut C,
    begin: impl FnOnce(&mut C) -> Result<B, Failure>,
    work: impl FnOnce(&mut C, B) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let done = begin(client).and_then(|begun| {
        let done = work(client, begun)?;
        client.execute("COMMIT")?;
        Ok(done)
    });
    if done.is_err() && !client.is_broken() {
        // A connection that cannot even do that says that it is broken.
        let _ = client.execute("ROLLBACK");
    }
    done
}
