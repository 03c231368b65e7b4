// The sum of element i of g[groups,stride] over the groups. LANES invocations share an element: each adds every LANES-th group in
// ascending order, and their sums are added in order. All invocations of the workgroup have to come here.
const ELEMENTS = 32u;
const LANES = 8u;
const THREADS = ELEMENTS * LANES;

var<workgroup> lanes: array<f32, THREADS>;

fn total(thread: u32, i: u32, replica: u32) -> f32 {
    let first = params.g.x + replica * params.g.y + i;
    var own = 0.0;
    if (i < params.count) {
        for (var share = thread / ELEMENTS; share < params.groups; share += LANES) {
            own += g[first + share * params.stride];
        }
    }
    lanes[thread] = own;
    workgroupBarrier();
    var sum = 0.0;
    for (var lane = thread % ELEMENTS; lane < THREADS; lane += ELEMENTS) {
        sum += lanes[lane];
    }
    return sum;
}
