// d[rows,outputs] = w loss'(z, y) / (rows outputs), the gradient of the mean loss over the step's rows, 0 in those behind them, and
// sums[groups,2]: each workgroup's sum of w loss(z, y) and its number of hits, at the step's ring slot, as
// shaders/shared/loss_elements.wgsl and loss_sums.wgsl have them. A workgroup takes every groups-th run of 256 elements.
struct Params {
    z: vec4<u32>,
    y: vec4<u32>,
    hyper: vec4<u32>,
    d: vec4<u32>,
    sums: vec4<u32>,
    rows: u32,
    outputs: u32,
    columns: u32,
    groups: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> z: array<f32>;
@group(0) @binding(3) var<storage, read> y: array<f32>;
@group(0) @binding(4) var<storage, read> hyper: array<f32>;
@group(0) @binding(5) var<storage, read_write> d: array<f32>;
@group(0) @binding(6) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(256)
fn loss(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let index = group.y * groups.x + group.x;
    // The last row of a folded grid may reach past the groups; the whole workgroup leaves together.
    if (index >= params.groups) {
        return;
    }
    step = records[group.z];
    let count = params.rows * params.outputs;
    let counted = min(step.rows, params.rows) * params.outputs;
    let z_base = params.z.x + group.z * params.z.y;
    var sum = vec2<f32>();
    for (var i = index * 256u + thread; i < count; i += params.groups * 256u) {
        sum += loss_of(group.z, i, z[z_base + i], counted);
    }
    record_sums(thread, group.z, index, sum);
}
