// p[count], s[count,slots] = rule(p, g, s): the optimiser's step, as shaders/shared/rules.wgsl has it. One invocation a
// parameter. CLIP scales g with all others to a norm whose square is the sum of squares[groups], groups <= 256.
override CLIP: bool = false;

struct Params {
    g: vec4<u32>,
    squares: vec4<u32>,
    hyper: vec4<u32>,
    p: vec4<u32>,
    s: vec4<u32>,
    count: u32,
    slots: u32,
    groups: u32,
    settings: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> g: array<f32>;
@group(0) @binding(3) var<storage, read> squares: array<f32>;
@group(0) @binding(4) var<storage, read> hyper: array<f32>;
@group(0) @binding(5) var<storage, read_write> p: array<f32>;
@group(0) @binding(6) var<storage, read_write> s: array<f32>;

var<workgroup> partial: array<f32, 256>;

@compute @workgroup_size(256)
fn update(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    // A replica that leaves out the step leaves together.
    if (records[group.z].rows == 0u) {
        return;
    }
    step = records[group.z];
    let i = (group.y * groups.x + group.x) * 256u + thread;
    let h = params.hyper.x + group.z * params.hyper.y;
    var scale = 1.0;
    if (CLIP) {
        var own = 0.0;
        if (thread < params.groups) {
            own = squares[params.squares.x + group.z * params.squares.y + thread];
        }
        partial[thread] = own;
        for (var half = 128u; half > 0u; half /= 2u) {
            workgroupBarrier();
            if (thread < half) {
                partial[thread] += partial[thread + half];
            }
        }
        workgroupBarrier();
        let norm = sqrt(partial[0]);
        if (norm > hyper[h + HYPER_CLIP_NORM]) {
            scale = hyper[h + HYPER_CLIP_NORM] / norm;
        }
    }
    if (i >= params.count) {
        return;
    }
    let at = params.p.x + group.z * params.p.y + i;
    p[at] = updated(i, group.z, p[at], scale * g[params.g.x + group.z * params.g.y + i]);
}
