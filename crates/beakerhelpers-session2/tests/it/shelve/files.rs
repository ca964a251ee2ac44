//! What becomes of the files of a shelve.
