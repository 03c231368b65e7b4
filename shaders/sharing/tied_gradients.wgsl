// h[trained], the gradient of replica z by what it trains, from g[networks,parameters], those by the weights that networks compute with, and
// p[networks,trained], what they train. A run of `members` networks shares its first `tied` parameters: of these h is the mean over them,
// in their order, in rows of the first layer's weight [inputs,outputs] each times the network's factor. Then come the network's own
// parameters, and its factors, whose gradient sums over the outputs in ascending order. One invocation an element.
struct Params {
    g: vec4<u32>,
    p: vec4<u32>,
    h: vec4<u32>,
    parameters: u32,
    trained: u32,
    inputs: u32,
    outputs: u32,
    tied: u32,
    members: u32,
    networks: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> g: array<f32>;
@group(0) @binding(3) var<storage, read> p: array<f32>;
@group(0) @binding(4) var<storage, read_write> h: array<f32>;

@compute @workgroup_size(256)
fn tied_gradients(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = (group.y * groups.x + group.x) * 256u + thread;
    if (i >= params.trained) {
        return;
    }
    let g_from = params.g.x + group.z * params.g.y;
    let p_from = params.p.x + group.z * params.p.y;
    let own = group.z % params.networks;
    var sum = 0.0;
    if (i >= params.parameters) {
        let row = (i - params.parameters) * params.outputs;
        let g_row = g_from + own * params.parameters + row;
        let p_row = p_from + own * params.trained + row;
        for (var output = 0u; output < params.outputs; output++) {
            sum += p[p_row + output] * g[g_row + output];
        }
    } else if (i >= params.tied) {
        sum = g[g_from + own * params.parameters + i];
    } else {
        let first = own / params.members * params.members;
        for (var member = first; member < first + params.members; member++) {
            var value = g[g_from + member * params.parameters + i];
            if (i < params.inputs * params.outputs) {
                value *= p[p_from + member * params.trained + params.parameters + i / params.outputs];
            }
            sum += value;
        }
        sum /= f32(params.members);
    }
    h[params.h.x + group.z * params.h.y + i] = sum;
}
