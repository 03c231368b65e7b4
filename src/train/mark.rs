//! Which data sets a run is on.

use crc32fast::Hasher;

use crate::data::Dataset;

/// CRC-32 of a data set and its bytes: enough to tell that of several, one behind the other.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    crc: u32,
    bytes: u64,
}

impl Mark {
    pub fn of(data: &Dataset) -> Self {
        let values = data.features().len() + data.targets().len() + data.weightings() * data.rows();
        Self { crc: data.checksum(), bytes: values as u64 * 4 }
    }

    /// CRC-32 of this one and another behind it.
    pub fn then(self, other: Self) -> u32 {
        let mut hasher = Hasher::new_with_initial_len(self.crc, self.bytes);
        hasher.combine(&Hasher::new_with_initial_len(other.crc, other.bytes));
        hasher.finalize()
    }
}
