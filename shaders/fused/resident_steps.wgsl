// A run of training steps in one dispatch, a workgroup a replica: forward pass, loss and backward pass of a small network, block
// by block as shaders/shared/block.wgsl has them, then p[parameters], s[parameters,slots] = rule(p, g, s) as
// shaders/shared/rules.wgsl has it. g[parameters] is the gradient of the mean loss, of the last step in the end; sums[2] is the sum of
// w loss and of hits, at each step's ring slot. Where hyper has a limit for it, the gradient is scaled to that norm first.
// An invocation sums the squares of every 128th element of the gradient in ascending order, before those sums are added pairwise.
override IN_ORDER: bool = false;

struct Params {
    x: vec4<u32>,
    y: vec4<u32>,
    hyper: vec4<u32>,
    p: vec4<u32>,
    scratch: vec4<u32>,
    g: vec4<u32>,
    s: vec4<u32>,
    sums: vec4<u32>,
    samples: u32,
    inputs: u32,
    columns: u32,
    units: u32,
    parameters: u32,
    block: u32,
    slots: u32,
    settings: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> y: array<f32>;
@group(0) @binding(4) var<storage, read> hyper: array<f32>;
@group(0) @binding(5) var<storage, read_write> p: array<f32>;
@group(0) @binding(6) var<storage, read_write> scratch: array<vec4<f32>>; // z of 4 rows
@group(0) @binding(7) var<storage, read_write> g: array<f32>;
@group(0) @binding(8) var<storage, read_write> s: array<f32>;
@group(0) @binding(9) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(128)
fn resident_steps(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    var work = Work(thread, group.z, 0u, 0u, true, params.p.x + group.z * params.p.y,
        params.scratch.x + group.z * params.scratch.y, params.g.x + group.z * params.g.y);
    let limit = hyper[params.hyper.x + group.z * params.hyper.y + HYPER_CLIP_NORM];
    hold(work);
    for (var i = group.z; i < RECORDS; i += groups.z) {
        // From the uniform, since every invocation has to come to the same barriers.
        if (records[i].slot == LAST) {
            break;
        }
        let rows = records[i].rows;
        if (rows == 0u) {
            continue;
        }
        step = records[i];
        work.rows = rows;
        var sum = vec2<f32>();
        for (var row = 0u; row < rows; row += BLOCK) {
            work.row = row;
            work.first = row == 0u;
            sum += through_network(work);
        }
        sum = add_up(thread, sum);
        if (thread == 0u) {
            let at = params.sums.x + group.z * params.sums.y + step.slot * params.sums.z;
            sums[at] = sum.x;
            sums[at + 1u] = sum.y;
        }
        storageBarrier(); // the gradient is whole
        update(work, clipping(work, limit));
        workgroupBarrier();
        storageBarrier();
    }
    if (HOLDS) {
        for (var l = 0u; l < LAYERS; l++) {
            let layer = layer_at(l);
            for (var i = thread; i < (layer.inputs + 1u) * layer.groups; i += THREADS) {
                let row = i / layer.groups;
                let group = i % layer.groups;
                store(work, layer, row, group, held[held_place(layer, row, group)]);
            }
        }
    }
}

// The factor that brings the gradient down to a norm, if there is a limit to it.
fn clipping(work: Work, limit: f32) -> f32 {
    if (limit == 0.0) {
        return 1.0;
    }
    var own = 0.0;
    for (var i = work.thread; i < PARAMETERS; i += THREADS) {
        own += g[work.g + i] * g[work.g + i];
    }
    let norm = sqrt(add_up(work.thread, vec2<f32>(own, 0.0)).x);
    return select(1.0, limit / norm, norm > limit);
}

// An invocation takes 4 units of a row, which it alone writes: neighbours in a vector may be written together. Past the end they are the last
// one again, which comes to the same each time, since all is read before any of it is written.
fn update(work: Work, scale: f32) {
    for (var l = 0u; l < LAYERS; l++) {
        let layer = layer_at(l);
        for (var i = work.thread; i < (layer.inputs + 1u) * layer.groups; i += THREADS) {
            let row = i / layer.groups;
            let group = i % layer.groups;
            let values = updated_four(work, scale, weights(work, layer, row, group),
                layer.weight + row * layer.outputs + min(4u * group + NEXT, vec4<u32>(layer.outputs - 1u)));
            if (HOLDS) {
                held[held_place(layer, row, group)] = values;
            } else {
                store(work, layer, row, group, values);
            }
        }
    }
}

// What 4 parameters become, whose loads are under way together.
fn updated_four(work: Work, scale: f32, values: vec4<f32>, at: vec4<u32>) -> vec4<f32> {
    let gradients = scale * vec4<f32>(g[work.g + at.x], g[work.g + at.y], g[work.g + at.z], g[work.g + at.w]);
    let states = mat4x2<f32>(kept(at.x, work.replica), kept(at.y, work.replica), kept(at.z, work.replica), kept(at.w, work.replica));
    let x = stepped(at.x, work.replica, values.x, gradients.x, states[0]);
    let y = stepped(at.y, work.replica, values.y, gradients.y, states[1]);
    let z = stepped(at.z, work.replica, values.z, gradients.z, states[2]);
    let w = stepped(at.w, work.replica, values.w, gradients.w, states[3]);
    keep_state(at.x, work.replica, x.yz);
    keep_state(at.y, work.replica, y.yz);
    keep_state(at.z, work.replica, z.yz);
    keep_state(at.w, work.replica, w.yz);
    return vec4<f32>(x.x, y.x, z.x, w.x);
}

fn store(work: Work, layer: Layer, row: u32, group: u32, values: vec4<f32>) {
    let at = work.p + layer.weight + row * layer.outputs;
    for (var j = 4u * group; j < min(4u * group + 4u, layer.outputs); j++) {
        p[at + j] = values[j % 4u];
    }
}
