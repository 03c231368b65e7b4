// a = z g(z), g = tanh(log(1 + n)) = n (n + 2) / (n (n + 2) + 2) for n = e^z; a' = g + z g', g' = 4 n (n + 1) / (n (n + 2) + 2)². All from
// e = e^-|z|, so that nothing overflows: for z > 0 the fractions are expanded by e² and its square.
fn activation(z: f32) -> f32 {
    let e = exp(-abs(z));
    let above = select(1.0 + 2.0 * e, e * (e + 2.0), z < 0.0);
    return z * (above / (above + select(2.0 * (e * e), 2.0, z < 0.0)));
}
fn activation_derivative(z: f32, a: f32) -> f32 {
    let e = exp(-abs(z));
    let above = select(1.0 + 2.0 * e, e * (e + 2.0), z < 0.0);
    let below = above + select(2.0 * (e * e), 2.0, z < 0.0);
    let product = select(e * e * (1.0 + e), e * (e + 1.0), z < 0.0);
    return above / below + z * (4.0 * product / (below * below));
}
