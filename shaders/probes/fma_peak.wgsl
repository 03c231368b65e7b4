// y[count] = the sum of 16 chains v = 3/4 v + x[count], which start at 0 to 15 and take 4 params.rounds steps. One invocation an
// element, 128 operations a round. The chains wait for nothing but themselves, so an invocation has work for every unit;
// they tend to 4 x, so that nothing overflows.
struct Params {
    x: vec4<u32>,
    y: vec4<u32>,
    count: u32,
    rounds: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

struct Chains {
    a: vec4<f32>,
    b: vec4<f32>,
    c: vec4<f32>,
    d: vec4<f32>,
}

fn next(v: Chains, add: vec4<f32>) -> Chains {
    let factor = vec4<f32>(0.75);
    return Chains(fma(v.a, factor, add), fma(v.b, factor, add), fma(v.c, factor, add), fma(v.d, factor, add));
}

@compute @workgroup_size(256)
fn fma_peak(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = (group.y * groups.x + group.x) * 256u + thread;
    if (i >= params.count) {
        return;
    }
    let add = vec4<f32>(x[params.x.x + group.z * params.x.y + i]);
    var v = Chains(vec4<f32>(0.0, 1.0, 2.0, 3.0), vec4<f32>(4.0, 5.0, 6.0, 7.0), vec4<f32>(8.0, 9.0, 10.0, 11.0),
        vec4<f32>(12.0, 13.0, 14.0, 15.0));
    for (var round = 0u; round < params.rounds; round += 1u) {
        v = next(next(next(next(v, add), add), add), add);
    }
    let sum = v.a + v.b + v.c + v.d;
    y[params.y.x + group.z * params.y.y + i] = sum.x + sum.y + sum.z + sum.w;
}
