//! Decodes payloads, and prints how much memory that takes at most, as a multiple of the payload: `memory FILE`.
//!
//! A decoder and a session of its own for each, so that all of their memory counts. The allocator does the counting.

mod payload_file;

use std::env;
use std::error::Error;
use std::io::{self, Write as _};

use beakerhelpers_codec::{Decoded, Decoder};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

#[expect(clippy::cast_precision_loss, reason = "no payload has so many bytes")]
fn main() -> Result<(), Box<dyn Error>> {
    let file = env::args().nth(1).ok_or("memory FILE")?;
    let mut most = 0_f64;
    for payload in payload_file::read(&file)? {
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let decoded = Decoder::new().decode(&payload)?;
        let taken = MEMORY.peak_usage() - before;
        if !matches!(decoded, Decoded::Session(_)) {
            return Err("a payload holds no session".into());
        }
        most = most.max(taken as f64 / payload.bytes().len() as f64);
    }
    writeln!(io::stdout(), "{most}")?;
    Ok(())
}
