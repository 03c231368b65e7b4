// What changes from one step of a replica to the next.
struct Step {
    slot: u32,           // place of the step in its submission, and of its losses in the ring
    first_row: u32,      // position of the batch's first row in the epoch's sample order
    key: u32,            // key of the epoch's sample order
    mask_key: u32,       // key of the step's dropout masks
    lr_factor: f32,      // factor on the learning rate
    correction_1: f32,   // 1 / (1 - beta1^t) of step t, counted from 1
    correction_2: f32,   // 1 / (1 - beta2^t)
    rows: u32,           // of the batch; a replica leaves out a step with none
    fold_first: u32,     // rows of the data that the sample order passes over: the first and their number
    fold_rows: u32,
    dropout: f32,        // factor on the layers' thresholds of dropout
    weighting: u32,      // which of the rows' weights counts
}

// The slot of the record that ends the steps of a dispatch.
const LAST = 0xffffffffu;

// The finaliser of MurmurHash3.
fn mix(word: u32) -> u32 {
    var h = word;
    h = (h ^ (h >> 16u)) * 0x85ebca6bu;
    h = (h ^ (h >> 13u)) * 0xc2b2ae35u;
    return h ^ (h >> 16u);
}
