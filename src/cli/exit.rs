//! What a process ends with.

use std::io::ErrorKind;

use crate::error::Error;

/// The process's exit code: 1 when a run or a check failed, 2 for wrong usage or unreadable input.
pub fn code(error: &Error) -> u8 {
    match error {
        Error::Io { source, .. } if is_exhausted(source) => 1,
        Error::NoAdapter
        | Error::HiddenAdapters { .. }
        | Error::TooLarge { .. }
        | Error::NoThread { .. }
        | Error::NoMemory { .. }
        | Error::Gpu { .. }
        | Error::DeviceLost { .. }
        | Error::Diverged { .. }
        | Error::FolderInUse { .. }
        | Error::Incomplete { .. }
        | Error::Stdout(_)
        | Error::Ranks(_, false)
        | Error::CheckFailed(_) => 1,
        _ => 2,
    }
}

/// Whether the machine has run out of something, or of leave to write: no fault of what was asked for.
fn is_exhausted(error: &std::io::Error) -> bool {
    use ErrorKind::{FileTooLarge, OutOfMemory, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    // std has no kind for descriptors that have run out: EMFILE and ENFILE, which are the same on all Unix systems.
    let descriptors = cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24));
    descriptors || matches!(error.kind(), FileTooLarge | OutOfMemory | QuotaExceeded | ReadOnlyFilesystem | StorageFull)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn what_has_run_out_is_no_wrong_usage() {
        let code = |source: io::Error| super::code(&Error::Io { action: "write the model", path: "m".into(), source });
        for kind in
            [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::ReadOnlyFilesystem, ErrorKind::FileTooLarge]
        {
            assert_eq!(code(kind.into()), 1, "{kind}");
        }
        for kind in [ErrorKind::NotFound, ErrorKind::PermissionDenied, ErrorKind::IsADirectory, ErrorKind::InvalidData]
        {
            assert_eq!(code(kind.into()), 2, "{kind}");
        }
        if cfg!(unix) {
            // EMFILE, ENFILE, ENOSPC, EROFS; ENOENT.
            assert_eq!([24, 23, 28, 30, 2].map(|number| code(io::Error::from_raw_os_error(number))), [1, 1, 1, 1, 2]);
        }
    }
}
