// p[count], s[count,slots] = rule(p, g, s): the optimiser's step. One invocation a parameter; the rule is the
// part in front; it returns p and the STATE <= slots values that it keeps for it. The rest is the same for every rule and
// comes first: g is clipped by value or, CLIP, with all others to a norm whose square is the sum of squares[groups],
// groups <= 256; g += l2 p + l1 sign(p); p -= rate weight_decay p.
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
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> g: array<f32>;
@group(0) @binding(3) var<storage, read> squares: array<f32>;
@group(0) @binding(4) var<storage, read> hyper: array<f32>;
@group(0) @binding(5) var<storage, read_write> p: array<f32>;
@group(0) @binding(6) var<storage, read_write> s: array<f32>;

// A replica's settings that rules use. The rests are 1 - beta, which f32 would round too coarsely here.
struct Hyper {
    beta_1: f32,
    rest_1: f32,
    beta_2: f32,
    rest_2: f32,
    epsilon: f32,
}

var<workgroup> partial: array<f32, 256>;

@compute @workgroup_size(256)
fn update(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
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
        if (norm > hyper[h + 10u]) {
            scale = hyper[h + 10u] / norm;
        }
    }
    if (i >= params.count) {
        return;
    }
    let at = params.p.x + group.z * params.p.y + i;
    let first = params.s.x + group.z * params.s.y + i * params.slots;
    let rate = hyper[h] * step.rate;
    let settings = Hyper(hyper[h + 1u], hyper[h + 2u], hyper[h + 3u], hyper[h + 4u], hyper[h + 5u]);
    var clipped = scale * g[params.g.x + group.z * params.g.y + i];
    let limit = hyper[h + 9u];
    if (limit > 0.0 && abs(clipped) > limit) {
        clipped = limit * sign(clipped);
    }
    let gradient = clipped + hyper[h + 7u] * p[at] + hyper[h + 8u] * sign(p[at]);
    let decayed = p[at] - rate * hyper[h + 6u] * p[at];
    var state = vec2<f32>();
    if (STATE > 0u) {
        state.x = s[first];
    }
    if (STATE > 1u) {
        state.y = s[first + 1u];
    }
    let updated = rule(decayed, gradient, state, rate, settings);
    p[at] = updated.x;
    if (STATE > 0u) {
        s[first] = updated.y;
    }
    if (STATE > 1u) {
        s[first + 1u] = updated.z;
    }
}
