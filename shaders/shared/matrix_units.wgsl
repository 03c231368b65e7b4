// What kernels that multiply matrices share where a GPU has matrix units: c[m,n] = a[m,k] b[k,n] in tiles, as shaders/shared/product.wgsl
// makes them, with cooperative matrices of f16 operands and f32 sums. Each panel of a and of b is scaled by a power of two of its own, so
// that f16 holds it whatever its range; the sums over a panel's depths are scaled back and added in f32. A subgroup makes DOWN x ACROSS matrices of SIZE x SIZE.
// src/kernels/products/matrix_units.rs writes the sizes, the registers and the loop. A kernel says what it says to product.wgsl.
const B_QUADS = COLUMNS / 4u;

var<workgroup> greatest: array<atomic<u32>, 4>;
var<workgroup> staged: array<vec4<f32>, SUBGROUPS * SIZE * SIZE / 4u>;
var<private> column_part: vec4<f32>;
var<private> column_sum: vec4<f32>;

struct Matrix {
    base: u32,
    lines: u32,
    length: u32,
}

// Quads of a panel's line, and from line to line. Constants that a kernel may override are none for WGSL.
fn a_line() -> u32 {
    return select(DEPTH, ROWS, A_BY_DEPTH) / 4u;
}

fn b_line() -> u32 {
    return select(DEPTH, COLUMNS, B_BY_DEPTH) / 4u;
}

fn a_pitch() -> u32 {
    return a_line() + PADDING;
}

fn b_pitch() -> u32 {
    return b_line() + PADDING;
}

// Where an invocation's four neighbours lie in panel after panel, so that little is left to reckon for each: they are those at
// `at` of the `depth`-th depth of a panel, and there as long as that is below `bound`; `count` of them where lines are depths.
struct Aim {
    at: u32,
    depth: u32,
    bound: u32,
    count: u32,
}

fn aim_at_a(a: Matrix, i: u32, row: u32) -> Aim {
    return aim(a, A_BY_DEPTH, i / a_line(), i % a_line() * 4u, row);
}

fn aim_at_b(b: Matrix, i: u32, column: u32) -> Aim {
    return aim(b, B_BY_DEPTH, i / b_line(), i % b_line() * 4u, column);
}

fn aim(matrix: Matrix, by_depth: bool, line: u32, place: u32, side: u32) -> Aim {
    let across = side + place;
    let down = side + line;
    if (by_depth) {
        return Aim(matrix.base + across, line, select(0u, matrix.lines, across < matrix.length), matrix.length - across);
    }
    return Aim(matrix.base + down * matrix.length, place, select(0u, matrix.length, down < matrix.lines), 0u);
}

// The four in the panel that begins at a depth, 0 outside, without a branch: what is outside reads the matrix's first.
fn quad_of_a(a: Matrix, aim: Aim, depth: u32) -> vec4<f32> {
    let at = aim.depth + depth;
    let inside = at < aim.bound;
    let place = aim.at + at * select(1u, a.length, A_BY_DEPTH);
    let count = select(a.length, select(a.length - at, aim.count, A_BY_DEPTH), inside);
    return select(vec4<f32>(), load_left(select(a.base, place, inside), count), inside);
}

fn quad_of_b(b: Matrix, aim: Aim, depth: u32) -> vec4<f32> {
    let at = aim.depth + depth;
    let inside = at < aim.bound;
    let place = aim.at + at * select(1u, b.length, B_BY_DEPTH);
    let count = select(b.length, select(b.length - at, aim.count, B_BY_DEPTH), inside);
    return select(vec4<f32>(), load_right(select(b.base, place, inside), count), inside);
}

fn a_place(i: u32) -> u32 {
    return i / a_line() * a_pitch() + i % a_line();
}

fn b_place(i: u32) -> u32 {
    return i / b_line() * b_pitch() + i % b_line();
}

// Where a matrix begins in a panel, by its first row of c or column of c, and its first depth.
fn a_matrix(row: u32, depth: u32) -> u32 {
    return select(row * a_pitch() + depth / 4u, depth * a_pitch() + row / 4u, A_BY_DEPTH);
}

fn b_matrix(column: u32, depth: u32) -> u32 {
    return select(column * b_pitch() + depth / 4u, depth * b_pitch() + column / 4u, B_BY_DEPTH);
}

// Rounded to the 11 bits of f16, by integers: compilers take what is made f16 and f32 again for the number itself.
fn upper_bits(x: vec4<f32>) -> vec4<f32> {
    return bitcast<vec4<f32>>((bitcast<vec4<u32>>(x) + vec4<u32>(0x1000u)) & vec4<u32>(0xffffe000u));
}

// The greatest numbers of the panels in registers, for all to see: of each panel in turn in one of two places.
fn tell(lane: u32, turn: u32) {
    let of_a = subgroupMax(bitcast<u32>(greatest_of_a()));
    let of_b = subgroupMax(bitcast<u32>(greatest_of_b()));
    if (lane == 0u) {
        atomicMax(&greatest[turn], of_a);
        atomicMax(&greatest[turn + 2u], of_b);
    }
}

// The exponents of the panels' greatest numbers as f32 has them, but not so small that what scales them were none of f32.
fn exponents(turn: u32) -> vec2<u32> {
    let all = vec2<u32>(atomicLoad(&greatest[turn]), atomicLoad(&greatest[turn + 2u]));
    return max(all >> vec2<u32>(23u), vec2<u32>(27u));
}

// Makes the place of the next panel's greatest numbers ready.
fn forget(thread: u32, turn: u32) {
    if (thread == 0u) {
        atomicStore(&greatest[turn], 0u);
        atomicStore(&greatest[turn + 2u], 0u);
    }
}

// A matrix of c, which stands in the subgroup's place of workgroup memory.
fn store_staged(replica: u32, lane: u32, subgroup: u32, row: u32, column: u32) {
    for (var i = lane; i < SIZE * SIZE / 4u; i += SUBGROUP) {
        let place = column + i % (SIZE / 4u) * 4u;
        store(replica, row + i / (SIZE / 4u), place, staged[subgroup * (SIZE * SIZE / 4u) + i] + start(replica, place));
    }
}
