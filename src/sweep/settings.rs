//! A trial's settings in JSON: an object, in the order of the space.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serializer};

/// Names and texts as an object.
pub fn as_map<S: Serializer>(settings: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(settings.iter().map(|(name, value)| (name, value)))
}

/// The same read back, in the order of the names.
pub fn from_map<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, String)>, D::Error> {
    BTreeMap::deserialize(deserializer).map(|settings| settings.into_iter().collect())
}
