//! Many networks in one trainer, for its user: how it is made, how each ended, and what each learned.

use super::replica::{Replica, ReplicaEnd, ReplicaOutcome, check};
use super::trainer::{Trainer, plan_of};
use crate::backend::Device;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::spec::MlpSpec;

impl Trainer {
    /// [`with_replicas`](Self::with_replicas) for async programs.
    pub async fn with_replicas_async(
        device: &Device,
        spec: &MlpSpec,
        replicas: &[Replica],
        data: &Dataset,
        validation: Option<&Dataset>,
    ) -> Result<Self> {
        for data in [data].into_iter().chain(validation) {
            spec.check_data(data)?;
        }
        check(spec, replicas, data, validation)?;
        let plan = plan_of(device, spec, replicas, data, validation.map_or(0, Dataset::rows))?;
        let backend = device.load(plan).await?;
        Self::with_backend(device, backend, spec, replicas, data, validation)
    }

    /// The plan that [`with_replicas`](Self::with_replicas) would load, to know its size.
    pub(crate) fn plan_of_replicas(
        device: &Device,
        spec: &MlpSpec,
        replicas: &[Replica],
        data: &Dataset,
        validation: Option<&Dataset>,
    ) -> Result<Plan> {
        check(spec, replicas, data, validation)?;
        plan_of(device, spec, replicas, data, validation.map_or(0, Dataset::rows))
    }

    /// How many networks it trains.
    pub fn replicas(&self) -> usize {
        self.members.len()
    }

    /// What became of each replica so far.
    pub fn outcomes(&self) -> Vec<ReplicaOutcome> {
        self.members.iter().map(|member| self.outcome_of(member)).collect()
    }

    /// Ends a replica's run: the others go on, and once half of them have ended the device has only the rest to do. Its parameters are
    /// its best so far, with early stopping, else those of its last step that was submitted.
    ///
    /// # Errors
    /// [`Error::Setting`] for a replica that is not there, and for one that shares weights.
    pub fn drop_replica(&mut self, replica: usize) -> Result<()> {
        let count = self.members.len();
        let Some(member) = self.members.get_mut(replica) else {
            let expected = format!("less than {count}");
            return Err(Error::Setting { what: "replica", found: replica.to_string(), expected });
        };
        if member.replica.config.sharing > 1 {
            let expected = "1 where a replica is dropped: those that share weights end together".into();
            let found = member.replica.config.sharing.to_string();
            return Err(Error::Setting { what: "sharing", found, expected });
        }
        member.progress.end.get_or_insert(ReplicaEnd::Dropped);
        Ok(())
    }

    /// [`replica_parameters`](Self::replica_parameters) for async programs.
    pub async fn replica_parameters_async(&mut self) -> Result<Vec<Vec<f32>>> {
        let all = self.parameters_async().await?;
        Ok(all.chunks_exact(all.len() / self.members.len()).map(<[f32]>::to_vec).collect())
    }
}
