// x[rows,columns] = the rows first_row .. first_row + rows of data[samples,columns], in the epoch's
// sample order or, IN_ORDER, in their own. One invocation an element. The order is a keyed permutation of 0 .. samples: a Feistel
// network on the smallest even number of bits that holds them, walked until it lands inside (Luby and
// Rackoff 1988; Black and Rogaway 2002). Integers only, so every device draws the same order.
override IN_ORDER: bool = false;

struct Params {
    data: vec4<u32>,
    x: vec4<u32>,
    rows: u32,
    columns: u32,
    samples: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> data: array<f32>;
@group(0) @binding(3) var<storage, read_write> x: array<f32>;

@compute @workgroup_size(256)
fn gather(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = (group.y * groups.x + group.x) * 256u + thread;
    if (i >= params.rows * params.columns) {
        return;
    }
    var sample = (step.first_row + i / params.columns) % params.samples;
    if (!IN_ORDER) {
        sample = permute(sample, step.key ^ mix(group.z));
    }
    let source = params.data.x + group.z * params.data.y + sample * params.columns + i % params.columns;
    x[params.x.x + group.z * params.x.y + i] = data[source];
}

fn permute(position: u32, key: u32) -> u32 {
    let half = (33u - countLeadingZeros(params.samples - 1u)) / 2u;
    let mask = (1u << half) - 1u;
    var value = position;
    loop {
        var left = value >> half;
        var right = value & mask;
        for (var round = 0u; round < 6u; round++) {
            let next = left ^ (mix(right ^ mix(key + round)) & mask);
            left = right;
            right = next;
        }
        value = (left << half) | right;
        if (value < params.samples) {
            break;
        }
    }
    return value;
}
