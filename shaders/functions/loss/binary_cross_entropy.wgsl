// l = max(z, 0) - z t + log(1 + e^-|z|) on the logit z; dl/dz = sigmoid(z) - t; t is y with label smoothing c.
fn loss_value(z: f32, y: f32, c: f32) -> f32 {
    return max(z, 0.0) - z * smoothed(y, c) + log_1p(exp(-abs(z)));
}
fn loss_gradient(z: f32, y: f32, c: f32) -> f32 {
    let e = exp(-abs(z));
    return select(1.0, e, z < 0.0) / (1.0 + e) - smoothed(y, c);
}
fn is_correct(z: f32, y: f32) -> bool {
    return (z > 0.0) == (y > 0.5);
}
fn smoothed(y: f32, c: f32) -> f32 {
    return y * (1.0 - c) + 0.5 * c;
}
