// x[rows,columns] = the rows first_row .. first_row + rows of data[samples,columns], in the epoch's
// sample order or, IN_ORDER, in their own. A workgroup takes RUN elements of x, and finds the place of each of their rows once.
override IN_ORDER: bool = false;
const RUN = 1024u;
const THREADS = 256u;

struct Params {
    data: vec4<u32>,
    x: vec4<u32>,
    rows: u32,
    columns: u32,
    samples: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> data: array<f32>;
@group(0) @binding(3) var<storage, read_write> x: array<f32>;

var<workgroup> places: array<u32, RUN>;

@compute @workgroup_size(THREADS)
fn gather(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let first = (group.y * groups.x + group.x) * RUN;
    // The last row of a folded grid may reach past the elements; the whole workgroup leaves together.
    if (first >= params.rows * params.columns) {
        return;
    }
    let end = min(first + RUN, params.rows * params.columns);
    let top = first / params.columns;
    for (var row = top + thread; row <= (end - 1u) / params.columns; row += THREADS) {
        var sample = (step.first_row + row) % params.samples;
        if (!IN_ORDER) {
            sample = permute(sample, step.key ^ mix(group.z), params.samples);
        }
        places[row - top] = params.data.x + group.z * params.data.y + sample * params.columns;
    }
    workgroupBarrier();
    let target_place = params.x.x + group.z * params.x.y;
    for (var i = first + thread; i < end; i += THREADS) {
        x[target_place + i] = data[places[i / params.columns - top] + i % params.columns];
    }
}
