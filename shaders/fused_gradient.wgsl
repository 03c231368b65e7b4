// g[groups,parameters], each workgroup's share of the gradient of the mean loss, and sums[groups,2], its sum of w loss
// and its hits, at the step's ring slot: forward pass, loss and backward pass of a small network in one dispatch. Rows
// first_row .. first_row + rows of x[samples,inputs] and y[samples,columns] in the epoch's sample order or, IN_ORDER, in
// their own; y has the row's weight behind the targets where there are more columns than the loss takes.
// A workgroup takes a run of blocks of BLOCK rows. The tape in workgroup memory, [unit, row], holds the block's features
// and what each layer hands on; on the way back, the gradient by it takes its place. z goes to the workgroup's own
// scratch[units,block], where an invocation reads only what it has written. An invocation makes 4 rows of 4 units, or 4
// by 4 elements of a weight's gradient. Sums over units and rows ascend, rows of one block four at a time; the losses of
// the invocations are added pairwise: a fixed order.
// The part in front: the sizes BLOCK, INPUTS, OUTPUTS, LAYERS and UNITS (the layers' outputs); DROPOUT, whether there is any;
// layer_at; activation and
// slope of four z by the activation's number; loss_of_block.
override IN_ORDER: bool = false;

struct Params {
    x: vec4<u32>,
    y: vec4<u32>,
    hyper: vec4<u32>,
    p: vec4<u32>,
    scratch: vec4<u32>,
    g: vec4<u32>,
    sums: vec4<u32>,
    rows: u32,
    samples: u32,
    inputs: u32,
    columns: u32,
    units: u32,
    parameters: u32,
    block: u32,
    groups: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> y: array<f32>;
@group(0) @binding(4) var<storage, read> hyper: array<f32>;
@group(0) @binding(5) var<storage, read> p: array<f32>;
@group(0) @binding(6) var<storage, read_write> scratch: array<f32>;
@group(0) @binding(7) var<storage, read_write> g: array<f32>;
@group(0) @binding(8) var<storage, read_write> sums: array<f32>;

const THREADS = 128u;
const QUADS = BLOCK / 4u; // rows, four at a time
const NEXT = vec4<u32>(0u, 1u, 2u, 3u);

var<workgroup> tape: array<vec4<f32>, (INPUTS + UNITS) * QUADS>;
var<workgroup> samples: array<u32, BLOCK>;
var<workgroup> partial: array<vec2<f32>, THREADS>;

struct Layer {
    inputs: u32,
    outputs: u32,
    weight: u32,     // place of its weight among the parameters; the bias is behind it
    unit: u32,       // units of the layers before it
    activation: u32,
    number: u32,     // counted from 1
    threshold: u32,  // of its dropout, or 0
}

// What an invocation works on.
struct Work {
    thread: u32,
    replica: u32,
    row: u32,     // first of the block
    first: bool,  // whether it is the workgroup's first block
    p: u32,       // where the parameters, the scratch and the gradient start
    scratch: u32,
    g: u32,
}

@compute @workgroup_size(128)
fn fused_gradient(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let index = group.y * groups.x + group.x;
    // The last row of a folded grid may reach past the groups; the whole workgroup leaves together.
    if (index >= params.groups) {
        return;
    }
    let blocks = (params.rows + BLOCK - 1u) / BLOCK;
    let run = (blocks + params.groups - 1u) / params.groups;
    let begin = index * run;
    var work = Work(thread, group.z, 0u, true, params.p.x + group.z * params.p.y,
        params.scratch.x + group.z * params.scratch.y + index * params.units * params.block,
        params.g.x + group.z * params.g.y + index * params.parameters);
    var sum = vec2<f32>();
    for (var block = begin; block < min(begin + run, blocks); block++) {
        work.row = block * BLOCK;
        work.first = block == begin;
        workgroupBarrier(); // the block before has been read
        load(work);
        for (var l = 0u; l < LAYERS; l++) {
            forward_layer(work, layer_at(l));
        }
        sum += loss_of_block(work);
        workgroupBarrier();
        for (var l = LAYERS; l > 0u; l--) {
            backward_layer(work, layer_at(l - 1u));
        }
    }
    if (begin >= blocks) {
        for (var i = thread; i < params.parameters; i += THREADS) {
            g[work.g + i] = 0.0;
        }
    }
    partial[thread] = sum;
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (thread < half) {
            partial[thread] += partial[thread + half];
        }
    }
    if (thread == 0u) {
        let at = params.sums.x + group.z * params.sums.y + step.slot * params.sums.z + index * 2u;
        sums[at] = partial[0].x;
        sums[at + 1u] = partial[0].y;
    }
}

