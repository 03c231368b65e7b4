//! Products of matrices, and layers made of them.

mod dense;
mod dense_backward;
mod dense_gradient;
mod dense_keep;
mod dense_way_back;
mod gather_dense;
mod gather_dense_keep;
mod matmul;
mod matrix_units;
mod panels;
mod tile;
mod tiling;

pub use dense::DENSE;
pub use dense_backward::DENSE_BACKWARD;
pub use dense_gradient::DENSE_GRADIENT;
pub use dense_keep::DENSE_KEEP;
pub use dense_way_back::DENSE_WAY_BACK;
pub use gather_dense::GATHER_DENSE;
pub use gather_dense_keep::GATHER_DENSE_KEEP;
pub use matmul::{AB, ABT, ATB, MATMUL};
pub use matrix_units::MatrixUnits;
pub use tile::{LARGE, MEDIUM, SMALL, TALL, TILES, TINY, Tile};
pub(super) use tiling::Operands;
pub use tiling::Tiling;
