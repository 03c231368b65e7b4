// What becomes of a layer's sums z: a[rows,outputs] = f(z), the activation f being the part's.
fn store(replica: u32, row: u32, column: u32, z: vec4<f32>) {
    if (row >= params.rows || column >= params.outputs) {
        return;
    }
    let count = params.outputs - column;
    let a = vec4<f32>(activation(z.x), activation(z.y), activation(z.z), activation(z.w));
    store_a(params.a.x + replica * params.a.y + row * params.outputs + column, count, a);
}
