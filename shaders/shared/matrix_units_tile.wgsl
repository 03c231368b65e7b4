
// Makes the tile of c at row and column from depths first .. end. Subgroups are runs of invocations, as every driver with matrix units has
// them; the product that a device is checked by before its first use would be wrong otherwise. At SUMS, PANEL and END stands what
// src/kernels/products/matrix_units.rs writes.
fn make_tile(thread: u32, replica: u32, a: Matrix, b: Matrix, row: u32, column: u32, first: u32, end: u32) {
    let subgroup = thread / SUBGROUP;
    let lane = thread % SUBGROUP;
    let side_a = subgroup / (COLUMNS / (ACROSS * SIZE)) * DOWN * SIZE;
    let side_b = subgroup % (COLUMNS / (ACROSS * SIZE)) * ACROSS * SIZE;
SUMS;
    take_aim(thread, a, b, row, column);
    var turn = 0u;
    forget(thread, 0u);
    workgroupBarrier();
    fetch(thread, a, b, first);
    tell(lane, turn);
    for (var depth = first; depth < end; depth += DEPTH) {
        workgroupBarrier();
        let exponent = exponents(turn);
        turn = 1u - turn;
        forget(thread, turn);
        // 2^(SCALED_TO - exponent) and its inverse; 127 is 0.
        put(thread, bitcast<vec2<f32>>((vec2<u32>(254u + SCALED_TO) - exponent) << vec2<u32>(23u)));
        let back = bitcast<vec2<f32>>((exponent - vec2<u32>(SCALED_TO)) << vec2<u32>(23u));
        if (COLUMN_SUMS) {
            add_columns();
        }
        workgroupBarrier();
        // The next panel is on its way while this one is multiplied.
        fetch(thread, a, b, depth + DEPTH);
PANEL;
        tell(lane, turn);
    }
    let staged_at = subgroup * (SIZE * SIZE / 4u);
END;
    if (COLUMN_SUMS) {
        staged[thread] = column_part;
        workgroupBarrier();
        if (thread < B_QUADS) {
            for (var other = thread; other < THREADS; other += B_QUADS) {
                column_sum += staged[other];
            }
        }
    }
}
