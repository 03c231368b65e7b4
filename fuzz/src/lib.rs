//! What the targets share: a file in memory for readers that take paths, and what holds of every error.

use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Once;

use wgpu_mlp::Error;
use wgpu_mlp::data::Table;

thread_local! {
    static PLACE: OnceCell<PathBuf> = const { OnceCell::new() };
}

/// Lets this thread do rayon's work: other threads' coverage would come in any order.
pub fn one_thread() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread();
        pool.build_global().expect("rayon has no pool yet");
    });
}

/// A folder of this process. `run.sh` makes the folder for temporary files one in memory and removes it.
pub fn folder() -> PathBuf {
    PLACE.with(|place| {
        let make = || {
            let folder = std::env::temp_dir().join(format!("wgpu-mlp-fuzz-{}", std::process::id()));
            fs::create_dir_all(&folder).expect("a folder for temporary files");
            folder
        };
        place.get_or_init(make).clone()
    })
}

/// Hands a file of these parts to a reader and looks at its error: one line that names the file.
pub fn read(parts: &[&[u8]], read: impl FnOnce(&Path) -> Result<(), Error>) {
    one_thread();
    let path = folder().join("t-images");
    fs::write(&path, parts.concat()).expect("room for a file");
    check(&path, read(&path));
}

/// The same for a table.
pub fn table(parts: &[&[u8]]) {
    read(parts, |path| Table::read(path).map(drop));
}

pub fn check(path: &Path, result: Result<(), Error>) {
    if let Err(error) = result {
        let message = error.to_string();
        assert!(message.contains(&path.display().to_string()), "no file in `{message}`");
        assert_harmless(&message);
    }
}

/// No character that ends a line or that a terminal obeys.
pub fn assert_harmless(message: &str) {
    let turns =
        |char: char| matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
    assert!(!message.contains(|char: char| char.is_control() || turns(char)), "`{message:?}`");
}
