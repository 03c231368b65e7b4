// A narrow last layer and a pointwise loss of it: a[rows,outputs] = x[rows,inputs] w[inputs,outputs] + bias[outputs], as
// shaders/shared/narrow_layer.wgsl has it, and d and sums as loss.wgsl has them for these outputs, but that a workgroup takes a run of blocks of
// 16 rows.
struct Params {
    x: vec4<u32>,
    w: vec4<u32>,
    bias: vec4<u32>,
    y: vec4<u32>,
    hyper: vec4<u32>,
    a: vec4<u32>,
    d: vec4<u32>,
    sums: vec4<u32>,
    rows: u32,
    outputs: u32,
    inputs: u32,
    columns: u32,
    groups: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> w: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read> y: array<f32>;
@group(0) @binding(6) var<storage, read> hyper: array<f32>;
@group(0) @binding(7) var<storage, read_write> a: array<f32>;
@group(0) @binding(8) var<storage, read_write> d: array<f32>;
@group(0) @binding(9) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(256)
fn dense_loss(
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
    let counted = min(step.rows, params.rows) * params.outputs;
    let blocks = (params.rows + 15u) / 16u;
    let run = (blocks + params.groups - 1u) / params.groups;
    let lane = thread % 16u;
    var sum = vec2<f32>();
    for (var block = index * run; block < min((index + 1u) * run, blocks); block++) {
        let z = layer_output(thread, group.z, block);
        let row = block * 16u + thread / 16u;
        if (row < params.rows && lane < params.outputs) {
            sum += loss_of(group.z, row * params.outputs + lane, z, counted);
        }
    }
    record_sums(thread, group.z, index, sum);
}
