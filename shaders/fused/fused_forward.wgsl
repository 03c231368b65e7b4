// a[rows,outputs], the outputs of a small network for x[rows,inputs]: its whole forward pass in one dispatch, as
// shaders/shared/block.wgsl has it. A workgroup takes every groups-th block, with the parameters that it holds.
struct Params {
    x: vec4<u32>,
    p: vec4<u32>,
    a: vec4<u32>,
    rows: u32,
    inputs: u32,
    outputs: u32,
    parameters: u32,
    block: u32,
    groups: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> p: array<f32>;
@group(0) @binding(4) var<storage, read_write> a: array<f32>;

@compute @workgroup_size(128)
fn fused_forward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let index = group.y * groups.x + group.x;
    // The last row of a folded grid may reach past the groups; the whole workgroup leaves together.
    if (index >= params.groups) {
        return;
    }
    let blocks = (params.rows + BLOCK - 1u) / BLOCK;
    var work = Work(thread, group.z, params.rows, 0u, true, params.p.x + group.z * params.p.y, 0u, 0u);
    hold(work);
    for (var block = index; block < blocks; block += params.groups) {
        work.row = block * BLOCK;
        load(work);
        for (var l = 0u; l < LAYERS; l++) {
            forward_layer(work, layer_at(l));
        }
    }
}

// The block's features, a feature of 4 rows an invocation; rows past the end repeat the last one.
fn load(work: Work) {
    let at = params.x.x + work.replica * params.x.y;
    for (var i = work.thread; i < QUADS * INPUTS; i += THREADS) {
        let row = at + i % INPUTS + min(vec4<u32>(work.row + i / INPUTS * 4u) + NEXT, vec4<u32>(work.rows - 1u)) * INPUTS;
        activations[place(i % INPUTS, i / INPUTS)] = vec4<f32>(x[row.x], x[row.y], x[row.z], x[row.w]);
    }
    workgroupBarrier();
}

// Hands f(z) to the next layer, or out.
fn store_output(work: Work, layer: Layer, quad: u32, unit: u32, z: vec4<f32>) {
    let made = activation(layer.activation, z);
    if (layer.number < LAYERS) {
        activations[place(layer.output + unit, quad)] = made;
        return;
    }
    let first = work.row + 4u * quad;
    for (var row = first; row < min(first + 4u, work.rows); row++) {
        a[params.a.x + work.replica * params.a.y + row * OUTPUTS + unit] = made[row - first];
    }
}
