// l = e^z - y z for a mean of e^z; dl/dz = e^z - y.
fn loss_value(z: f32, y: f32, c: f32) -> f32 {
    return exp(z) - y * z;
}
fn loss_gradient(z: f32, y: f32, c: f32) -> f32 {
    return exp(z) - y;
}
fn is_correct(z: f32, y: f32) -> bool {
    return false;
}
