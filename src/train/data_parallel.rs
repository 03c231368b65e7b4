//! One network on several ranks, each with its share of the rows.

use super::trainer::{Trainer, recipe_and_shape};
use super::{Replica, TrainConfig};
use crate::backend::Device;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::plan::{ShardedPlan, Shards};
#[cfg(feature = "cli")]
use crate::ranks::Ranks;
use crate::ranks::{DataParallel, Meeting, shards_of};
use crate::spec::MlpSpec;

impl Trainer {
    /// [`data_parallel`](Self::data_parallel) for async programs.
    pub async fn data_parallel_async(
        device: &Device,
        spec: &MlpSpec,
        config: &TrainConfig,
        data: &Dataset,
        validation: Option<&Dataset>,
        parallel: &DataParallel,
    ) -> Result<Self> {
        config.check(spec)?;
        for data in [data].into_iter().chain(validation) {
            spec.check_data(data)?;
        }
        let replicas = [Replica::new(config.clone())];
        let (recipe, shape) = recipe_and_shape(spec, &replicas, data, validation.map_or(0, Dataset::rows));
        let DataParallel { ranks, shards } = parallel;
        if *shards < ranks.size() {
            let (found, expected) = (shards.to_string(), format!("at least one for each of {} ranks", ranks.size()));
            return Err(Error::Setting { what: "shards", found, expected });
        }
        let own = (Shards(*shards), shards_of(ranks.rank(), ranks.size(), *shards));
        let plan = ShardedPlan::new(config.plan, spec, &recipe, shape, device.target(), own)?;
        let backend = device.load_sharded(plan, parallel).await?;
        let mut trainer = Self::with_backend(device, backend, spec, &replicas, data, validation)?;
        // Every rank stops behind the same step, whatever it does between two.
        trainer.in_flight = 1;
        trainer.agree_async(parallel).await?;
        Ok(trainer)
    }

    /// Makes sure that all ranks are about to do the same.
    pub(crate) async fn agree_async(&mut self, parallel: &DataParallel) -> Result<()> {
        let first = self.parameters_async().await?;
        let settings = [u64::from(self.key(&first)), self.config().epochs, parallel.shards as u64, self.steps()];
        let settings = crc32fast::hash(bytemuck::cast_slice(&settings));
        let items = [("data", u64::from(self.fingerprint)), ("settings", u64::from(settings))];
        parallel.ranks.agree(Meeting::Agreement, &items)
    }

    /// Ends the common work: all ranks have to have come to the same parameters.
    #[cfg(feature = "cli")]
    pub(crate) async fn agree_at_the_end_async(&mut self, ranks: &Ranks) -> Result<()> {
        let parameters = self.parameters_async().await;
        let parameters = ranks.or_tell(Meeting::End, parameters)?;
        let checksum = crc32fast::hash(bytemuck::cast_slice(&parameters));
        ranks.agree(Meeting::End, &[("parameters", u64::from(checksum))])
    }
}
