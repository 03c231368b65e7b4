// p[count] = rule(p, g, rate): the optimiser's step. One invocation a parameter; the rule is the part
// in front. hyper[1] is the replica's learning rate, which the step's record scales.
struct Params {
    g: vec4<u32>,
    hyper: vec4<u32>,
    p: vec4<u32>,
    count: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> g: array<f32>;
@group(0) @binding(3) var<storage, read> hyper: array<f32>;
@group(0) @binding(4) var<storage, read_write> p: array<f32>;

@compute @workgroup_size(256)
fn update(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = (group.y * groups.x + group.x) * 256u + thread;
    if (i >= params.count) {
        return;
    }
    let at = params.p.x + group.z * params.p.y + i;
    let rate = hyper[params.hyper.x + group.z * params.hyper.y] * step.rate;
    p[at] = rule(p[at], g[params.g.x + group.z * params.g.y + i], rate);
}
