// sum[count] = the sum of g[groups,stride] over the groups, as shaders/shared/partials.wgsl adds them up, and the optimiser's step with it:
// p[count], s[count,slots] = rule(p, sum, s), as shaders/shared/rules.wgsl has it.
struct Params {
    g: vec4<u32>,
    hyper: vec4<u32>,
    sum: vec4<u32>,
    p: vec4<u32>,
    s: vec4<u32>,
    count: u32,
    slots: u32,
    groups: u32,
    stride: u32,
    settings: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> g: array<f32>;
@group(0) @binding(3) var<storage, read> hyper: array<f32>;
@group(0) @binding(4) var<storage, read_write> sum: array<f32>;
@group(0) @binding(5) var<storage, read_write> p: array<f32>;
@group(0) @binding(6) var<storage, read_write> s: array<f32>;

@compute @workgroup_size(THREADS)
fn reduce_update(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    // A replica that leaves out the step leaves together.
    if (records[group.z].rows == 0u) {
        return;
    }
    step = records[group.z];
    let i = (group.y * groups.x + group.x) * ELEMENTS + thread % ELEMENTS;
    let gradient = total(thread, i, group.z);
    if (thread >= ELEMENTS || i >= params.count) {
        return;
    }
    sum[params.sum.x + group.z * params.sum.y + i] = gradient;
    let at = params.p.x + group.z * params.p.y + i;
    p[at] = updated(i, group.z, p[at], gradient);
}
