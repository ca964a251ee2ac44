//! The releases of Beaker.

/// The releases of Beaker that run on the Pythons of today, in their order.
pub const RELEASES: [&str; 9] =
    ["1.9.1", "1.10.0", "1.10.1", "1.11.0", "1.12.0", "1.12.1", "1.13.0", "1.14.0", CURRENT_RELEASE];

/// The newest of the [`RELEASES`].
pub const CURRENT_RELEASE: &str = "1.14.1";

/// Those of the older [`RELEASES`] that differ most: 1.9.1 is the first, 1.11.0 the last that stores a session as a plain
/// dict, 1.12.1 stores base64, and after 1.13.0 another library encrypts.
pub const OLDER_RELEASES: [&str; 4] = ["1.9.1", "1.11.0", "1.12.1", "1.13.0"];
