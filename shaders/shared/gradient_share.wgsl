// A tile of a share of the gradient by a layer's weight, x[rows,inputs]ᵀ d[rows,outputs]: share i takes the i-th of equal runs of rows and
// stands at g[i stride ..]. The first row of tiles adds up d's columns too, the bias's gradient, which stands behind the weight's as one row more.
var<private> share: u32;

fn store_share(replica: u32, row: u32, column: u32, values: vec4<f32>) {
    if (row < params.inputs && column < params.outputs) {
        let at = params.g.x + replica * params.g.y + share * params.stride + row * params.outputs + column;
        store_g(at, params.outputs - column, values);
    }
}

fn tiles_of_a_share() -> u32 {
    return (params.inputs + ROWS - 1u) / ROWS * ((params.outputs + COLUMNS - 1u) / COLUMNS);
}

// Tile `index`, counted through one share after the other.
fn make_share(thread: u32, replica: u32, index: u32) {
    let columns = (params.outputs + COLUMNS - 1u) / COLUMNS;
    let tiles = tiles_of_a_share();
    let number = index / tiles;
    share = number;
    let tile = index % tiles;
    let run = (params.rows + params.groups - 1u) / params.groups;
    let end = min((number + 1u) * run, params.rows);
    let x = Matrix(params.x.x + replica * params.x.y, end, params.inputs);
    let d = Matrix(params.d.x + replica * params.d.y, end, params.outputs);
    let column = tile % columns * COLUMNS;
    make_tile(thread, replica, x, d, tile / columns * ROWS, column, number * run, end);
    if (tile < columns && thread < B_QUADS) {
        let place = column + thread * 4u;
        if (place < params.outputs) {
            let at = params.g.x + replica * params.g.y + number * params.stride + params.inputs * params.outputs + place;
            store_g(at, params.outputs - place, column_sum);
        }
    }
}
