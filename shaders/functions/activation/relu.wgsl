// a = max(z, 0), with a'(0) = 0. By the bits of z, since compilers make a comparison a maximum, which takes the number for a NaN.
fn activation(z: f32) -> f32 {
    let bits = bitcast<u32>(z);
    return select(z, 0.0, bits > 0x80000000u && bits <= 0xff800000u);
}
fn activation_derivative(z: f32, a: f32) -> f32 {
    return select(0.0, 1.0, a > 0.0);
}
