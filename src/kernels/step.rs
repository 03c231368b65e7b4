//! What changes from one training step to the next.

/// What changes from one step of a replica to the next. The default is a step of all rows of its pass, in the order of the key 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Place of the step in its submission, and of its losses in the ring. A backend fills it in.
    pub slot: u32,
    /// Rows of the batch, at most those of the step's pass, whose number a backend puts in the place of a larger one. The replica
    /// leaves out a step without rows: neither its parameters nor its slot of the ring change.
    pub rows: u32,
    /// Position of the batch's first row in the epoch's sample order.
    pub first_row: u32,
    /// Key of the epoch's sample order.
    pub key: u32,
    /// Key of the step's dropout masks.
    pub mask_key: u32,
    /// Factor on the learning rate.
    pub lr_factor: f64,
    /// What [`crate::math::Optimizer::bias_corrections`] gives for the step.
    pub bias_corrections: [f64; 2],
    /// First row and number of rows of the data set that the sample order passes over: a fold that is held out.
    pub fold: [u32; 2],
    /// Factor on the layers' dropout rates.
    pub dropout: f64,
    /// Which of the rows' sample weights counts, from 0.
    pub weighting: u32,
}

impl Default for Step {
    fn default() -> Self {
        Self {
            slot: 0,
            rows: u32::MAX,
            first_row: 0,
            key: 0,
            mask_key: 0,
            lr_factor: 0.0,
            bias_corrections: [0.0; 2],
            fold: [0; 2],
            dropout: 1.0,
            weighting: 0,
        }
    }
}

/// Most records that a dispatch sees, and so most replicas on a GPU: as many as fit 64 KiB, which every device of WebGPU binds as a uniform.
pub const MAX_RECORDS: usize = (64 << 10) / size_of::<StepRecord>();

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
    fold: [u32; 2],
    dropout: f32,
    weighting: u32,
}

impl StepRecord {
    /// Ends the steps that one dispatch takes.
    pub const END: Self = Self {
        slot: u32::MAX,
        first_row: 0,
        key: 0,
        mask_key: 0,
        lr_factor: 0.0,
        bias_corrections: [0.0; 2],
        rows: 0,
        fold: [0; 2],
        dropout: 0.0,
        weighting: 0,
    };
}

impl From<Step> for StepRecord {
    fn from(step: Step) -> Self {
        let Step { slot, rows, first_row, key, mask_key, lr_factor, bias_corrections, fold, dropout, weighting } = step;
        let bias_corrections = bias_corrections.map(|value| value as f32);
        let (lr_factor, dropout) = (lr_factor as f32, dropout as f32);
        Self { slot, first_row, key, mask_key, lr_factor, bias_corrections, rows, fold, dropout, weighting }
    }
}
