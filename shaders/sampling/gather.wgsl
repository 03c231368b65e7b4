// batch_x[rows,inputs] and batch_y[rows,columns] = the rows first_row .. first_row + rows of x[samples,inputs] and y[samples,columns], in
// the epoch's sample order or, IN_ORDER, in their own. A workgroup takes RUN elements of either, and finds the place of each of their rows
// once.
override IN_ORDER: bool = false;
const RUN = 1024u;
const THREADS = 256u;
const EACH = RUN / THREADS;

struct Params {
    x: vec4<u32>,
    y: vec4<u32>,
    batch_x: vec4<u32>,
    batch_y: vec4<u32>,
    rows: u32,
    samples: u32,
    inputs: u32,
    columns: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> batch_x: array<f32>;
@group(0) @binding(5) var<storage, read_write> batch_y: array<f32>;

var<workgroup> samples: array<u32, RUN>;

@compute @workgroup_size(THREADS)
fn gather(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    step = records[group.z];
    let index = group.y * groups.x + group.x;
    let of_x = (params.rows * params.inputs + RUN - 1u) / RUN;
    let takes_x = index < of_x;
    let width = select(params.columns, params.inputs, takes_x);
    let first = select(index - of_x, index, takes_x) * RUN;
    // The last row of a folded grid may reach past the elements; the whole workgroup leaves together.
    if (first >= params.rows * width) {
        return;
    }
    let end = min(first + RUN, params.rows * width);
    let top = first / width;
    let last = (end - 1u) / width;
    for (var row = top + thread; row <= last; row += THREADS) {
        samples[row - top] = sample_at(step.first_row + row, params.samples, IN_ORDER);
    }
    workgroupBarrier();
    // Where each of an invocation's elements comes from, past the end the last row's: all four are under way together.
    var row = (first + thread) / width;
    var column = (first + thread) % width;
    var source = vec4<u32>();
    for (var k = 0u; k < EACH; k++) {
        source[k] = samples[min(row, last) - top] * width + column;
        // The quotients are the same for all: a division for each element would take longer than the copy.
        column += THREADS % width;
        row += THREADS / width + select(0u, 1u, column >= width);
        column -= select(0u, width, column >= width);
    }
    let from_x = params.x.x + group.z * params.x.y + source;
    let from_y = params.y.x + group.z * params.y.y + source;
    var values = vec4<f32>();
    if (takes_x) {
        values = vec4<f32>(x[from_x.x], x[from_x.y], x[from_x.z], x[from_x.w]);
    } else {
        values = vec4<f32>(y[from_y.x], y[from_y.y], y[from_y.z], y[from_y.w]);
    }
    let to_x = params.batch_x.x + group.z * params.batch_x.y;
    let to_y = params.batch_y.x + group.z * params.batch_y.y;
    for (var k = 0u; k < EACH; k++) {
        let i = first + thread + k * THREADS;
        if (i < end && takes_x) {
            batch_x[to_x + i] = values[k];
        } else if (i < end) {
            batch_y[to_y + i] = values[k];
        }
    }
}
