// m = beta1 m + g; p - rate m
const STATE = 1u;
fn rule(p: f32, g: f32, s: vec2<f32>, rate: f32, h: Hyper) -> vec3<f32> {
    let m = h.beta_1 * s.x + g;
    return vec3<f32>(p - rate * m, m, 0.0);
}