// The block's samples and features, a feature of 4 rows an invocation; rows past the end repeat the last one, and have no
// loss.
fn load(work: Work) {
    if (work.thread < BLOCK) {
        let position = (step.first_row + min(work.row + work.thread, params.rows - 1u)) % params.samples;
        if (IN_ORDER) {
            samples[work.thread] = position;
        } else {
            samples[work.thread] = permute(position, step.key ^ mix(work.replica), params.samples);
        }
    }
    workgroupBarrier();
    for (var i = work.thread; i < QUADS * INPUTS; i += THREADS) {
        let quad = i / INPUTS;
        let at = params.x.x + work.replica * params.x.y + i % INPUTS;
        tape[i % INPUTS * QUADS + quad] = vec4<f32>(
            x[at + samples[4u * quad] * params.inputs], x[at + samples[4u * quad + 1u] * params.inputs],
            x[at + samples[4u * quad + 2u] * params.inputs], x[at + samples[4u * quad + 3u] * params.inputs]);
    }
    workgroupBarrier();
}

// z = x W + b, and what the layer hands on.
fn forward_layer(work: Work, layer: Layer) {
    let input = (INPUTS + layer.unit - layer.inputs) * QUADS;
    let bias = work.p + layer.weight + layer.inputs * layer.outputs;
    for (var i = work.thread; i < QUADS * ((layer.outputs + 3u) / 4u); i += THREADS) {
        let quad = i % QUADS;
        let first = i / QUADS * 4u;
        let unit = min(first + NEXT, vec4<u32>(layer.outputs - 1u)); // past the end, the last one again
        var z0 = vec4<f32>(p[bias + unit.x]);
        var z1 = vec4<f32>(p[bias + unit.y]);
        var z2 = vec4<f32>(p[bias + unit.z]);
        var z3 = vec4<f32>(p[bias + unit.w]);
        var weight = work.p + layer.weight;
        for (var k = 0u; k < layer.inputs; k++) {
            let value = tape[input + k * QUADS + quad];
            z0 = fma(value, vec4<f32>(p[weight + unit.x]), z0);
            z1 = fma(value, vec4<f32>(p[weight + unit.y]), z1);
            z2 = fma(value, vec4<f32>(p[weight + unit.z]), z2);
            z3 = fma(value, vec4<f32>(p[weight + unit.w]), z3);
            weight += layer.outputs;
        }
        var z = array<vec4<f32>, 4>(z0, z1, z2, z3);
        for (var j = 0u; j < min(4u, layer.outputs - first); j++) {
            hand_on(work, layer, quad, first + j, z[j]);
        }
    }
    workgroupBarrier();
}

// Keeps z of a unit and hands on mask f(z).
fn hand_on(work: Work, layer: Layer, quad: u32, unit: u32, z: vec4<f32>) {
    let at = work.scratch + ((layer.unit + unit) * QUADS + quad) * 4u;
    scratch[at] = z.x;
    scratch[at + 1u] = z.y;
    scratch[at + 2u] = z.z;
    scratch[at + 3u] = z.w;
    tape[(INPUTS + layer.unit + unit) * QUADS + quad] = activation(layer.activation, z) * mask(work, layer, quad, unit);
}

// The factors of a unit's dropout, as in shaders/dropout_forward.wgsl.
fn mask(work: Work, layer: Layer, quad: u32, unit: u32) -> vec4<f32> {
    if (!DROPOUT || layer.threshold == 0u) {
        return vec4<f32>(1.0);
    }
    let key = mix(step.mask_key ^ mix(layer.number)) ^ mix(work.replica);
    let index = (work.row + quad * 4u + NEXT) * layer.outputs + unit;
    let word = vec4<u32>(mix(mix(index.x ^ key) + key), mix(mix(index.y ^ key) + key), mix(mix(index.z ^ key) + key),
        mix(mix(index.w ^ key) + key)) >> vec4<u32>(8u);
    let scale = 16777216.0 / f32(16777216u - layer.threshold);
    return select(vec4<f32>(scale), vec4<f32>(), word < vec4<u32>(layer.threshold));
}

