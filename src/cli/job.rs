//! A job of several processes, as `mpirun` starts it: this process is one of its ranks. Rank 0 tells and writes; the others are silent.

#[cfg(feature = "mpi")]
use super::exit;
#[cfg(feature = "mpi")]
use super::output;
use crate::error::{Error, Result};
use crate::ranks::Ranks;
#[cfg(feature = "mpi")]
use crate::ranks::{Meeting, Session};

/// Where Open MPI and MPICH, or a batch system in their place, say how many processes there are.
const SIZES: [&str; 2] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"];

/// The job that this process is a rank of.
pub struct Job {
    ranks: Ranks,
    // Dropped last.
    #[cfg(feature = "mpi")]
    session: Session,
}

impl Job {
    /// The ranks.
    pub fn ranks(&self) -> &Ranks {
        &self.ranks
    }

    /// Joins the job where `mpirun` has started several processes. `what` they do needs the feature `mpi`.
    pub fn of_mpirun(what: &'static str) -> Result<Option<Self>> {
        let sizes = SIZES.iter().filter_map(|name| std::env::var(name).ok()?.parse::<usize>().ok());
        if sizes.max().unwrap_or(1) > 1 { Self::join(what).map(Some) } else { Ok(None) }
    }
}

#[cfg(feature = "mpi")]
impl Job {
    /// Joins the job. A rank other than 0 is silent from then on.
    pub fn join(_what: &'static str) -> Result<Self> {
        let (session, mpi) = Session::begin()?;
        let ranks = Ranks::with_judge(mpi, |error| exit::code(error) == 2);
        if ranks.rank() > 0 {
            output::silence();
        }
        let program = ranks.or_tell(Meeting::Agreement, program())?;
        let version = crc32fast::hash(env!("CARGO_PKG_VERSION").as_bytes());
        ranks.agree(Meeting::Agreement, &[("version of mlp", version.into()), ("program", program.into())])?;
        Ok(Self { ranks, session })
    }

    /// Leaves the job together with all ranks. The exit code of rank 0 is the job's. Others end well, since `mpirun` ends all, and might
    /// end rank 0 before it has told why, as soon as one does not.
    pub fn leave(self, ended: Result<u8>) -> Result<u8> {
        let ended = self.ranks.end(ended);
        drop(self.session);
        if self.ranks.rank() == 0 { ended } else { Ok(0) }
    }
}

/// The checksum of the program's file.
#[cfg(feature = "mpi")]
fn program() -> Result<u32> {
    let path = std::env::current_exe().map_err(Error::io("find the program's file", "mlp"))?;
    let bytes = std::fs::read(&path).map_err(Error::io("read the program's file", &path))?;
    Ok(crc32fast::hash(&bytes))
}

#[cfg(not(feature = "mpi"))]
impl Job {
    /// Refuses: this build has no ranks.
    pub fn join(what: &'static str) -> Result<Self> {
        Err(Error::MissingFeature { what, feature: "mpi" })
    }

    /// Nothing has been joined.
    pub fn leave(self, ended: Result<u8>) -> Result<u8> {
        ended
    }
}
