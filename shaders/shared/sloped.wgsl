// What becomes of sums on the way back to a layer, z[rows,inputs] and a = f(z) being its own and f, the part's, its activation: c = values f'(z).
fn store_sloped(replica: u32, row: u32, column: u32, values: vec4<f32>) {
    if (row >= params.rows || column >= params.inputs) {
        return;
    }
    let count = params.inputs - column;
    let at = row * params.inputs + column;
    let z = load_z(params.z.x + replica * params.z.y + at, count);
    let a = load_a(params.a.x + replica * params.a.y + at, count);
    let slopes = vec4<f32>(activation_derivative(z.x, a.x), activation_derivative(z.y, a.y),
        activation_derivative(z.z, a.z), activation_derivative(z.w, a.w));
    store_c(params.c.x + replica * params.c.y + at, count, values * slopes);
}
