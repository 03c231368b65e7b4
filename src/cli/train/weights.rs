//! What the training rows count for: the flags.

use std::str::FromStr;

use crate::cli::list::List;
use crate::data::Encoder;
use crate::error::{Error, Result, shorten};
use crate::pipeline::ClassWeight;

#[derive(Debug, clap::Args)]
pub struct WeightArgs {
    /// Column of sample weights for training, numbers of at least 0; it is not a feature
    #[arg(long, value_name = "COLUMN")]
    weight_column: Option<String>,
    /// Weights of the classes: none, balanced (all classes count the same), or weights of some classes, with 1 for the others.
    /// Quote a label with a comma: '"a, b=2",c=1'
    #[arg(long, default_value = "none", value_name = "none|balanced|LABEL=W,…")]
    pub class_weight: ClassWeight,
}

impl FromStr for ClassWeight {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let pair = |pair: &str| {
            let (label, weight) = pair.rsplit_once('=')?;
            let weight: f64 = weight.trim().parse().ok().filter(|weight: &f64| *weight >= 0.0 && weight.is_finite())?;
            Some((label.trim().to_string(), weight))
        };
        let given = || {
            let list: List = text.parse().ok()?;
            let texts = List::texts(std::slice::from_ref(&list));
            texts.into_iter().map(pair).collect::<Option<Vec<_>>>().filter(|pairs| !pairs.is_empty())
        };
        match text {
            "none" => Ok(Self::None),
            "balanced" => Ok(Self::Balanced),
            _ => given().map(Self::Given).ok_or_else(|| Error::Setting {
                what: "--class-weight",
                found: format!("`{}`", shorten(text)),
                expected:
                    "none, balanced, or LABEL=WEIGHT separated by commas with weights of at least 0; a label with a \
                           comma in quotes: \"a, b=2\",c=1"
                        .into(),
            }),
        }
    }
}

impl WeightArgs {
    /// The column of weights: the flag's, else the one that the model to start from knows.
    pub fn column<'a>(&'a self, target: Option<&str>, known: Option<&'a Encoder>) -> Result<Option<&'a str>> {
        let name = self.weight_column.as_deref().or(known.and_then(Encoder::weight_column));
        if let Some(name) = name.filter(|_| name == target) {
            let expected = "another column than the target".into();
            return Err(Error::Setting { what: "--weight-column", found: format!("`{}`", shorten(name)), expected });
        }
        Ok(name)
    }
}
