// g[groups,parameters], each workgroup's share of the gradient of the mean loss, and sums[groups,2], its sum of w loss
// and its hits, at the step's ring slot: forward pass, loss and backward pass of a small network in one dispatch, as
// shaders/shared/way_back.wgsl has them. A workgroup takes a run of blocks.
override IN_ORDER: bool = false;

struct Params {
    x: vec4<u32>,
    y: vec4<u32>,
    hyper: vec4<u32>,
    p: vec4<u32>,
    scratch: vec4<u32>,
    g: vec4<u32>,
    sums: vec4<u32>,
    rows: u32,
    samples: u32,
    inputs: u32,
    columns: u32,
    units: u32,
    parameters: u32,
    block: u32,
    groups: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> y: array<f32>;
@group(0) @binding(4) var<storage, read> hyper: array<f32>;
@group(0) @binding(5) var<storage, read> p: array<f32>;
@group(0) @binding(6) var<storage, read_write> scratch: array<vec4<f32>>; // z of 4 rows
@group(0) @binding(7) var<storage, read_write> g: array<f32>;
@group(0) @binding(8) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(128)
fn fused_gradient(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let index = group.y * groups.x + group.x;
    // The last row of a folded grid may reach past the groups, and a replica may leave out the step; the whole workgroup leaves together.
    let rows = min(records[group.z].rows, params.rows);
    if (index >= params.groups || rows == 0u) {
        return;
    }
    step = records[group.z];
    let blocks = (rows + BLOCK - 1u) / BLOCK;
    let run = (blocks + params.groups - 1u) / params.groups;
    let begin = index * run;
    var work = Work(thread, group.z, rows, 0u, true, params.p.x + group.z * params.p.y,
        params.scratch.x + group.z * params.scratch.y + index * params.units * params.block,
        params.g.x + group.z * params.g.y + index * params.parameters);
    hold(work);
    var sum = vec2<f32>();
    for (var block = begin; block < min(begin + run, blocks); block++) {
        work.row = block * BLOCK;
        work.first = block == begin;
        sum += through_network(work);
    }
    if (begin >= blocks) {
        for (var i = thread; i < params.parameters; i += THREADS) {
            g[work.g + i] = 0.0;
        }
    }
    sum = add_up(thread, sum);
    if (thread == 0u) {
        let at = params.sums.x + group.z * params.sums.y + step.slot * params.sums.z + index * 2u;
        sums[at] = sum.x;
        sums[at + 1u] = sum.y;
    }
}
