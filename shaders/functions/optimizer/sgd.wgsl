// p - rate g
const STATE = 0u;
fn rule(p: f32, g: f32, s: vec2<f32>, rate: f32, h: Hyper) -> vec3<f32> {
    return vec3<f32>(p - rate * g, s);
}
