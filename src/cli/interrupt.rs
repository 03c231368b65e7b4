//! Signals that ask the process to end: Ctrl-C, the end of the terminal, the end of the machine. The first one is noted and
//! answered at once, and the run ends where it can; a second one ends the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use crate::ranks::Ranks;

/// SIGHUP, SIGINT and SIGTERM, which have these numbers everywhere.
const SIGNALS: [(i32, &str); 3] = [(1, "the end of the terminal (SIGHUP)"), (2, "Ctrl-C"), (15, "SIGTERM")];

/// Whether the process has been asked to end.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    seen: Arc<AtomicI32>,
    /// The ranks that end together, where there are several.
    ranks: Option<Ranks>,
}

/// The signal that asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal(i32);

impl Interrupt {
    /// Listens from now on. A signal that whoever started the process had set to be ignored, as nohup does, stays so.
    pub fn listen() -> Self {
        let interrupt = Self::default();
        let seen = interrupt.clone();
        let listening = listen(move |number| {
            let signal = Signal(number);
            if seen.seen.swap(number, Ordering::Relaxed) != 0 {
                std::process::exit(signal.exit_code().into());
            }
            eprintln!(
                "{}: finishing the steps under way, then the run ends; a second signal ends it at once",
                signal.name()
            );
        });
        if let Err(error) = listening {
            eprintln!("note: Ctrl-C will end the run without a model: {error}");
        }
        interrupt
    }

    /// The same among ranks, all of which hear a signal that comes to one: from their next meeting on.
    pub fn among(self, ranks: Option<Ranks>) -> Self {
        Self { ranks, ..self }
    }

    /// The signal that has come, if one has.
    pub fn heard(&self) -> Option<Signal> {
        let own = Some(self.seen.load(Ordering::Relaxed)).filter(|&number| number != 0);
        let Some(ranks) = &self.ranks else { return own.map(Signal) };
        own.and_then(|number| u8::try_from(number).ok()).into_iter().for_each(|number| ranks.ask_to_end(number));
        ranks.asked().map(|number| Signal(number.into()))
    }
}

impl Signal {
    /// As messages call it.
    pub fn name(self) -> &'static str {
        SIGNALS.iter().find(|(number, _)| *number == self.0).map_or("a signal", |(_, name)| name)
    }

    /// What a shell says of a process that the signal ends.
    pub fn exit_code(self) -> u8 {
        128 + self.0 as u8
    }
}

#[cfg(unix)]
fn listen(heard: impl Fn(i32) + Send + 'static) -> std::io::Result<()> {
    let numbers = SIGNALS.map(|(number, _)| number).into_iter().filter(|&number| !is_ignored(number));
    let mut signals = signal_hook::iterator::Signals::new(numbers)?;
    let listen = move || signals.forever().for_each(heard);
    std::thread::Builder::new().name("signals".into()).spawn(listen).map(|_| ())
}

#[cfg(not(unix))]
fn listen(heard: impl Fn(i32) + Send + 'static) -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(move || heard(2))
}

/// Whether the process was started with the signal ignored.
#[cfg(unix)]
#[allow(unsafe_code)]
fn is_ignored(number: i32) -> bool {
    // SAFETY: a null action only asks, and a sigaction of zeros is a value of its type.
    unsafe {
        let mut now: libc::sigaction = std::mem::zeroed();
        libc::sigaction(number, std::ptr::null(), &raw mut now) == 0 && now.sa_sigaction == libc::SIG_IGN
    }
}
