//! WGSL that stands in front of several kernels: `shaders/shared/`.

use crate::wgsl::wgsl;

/// The step's record, put in front of the kernels that read it.
pub const STEP_WGSL: &str = wgsl!("shared/step.wgsl");
/// Masks of dropout.
pub const MASK_WGSL: &str = wgsl!("shared/mask.wgsl");
/// The sample order of an epoch.
pub const ORDER_WGSL: &str = wgsl!("shared/order.wgsl");
/// Sums of gradients that several workgroups have made.
pub const PARTIALS_WGSL: &str = wgsl!("shared/partials.wgsl");
/// What losses have in common.
pub const LOSSES_WGSL: &str = wgsl!("shared/losses.wgsl");
/// What kernels of losses leave in the ring.
pub const LOSS_SUMS_WGSL: &str = wgsl!("shared/loss_sums.wgsl");
/// An element of a pointwise loss.
pub const LOSS_ELEMENTS_WGSL: &str = wgsl!("shared/loss_elements.wgsl");
/// Softmax cross entropy of blocks of rows.
pub const SOFTMAX_BLOCKS_WGSL: &str = wgsl!("shared/softmax_blocks.wgsl");
/// A narrow layer by blocks of rows.
pub const NARROW_LAYER_WGSL: &str = wgsl!("shared/narrow_layer.wgsl");
/// What the kernels that apply an optimiser's rule have in common.
pub const RULES_WGSL: &str = wgsl!("shared/rules.wgsl");
/// The loop of the products.
pub const PRODUCT_WGSL: &str = wgsl!("shared/product.wgsl");
/// The same on matrix units.
pub const MATRIX_UNITS_WGSL: &str = wgsl!("shared/matrix_units.wgsl");
/// The loop of a tile on them, with marks where its sums, its products and its end are written.
pub const MATRIX_UNITS_TILE_WGSL: &str = wgsl!("shared/matrix_units_tile.wgsl");
/// A tile of a layer.
pub const LAYER_WGSL: &str = wgsl!("shared/layer.wgsl");
/// What becomes of its sums.
pub const LAYER_EPILOGUE_WGSL: &str = wgsl!("shared/layer_epilogue.wgsl");
/// The same where z is kept.
pub const LAYER_KEEP_EPILOGUE_WGSL: &str = wgsl!("shared/layer_keep_epilogue.wgsl");
/// The rows of a mini-batch, for the layer that takes them.
pub const GATHERED_WGSL: &str = wgsl!("shared/gathered.wgsl");
/// The end of a product on the way back to a layer.
pub const SLOPED_WGSL: &str = wgsl!("shared/sloped.wgsl");
/// A tile of a share of a layer's gradient.
pub const GRADIENT_SHARE_WGSL: &str = wgsl!("shared/gradient_share.wgsl");
/// A block of rows on its way through a small network.
pub const BLOCK_WGSL: &str = wgsl!("shared/block.wgsl");
/// And back.
pub const WAY_BACK_WGSL: &str = wgsl!("shared/way_back.wgsl");
/// The loss of a small network, pointwise.
pub const POINTWISE_WGSL: &str = wgsl!("shared/pointwise.wgsl");
/// The loss of a small network, by softmax.
pub const SOFTMAX_WGSL: &str = wgsl!("shared/softmax.wgsl");
