// What the first layers share that find the rows of a batch themselves: first_row .. first_row + rows of x[samples,inputs] and
// y[samples,columns], in the epoch's sample order or, IN_ORDER, in their own. line_of_left looks a row of x up in samples, and leave_a asks leaves
// and calls leave: batch_x[rows,inputs] and batch_y[rows,columns] are left for the way back and the loss.
override IN_ORDER: bool = false;
// Invocations for each row of a tile.
const LANES = THREADS / ROWS;

var<workgroup> samples: array<u32, ROWS>;
var<private> top: u32; // the tile's first row
var<private> own: u32; // number of the tile among those side by side
var<private> batch_x_at: u32;

// The samples of a tile's rows; past the last row, the last row's.
fn find_samples(thread: u32, replica: u32, tile: u32) {
    own = tile % tiles_across();
    top = tile / tiles_across() * ROWS;
    batch_x_at = params.batch_x.x + replica * params.batch_x.y;
    if (thread < ROWS) {
        samples[thread] = sample_at(step.first_row + min(top + thread, params.rows - 1u), params.samples, IN_ORDER);
    }
    workgroupBarrier();
}

// Of tiles side by side, which have the same rows, each leaves as many panels of x as any other.
fn leaves(depth: u32) -> bool {
    return depth / DEPTH % tiles_across() == own;
}

fn leave(row: u32, column: u32, values: vec4<f32>) {
    if (row < params.rows && column < params.inputs) {
        store_batch_x(batch_x_at + row * params.inputs + column, params.inputs - column, values);
    }
}

// The first of them leaves y.
fn leave_targets(thread: u32, replica: u32) {
    let row = top + thread / LANES;
    if (own > 0u || row >= params.rows) {
        return;
    }
    let sample = params.y.x + replica * params.y.y + samples[row - top] * params.columns;
    let to = params.batch_y.x + replica * params.batch_y.y + row * params.columns;
    for (var column = thread % LANES; column < params.columns; column += LANES) {
        batch_y[to + column] = y[sample + column];
    }
}
