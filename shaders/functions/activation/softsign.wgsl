// a = z / (1 + |z|); a' = 1 / (1 + |z|)². From 1e30 on they are ±1 and 0: WGSL divides by at most 2^126.
fn activation(z: f32) -> f32 {
    let c = select(z, sign(z) * 1e30, abs(z) > 1e30);
    return c / (1.0 + abs(c));
}
fn activation_derivative(z: f32, a: f32) -> f32 {
    let c = select(z, sign(z) * 1e30, abs(z) > 1e30);
    let r = 1.0 / (1.0 + abs(c));
    return r * r;
}
