// l = |z - y|; dl/dz = sign(z - y).
fn loss_value(z: f32, y: f32, c: f32) -> f32 {
    return abs(z - y);
}
fn loss_gradient(z: f32, y: f32, c: f32) -> f32 {
    return sign(z - y);
}
fn is_correct(z: f32, y: f32) -> bool {
    return false;
}
