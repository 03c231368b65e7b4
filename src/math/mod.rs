//! The exchangeable pieces of maths: activations, losses and optimiser rules, each with its
//! WGSL text and its Rust functions side by side, and the number types they work on. Knows nothing of
//! networks, buffers or devices.

mod activation;
mod alone;
mod bounded;
mod exp;
mod floats;
mod hyper;
mod loss;
mod mean;
mod optimizer;
mod precision;
mod product;
mod real;
mod small;

pub use activation::{Activation, Formula};
pub(crate) use alone::affine as affine_alone;
pub use bounded::Bounded;
pub use hyper::Hyper;
pub use loss::{Loss, Parameter, TargetDomain, predicted_class};
pub use optimizer::{Clip, Optimizer, Rule, RuleStep};
pub use precision::Precision;
pub use product::Product;
pub use real::Real;

use crate::error::{Error, Result};

/// Finds a row of a name table, for `FromStr`; the error lists what there is.
fn named<T: Copy>(what: &'static str, all: &[T], name: fn(T) -> &'static str, wanted: &str) -> Result<T> {
    all.iter().copied().find(|&row| name(row) == wanted).ok_or_else(|| Error::Setting {
        what,
        found: format!("`{wanted}`"),
        expected: all.iter().map(|&row| name(row)).collect::<Vec<_>>().join(", "),
    })
}
