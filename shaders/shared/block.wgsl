// What the kernels share that take rows through a whole network: a workgroup takes BLOCK rows at a time.
// The activations stand in workgroup memory, [unit, row]: the block's features, then what each layer makes, at the places that layer_at
// says. The parameters are held there too where HOLDS says that they fit, else they are read through the cache. An invocation makes 4
// rows of 4 units where FOURS, else of one. Sums over units ascend.
// The part in front: the sizes BLOCK, INPUTS, OUTPUTS, LAYERS, KEPT (units that there are places for) and HELD; HOLDS and FOURS; layer_at;
// activation of four z by the activation's number. Behind it: params, the bindings x and p, and store_output, which takes z of 4 rows of a
// unit.
const THREADS = 128u;
const QUADS = BLOCK / 4u; // rows, four at a time
// Where the rows of the next unit stand: an odd number of vectors, so that the 32 banks of workgroup memory serve invocations that read
// the same rows of neighbouring units at once.
const PITCH = QUADS | 1u;
const NEXT = vec4<u32>(0u, 1u, 2u, 3u);

var<workgroup> activations: array<vec4<f32>, KEPT * PITCH>;
var<workgroup> held: array<vec4<f32>, HELD>; // weights and biases, 4 units of a row, past the end the last unit again

struct Layer {
    inputs: u32,
    outputs: u32,
    groups: u32,     // of 4 outputs
    weight: u32,     // place of its weight among the parameters; the bias is behind it
    held: u32,       // and of its first vector among those that are held
    unit: u32,       // units of the layers before it
    input: u32,      // where the units stand that it is handed
    output: u32,     // and those that it makes
    activation: u32,
    number: u32,     // counted from 1
    threshold: u32,  // of its dropout, or 0
    keeps: bool,     // whether the way back needs its z
}

// What an invocation works on. None of it may bound a loop that has a barrier in it, since it may differ between invocations.
struct Work {
    thread: u32,
    replica: u32,
    rows: u32,    // of the step
    row: u32,     // first of the block
    first: bool,  // whether the gradient starts with this block
    p: u32,       // where the parameters, the scratch and the gradient start
    scratch: u32,
    g: u32,
}

// Where 4 rows of a unit stand.
fn place(unit: u32, quad: u32) -> u32 {
    return unit * PITCH + quad;
}

// Where 4 units of a row are held. Rows take an odd number of vectors, so that those of neighbouring inputs lie in different banks.
fn held_place(layer: Layer, row: u32, group: u32) -> u32 {
    return layer.held + row * (layer.groups | 1u) + group;
}

// 4 rows of 4 units, whose loads are under way together.
fn units_at(unit: u32, quad: u32) -> mat4x4<f32> {
    return mat4x4<f32>(activations[place(unit, quad)], activations[place(unit + 1u, quad)],
        activations[place(unit + 2u, quad)], activations[place(unit + 3u, quad)]);
}

// Brings in all parameters, where they are held.
fn hold(work: Work) {
    if (!HOLDS) {
        return;
    }
    for (var l = 0u; l < LAYERS; l++) {
        let layer = layer_at(l);
        for (var i = work.thread; i < (layer.inputs + 1u) * layer.groups; i += THREADS) {
            held[held_place(layer, i / layer.groups, i % layer.groups)] = stored(work, layer, i / layer.groups, i % layer.groups);
        }
    }
    workgroupBarrier();
}

// 4 units' weights of a row, or their biases behind the last one.
fn weights(work: Work, layer: Layer, row: u32, group: u32) -> vec4<f32> {
    if (HOLDS) {
        return held[held_place(layer, row, group)];
    }
    return stored(work, layer, row, group);
}

fn stored(work: Work, layer: Layer, row: u32, group: u32) -> vec4<f32> {
    let at = work.p + layer.weight + row * layer.outputs;
    let unit = min(4u * group + NEXT, vec4<u32>(layer.outputs - 1u));
    return vec4<f32>(p[at + unit.x], p[at + unit.y], p[at + unit.z], p[at + unit.w]);
}

