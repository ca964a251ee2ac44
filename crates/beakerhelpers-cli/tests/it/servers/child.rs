//! Programs that are at work while something happens to them or to their server.

use std::ops::{Deref, DerefMut};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::run::{Run, collect};
use crate::servers::place::{Place, without_passwords};

/// Whatever is waited for is there long before.
const PATIENCE: Duration = Duration::from_secs(120);

/// A program that ends with the test.
#[derive(Debug)]
pub(crate) struct Running(Option<Child>);

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        Self(Some(child.expect("the binary starts")))
    }

    pub(crate) fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(self), signal).expect("it is there");
    }

    /// Waits until something is so while it runs.
    #[track_caller]
    pub(crate) fn wait_until(&mut self, what: &str, mut is_so: impl FnMut() -> bool) {
        wait_until(what, || {
            let so = is_so();
            assert!(so || self.try_wait().expect("it is ours").is_none(), "it ended before {what}");
            so
        });
    }

    /// Stops it in the middle of its work, when it has deleted something and not everything. It goes on with `CONT`.
    #[track_caller]
    pub(crate) fn freeze_in_mid_run(&mut self, place: &Place<'_>) {
        let old = place.old();
        self.wait_until("something was deleted", || place.old() < old);
        self.send(Signal::STOP);
        assert!(place.old() > 0, "it was too fast to be stopped in the middle");
    }

    /// What came of it.
    #[track_caller]
    pub(crate) fn end(mut self) -> Run {
        without_passwords(collect(self.0.take().expect("it was not ended")))
    }
}

impl Deref for Running {
    type Target = Child;
    fn deref(&self) -> &Child {
        self.0.as_ref().expect("it was not ended")
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        self.0.as_mut().expect("it was not ended")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let patience = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < patience, "not before two minutes: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
