// What the first layers share that find the rows of a batch themselves: first_row .. first_row + rows of x[samples,inputs] and
// y[samples,columns], in the epoch's sample order or, IN_ORDER, in their own. line_of_left finds a row of x by samples. The way back and the loss
// need the rows too: copy_a, whose panels are those that the tile has anyway, and copy_targets leave batch_x[rows,inputs] and
// batch_y[rows,columns].
override IN_ORDER: bool = false;
// Invocations for each row of a tile.
const LANES = THREADS / ROWS;

var<workgroup> samples: array<u32, ROWS>;
var<private> top_row: u32;     // the tile's first
var<private> tile_column: u32; // the tile's number among those side by side
var<private> batch_x_at: u32;

// The samples of a tile's rows; past the last row, the last row's.
fn find_samples(thread: u32, replica: u32, tile: u32) {
    tile_column = tile % tiles_across();
    top_row = tile / tiles_across() * ROWS;
    batch_x_at = params.batch_x.x + replica * params.batch_x.y;
    if (thread < ROWS) {
        samples[thread] = sample_at(step.first_row + min(top_row + thread, params.rows - 1u), params.samples, IN_ORDER);
    }
    workgroupBarrier();
}

// Tiles side by side have the same rows, so each copies as many panels of x as any other.
fn copies_panel(depth: u32) -> bool {
    return depth / DEPTH % tiles_across() == tile_column;
}

fn copy_four(row: u32, column: u32, values: vec4<f32>) {
    if (row < params.rows && column < params.inputs) {
        store_batch_x(batch_x_at + row * params.inputs + column, params.inputs - column, values);
    }
}

// The first of them copies y.
fn copy_targets(thread: u32, replica: u32) {
    let row = top_row + thread / LANES;
    if (tile_column > 0u || row >= params.rows) {
        return;
    }
    let sample = params.y.x + replica * params.y.y + samples[row - top_row] * params.columns;
    let to = params.batch_y.x + replica * params.batch_y.y + row * params.columns;
    for (var column = thread % LANES; column < params.columns; column += LANES) {
        batch_y[to + column] = y[sample + column];
    }
}
