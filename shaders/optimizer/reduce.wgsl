// sum[count] = the sum of g[groups,stride] over the groups, as shaders/shared/partials.wgsl adds them up.
struct Params {
    g: vec4<u32>,
    sum: vec4<u32>,
    count: u32,
    groups: u32,
    stride: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> g: array<f32>;
@group(0) @binding(3) var<storage, read_write> sum: array<f32>;

@compute @workgroup_size(THREADS)
fn reduce(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = (group.y * groups.x + group.x) * ELEMENTS + thread % ELEMENTS;
    let gradient = total(thread, i, group.z);
    if (thread >= ELEMENTS || i >= params.count) {
        return;
    }
    sum[params.sum.x + group.z * params.sum.y + i] = gradient;
}
