// What the kernels share that make a layer: z = x[rows,inputs] w[inputs,outputs] + bias[outputs] in tiles, as product.wgsl beside it has them.
const A_BY_DEPTH = false;
const B_BY_DEPTH = true;
const COLUMN_SUMS = false;

fn start(replica: u32, column: u32) -> vec4<f32> {
    if (column >= params.outputs) {
        return vec4<f32>();
    }
    return load_bias(params.bias.x + replica * params.bias.y + column, params.outputs - column);
}

// Tiles side by side.
fn tiles_across() -> u32 {
    return (params.outputs + COLUMNS - 1u) / COLUMNS;
}

fn is_tile(index: u32) -> bool {
    return index < (params.rows + ROWS - 1u) / ROWS * tiles_across();
}

fn make_layer(thread: u32, replica: u32, tile: u32) {
    let x = Matrix(params.x.x + replica * params.x.y, params.rows, params.inputs);
    let w = Matrix(params.w.x + replica * params.w.y, params.inputs, params.outputs);
    let across = tiles_across();
    make_tile(thread, replica, x, w, tile / across * ROWS, tile % across * COLUMNS, 0u, params.inputs);
}
