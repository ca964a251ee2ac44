//! What the store does with files.

mod conformance;
