//! From an SQLAlchemy URL to libpq's parameters.