// From the gradient by what the layer hands on: that by its parameters, and by what it was handed.
fn backward_layer(work: Work, layer: Layer) {
    let input = (INPUTS + layer.unit - layer.inputs) * QUADS;
    let output = (INPUTS + layer.unit) * QUADS;
    if (layer.activation > 0u || layer.threshold > 0u) {
        for (var i = work.thread; i < QUADS * ((layer.outputs + 3u) / 4u); i += THREADS) {
            for (var unit = i / QUADS * 4u; unit < min(i / QUADS * 4u + 4u, layer.outputs); unit++) {
                through_activation(work, layer, i % QUADS, unit);
            }
        }
        workgroupBarrier();
    }

    let columns = (layer.outputs + 3u) / 4u;
    for (var i = work.thread; i < (layer.inputs + 3u) / 4u * columns; i += THREADS) {
        let first_row = i / columns * 4u;
        let first_column = i % columns * 4u;
        let row = input + min(first_row + NEXT, vec4<u32>(layer.inputs - 1u)) * QUADS;
        let column = output + min(first_column + NEXT, vec4<u32>(layer.outputs - 1u)) * QUADS;
        var sum0 = vec4<f32>();
        var sum1 = vec4<f32>();
        var sum2 = vec4<f32>();
        var sum3 = vec4<f32>();
        for (var quad = 0u; quad < QUADS; quad++) {
            let d0 = tape[column.x + quad];
            let d1 = tape[column.y + quad];
            let d2 = tape[column.z + quad];
            let d3 = tape[column.w + quad];
            let a0 = tape[row.x + quad];
            let a1 = tape[row.y + quad];
            let a2 = tape[row.z + quad];
            let a3 = tape[row.w + quad];
            sum0 += vec4<f32>(dot(a0, d0), dot(a0, d1), dot(a0, d2), dot(a0, d3));
            sum1 += vec4<f32>(dot(a1, d0), dot(a1, d1), dot(a1, d2), dot(a1, d3));
            sum2 += vec4<f32>(dot(a2, d0), dot(a2, d1), dot(a2, d2), dot(a2, d3));
            sum3 += vec4<f32>(dot(a3, d0), dot(a3, d1), dot(a3, d2), dot(a3, d3));
        }
        add_row(work, layer, first_row, first_column, sum0);
        add_row(work, layer, first_row + 1u, first_column, sum1);
        add_row(work, layer, first_row + 2u, first_column, sum2);
        add_row(work, layer, first_row + 3u, first_column, sum3);
    }
    for (var unit = work.thread; unit < layer.outputs; unit += THREADS) {
        var sum = 0.0;
        for (var quad = 0u; quad < QUADS; quad++) {
            sum += dot(tape[output + unit * QUADS + quad], vec4<f32>(1.0));
        }
        add_gradient(work, layer.weight + layer.inputs * layer.outputs + unit, sum);
    }
    if (layer.unit == 0u) {
        return;
    }

    workgroupBarrier(); // what the layer was handed has been read
    for (var i = work.thread; i < QUADS * ((layer.inputs + 3u) / 4u); i += THREADS) {
        let quad = i % QUADS;
        let first = i / QUADS * 4u;
        let weight = work.p + layer.weight + min(first + NEXT, vec4<u32>(layer.inputs - 1u)) * layer.outputs;
        var d0 = vec4<f32>();
        var d1 = vec4<f32>();
        var d2 = vec4<f32>();
        var d3 = vec4<f32>();
        for (var unit = 0u; unit < layer.outputs; unit++) {
            let d = tape[output + unit * QUADS + quad];
            d0 = fma(d, vec4<f32>(p[weight.x + unit]), d0);
            d1 = fma(d, vec4<f32>(p[weight.y + unit]), d1);
            d2 = fma(d, vec4<f32>(p[weight.z + unit]), d2);
            d3 = fma(d, vec4<f32>(p[weight.w + unit]), d3);
        }
        let at = input + first * QUADS + quad;
        tape[at] = d0;
        if (first + 1u < layer.inputs) { tape[at + QUADS] = d1; }
        if (first + 2u < layer.inputs) { tape[at + 2u * QUADS] = d2; }
        if (first + 3u < layer.inputs) { tape[at + 3u * QUADS] = d3; }
    }
    workgroupBarrier();
}

// d *= mask f'(z), for 4 rows of a unit.
fn through_activation(work: Work, layer: Layer, quad: u32, unit: u32) {
    let at = work.scratch + ((layer.unit + unit) * QUADS + quad) * 4u;
    let z = vec4<f32>(scratch[at], scratch[at + 1u], scratch[at + 2u], scratch[at + 3u]);
    tape[(INPUTS + layer.unit + unit) * QUADS + quad] *= slope(layer.activation, z) * mask(work, layer, quad, unit);
}

// Adds to 4 elements of a row of a weight's gradient, where they exist.
fn add_row(work: Work, layer: Layer, row: u32, column: u32, values: vec4<f32>) {
    if (row >= layer.inputs) {
        return;
    }
    let at = layer.weight + row * layer.outputs + column;
    add_gradient(work, at, values.x);
    if (column + 1u < layer.outputs) { add_gradient(work, at + 1u, values.y); }
    if (column + 2u < layer.outputs) { add_gradient(work, at + 2u, values.z); }
    if (column + 3u < layer.outputs) { add_gradient(work, at + 3u, values.w); }
}

fn add_gradient(work: Work, place: u32, value: f32) {
    var sum = value;
    if (!work.first) {
        sum += g[work.g + place];
    }
    g[work.g + place] = sum;
}
