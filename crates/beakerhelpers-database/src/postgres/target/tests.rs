use beakerhelpers_core::ErrorKind;

use super::*;

fn target(url: &str) -> Result<PgTarget> {
    PgTarget::new(&DatabaseUrl::parse(url).expect("it is a URL"))
}
