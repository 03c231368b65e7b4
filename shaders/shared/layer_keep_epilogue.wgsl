// What becomes of a layer's sums where the way back needs them: z[rows,outputs], and a[rows,outputs] = f(z), the activation f being the part's.
fn store(replica: u32, row: u32, column: u32, z: vec4<f32>) {
    if (row >= params.rows || column >= params.outputs) {
        return;
    }
    let count = params.outputs - column;
    let a = vec4<f32>(activation(z.x), activation(z.y), activation(z.z), activation(z.w));
    let at = row * params.outputs + column;
    store_z(params.z.x + replica * params.z.y + at, count, z);
    store_a(params.a.x + replica * params.a.y + at, count, a);
}
