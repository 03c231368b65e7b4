//! What changes from one training step to the next.

/// What changes from one step to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Step {
    /// Place of the step in its submission, and of its losses in the ring. A backend fills it in.
    pub slot: u32,
    /// Rows of the batch: those of the step's pass. A backend fills it in.
    pub rows: u32,
    /// Position of the batch's first row in the epoch's sample order.
    pub first_row: u32,
    /// Key of the epoch's sample order.
    pub key: u32,
    /// Key of the step's dropout masks.
    pub mask_key: u32,
    /// Factor on every replica's learning rate.
    pub lr_factor: f64,
    /// What [`crate::math::Optimizer::bias_corrections`] gives for the step.
    pub bias_corrections: [f64; 2],
}

/// [`Step`] as shaders see it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, bytemuck::Pod, bytemuck::Zeroable)]
pub struct StepRecord {
    slot: u32,
    first_row: u32,
    key: u32,
    mask_key: u32,
    lr_factor: f32,
    bias_corrections: [f32; 2],
    rows: u32,
}

impl From<Step> for StepRecord {
    fn from(step: Step) -> Self {
        let Step { slot, rows, first_row, key, mask_key, lr_factor, bias_corrections } = step;
        let bias_corrections = bias_corrections.map(|value| value as f32);
        Self { slot, first_row, key, mask_key, lr_factor: lr_factor as f32, bias_corrections, rows }
    }
}