fn weight(work: Work, layer: Layer, row: u32, unit: u32) -> f32 {
    if (HOLDS) {
        return held[held_place(layer, row, unit / 4u)][unit % 4u];
    }
    return p[work.p + layer.weight + row * layer.outputs + unit];
}

// z = x W + b, and what the layer hands on.
fn forward_layer(work: Work, layer: Layer) {
    if (FOURS) {
        for (var i = work.thread; i < QUADS * layer.groups; i += THREADS) {
            let quad = i % QUADS;
            let group = i / QUADS;
            let bias = weights(work, layer, layer.inputs, group);
            var z0 = vec4<f32>(bias.x);
            var z1 = vec4<f32>(bias.y);
            var z2 = vec4<f32>(bias.z);
            var z3 = vec4<f32>(bias.w);
            let whole = layer.inputs / 4u * 4u;
            for (var k = 0u; k < whole; k += 4u) {
                let x = units_at(layer.input + k, quad);
                let w0 = weights(work, layer, k, group);
                let w1 = weights(work, layer, k + 1u, group);
                let w2 = weights(work, layer, k + 2u, group);
                let w3 = weights(work, layer, k + 3u, group);
                z0 = add_four(x, vec4<f32>(w0.x, w1.x, w2.x, w3.x), z0);
                z1 = add_four(x, vec4<f32>(w0.y, w1.y, w2.y, w3.y), z1);
                z2 = add_four(x, vec4<f32>(w0.z, w1.z, w2.z, w3.z), z2);
                z3 = add_four(x, vec4<f32>(w0.w, w1.w, w2.w, w3.w), z3);
            }
            for (var k = whole; k < layer.inputs; k++) {
                let value = activations[place(layer.input + k, quad)];
                let row = weights(work, layer, k, group);
                z0 = fma(value, vec4<f32>(row.x), z0);
                z1 = fma(value, vec4<f32>(row.y), z1);
                z2 = fma(value, vec4<f32>(row.z), z2);
                z3 = fma(value, vec4<f32>(row.w), z3);
            }
            let unit = 4u * group;
            store_output(work, layer, quad, unit, z0);
            if (unit + 1u < layer.outputs) { store_output(work, layer, quad, unit + 1u, z1); }
            if (unit + 2u < layer.outputs) { store_output(work, layer, quad, unit + 2u, z2); }
            if (unit + 3u < layer.outputs) { store_output(work, layer, quad, unit + 3u, z3); }
        }
    } else {
        for (var i = work.thread; i < QUADS * layer.outputs; i += THREADS) {
            let quad = i % QUADS;
            let unit = i / QUADS;
            var z = vec4<f32>(weight(work, layer, layer.inputs, unit));
            let whole = layer.inputs / 4u * 4u;
            for (var k = 0u; k < whole; k += 4u) {
                let x = units_at(layer.input + k, quad);
                let w = vec4<f32>(weight(work, layer, k, unit), weight(work, layer, k + 1u, unit),
                    weight(work, layer, k + 2u, unit), weight(work, layer, k + 3u, unit));
                z = add_four(x, w, z);
            }
            for (var k = whole; k < layer.inputs; k++) {
                z = fma(activations[place(layer.input + k, quad)], vec4<f32>(weight(work, layer, k, unit)), z);
            }
            store_output(work, layer, quad, unit, z);
        }
    }
    workgroupBarrier();
}

// sum + four units by their weights, in order.
fn add_four(units: mat4x4<f32>, weights: vec4<f32>, sum: vec4<f32>) -> vec4<f32> {
    let two = fma(units[1], vec4<f32>(weights.y), fma(units[0], vec4<f32>(weights.x), sum));
    return fma(units[3], vec4<f32>(weights.w), fma(units[2], vec4<f32>(weights.z), two));
}
