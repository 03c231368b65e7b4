// What kernels of losses leave in the ring.
var<workgroup> partial: array<vec2<f32>, 256>;

// Puts the sum of what a workgroup's invocations have, the sum of w loss and the number of hits, into its place of the step's ring slot.
// They are added pairwise: a fixed order.
fn record_sums(thread: u32, replica: u32, index: u32, own: vec2<f32>) {
    partial[thread] = own;
    for (var half = 128u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (thread < half) {
            partial[thread] += partial[thread + half];
        }
    }
    if (thread == 0u && step.rows > 0u) {
        let at = params.sums.x + replica * params.sums.y + step.slot * params.sums.z + index * 2u;
        sums[at] = partial[0].x;
        sums[at + 1u] = partial[0].y;
    }
}
