// sums[groups]: each workgroup's sum of squares of g[count]. A workgroup takes every groups-th run of 256
// elements, then adds its invocations pairwise: a fixed order.
struct Params {
    g: vec4<u32>,
    sums: vec4<u32>,
    count: u32,
    groups: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> g: array<f32>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;

var<workgroup> partial: array<f32, 256>;

@compute @workgroup_size(256)
fn square_sum(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let index = group.y * groups.x + group.x;
    // The last row of a folded grid may reach past the groups; the whole workgroup leaves together.
    if (index >= params.groups) {
        return;
    }
    let base = params.g.x + group.z * params.g.y;
    var sum = 0.0;
    for (var i = index * 256u + thread; i < params.count; i += params.groups * 256u) {
        sum += g[base + i] * g[base + i];
    }
    partial[thread] = sum;
    for (var half = 128u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (thread < half) {
            partial[thread] += partial[thread + half];
        }
    }
    if (thread == 0u) {
        sums[params.sums.x + group.z * params.sums.y + index] = partial[0];
    }
}
