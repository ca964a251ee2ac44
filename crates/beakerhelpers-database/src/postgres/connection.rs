//! One connection, by diesel.
