// a[rows,outputs] = x[rows,inputs] w[inputs,outputs] + bias[outputs] of a layer of at most 16 outputs: in blocks of 16 rows, an invocation an
// element. 64 inputs at a time go through workgroup memory, four of them in a vector. Sums ascend.
// Vectors of a row, or of an output: an odd number, so that those of neighbours lie in different banks.
const PITCH = 17u;

var<workgroup> rows_panel: array<vec4<f32>, 16u * PITCH>;
var<workgroup> outputs_panel: array<vec4<f32>, 16u * PITCH>;

// The invocation's element of a block, which it leaves in a; anything where there is none.
fn layer_output(thread: u32, replica: u32, block: u32) -> f32 {
    let line = thread / 16u;
    let lane = thread % 16u;
    let row = block * 16u + line;
    let output = min(lane, params.outputs - 1u);
    let x_row = params.x.x + replica * params.x.y + min(row, params.rows - 1u) * params.inputs;
    let w_column = params.w.x + replica * params.w.y + output;
    var sum = bias[params.bias.x + replica * params.bias.y + output];
    for (var first = 0u; first < params.inputs; first += 64u) {
        // Past the end the last input again; of x it counts as 0.
        let of_row = first + 4u * lane + vec4<u32>(0u, 1u, 2u, 3u);
        let of_output = first + 4u * line + vec4<u32>(0u, 1u, 2u, 3u);
        let x_at = x_row + min(of_row, vec4<u32>(params.inputs - 1u));
        let w_at = w_column + min(of_output, vec4<u32>(params.inputs - 1u)) * params.outputs;
        let inputs = vec4<f32>(x[x_at.x], x[x_at.y], x[x_at.z], x[x_at.w]);
        let weights = vec4<f32>(w[w_at.x], w[w_at.y], w[w_at.z], w[w_at.w]);
        workgroupBarrier(); // the inputs before have been read
        rows_panel[line * PITCH + lane] = select(vec4<f32>(), inputs, of_row < vec4<u32>(params.inputs));
        outputs_panel[lane * PITCH + line] = weights;
        workgroupBarrier();
        for (var four = 0u; four < 16u; four++) {
            let values = rows_panel[line * PITCH + four];
            let factors = outputs_panel[lane * PITCH + four];
            sum = fma(values.w, factors.w, fma(values.z, factors.z, fma(values.y, factors.y, fma(values.x, factors.x, sum))));
        }
    }
    if (row < params.rows && lane < params.outputs) {
        a[params.a.x + replica * params.a.y + row * params.outputs + lane] = sum;
    }
    return sum;
}
