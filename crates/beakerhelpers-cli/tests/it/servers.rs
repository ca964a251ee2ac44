//! Sites that are on servers, as those meet it who run them.

mod live;
mod place;
