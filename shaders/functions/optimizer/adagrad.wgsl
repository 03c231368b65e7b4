// v += g²; p - rate g / (sqrt(v) + epsilon)
const STATE = 1u;
fn rule(p: f32, g: f32, s: vec2<f32>, rate: f32, h: Hyper) -> vec3<f32> {
    let v = s.x + g * g;
    return vec3<f32>(p - rate * g / (sqrt(v) + h.epsilon), v, 0.0);
}
