// m = beta1 m + g; p - rate (g + beta1 m)
const STATE = 1u;
fn rule(p: f32, g: f32, s: vec2<f32>, rate: f32, h: Hyper) -> vec3<f32> {
    let m = h.beta_1 * s.x + g;
    return vec3<f32>(p - rate * (g + h.beta_1 * m), m, 0.0);
}
