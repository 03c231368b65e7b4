// y[count] = x[count]. One invocation four elements, 64 apart, so that neighbours touch neighbours; all four are read before
// the first is written, so that the reads overlap.
struct Params {
    x: vec4<u32>,
    y: vec4<u32>,
    count: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn copy(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let first = (group.y * groups.x + group.x) * 256u;
    if (first >= params.count) {
        return;
    }
    let left = params.count - first;
    let source = params.x.x + group.z * params.x.y + first + thread;
    let place = params.y.x + group.z * params.y.y + first + thread;
    if (left >= 256u) {
        let values = vec4<f32>(x[source], x[source + 64u], x[source + 128u], x[source + 192u]);
        y[place] = values.x;
        y[place + 64u] = values.y;
        y[place + 128u] = values.z;
        y[place + 192u] = values.w;
        return;
    }
    for (var i = 0u; thread + i < left; i += 64u) {
        y[place + i] = x[source + i];
    }
}
