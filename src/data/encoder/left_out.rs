//! Columns that the network does not see, since the training rows say nothing about them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::shorten;

/// A column that is not an input. Later tables may have it or not, whatever it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The column's name.
    pub name: String,
    /// Why it is none.
    #[serde(flatten)]
    pub why: Why,
}

/// Why a column is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "lowercase")]
pub enum Why {
    /// All cells that are there are the same: nothing would train the weight that a new value meets.
    Constant {
        /// What they are; none where all are missing.
        value: Option<String>,
    },
    /// All of its categories are rare.
    Rare {
        /// How many there are.
        categories: usize,
    },
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant { value: Some(value) } => write!(f, "`{}` in all training rows", shorten(value)),
            Self::Constant { value: None } => f.write_str("missing in all training rows"),
            Self::Rare { categories } => write!(f, "{categories} categories, all of them rare"),
        }
    }
}
