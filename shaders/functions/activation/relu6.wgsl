// a = max(z, 0), at most 6, with a'(0) = a'(6) = 0. By the bits of z, since compilers make comparisons a maximum and a minimum, which
// take the number for a NaN.
fn activation(z: f32) -> f32 {
    let bits = bitcast<u32>(z);
    let low = select(z, 6.0, bits > 0x40c00000u && bits <= 0x7f800000u);
    return select(low, 0.0, bits > 0x80000000u && bits <= 0xff800000u);
}
fn activation_derivative(z: f32, a: f32) -> f32 {
    return select(0.0, 1.0, a > 0.0 && a < 6.0);
}
