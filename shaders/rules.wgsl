// What the kernels that apply an optimiser's rule share. The rule is the part in front; it returns p and the STATE <= slots
// values that it keeps for it. The rest is the same for every rule and comes first: the gradient is clipped by value;
// then l2 p + l1 sign(p) is added, and p -= rate weight_decay p.

// A replica's settings that rules use. The rests are 1 - beta, which f32 would round too coarsely here.
struct Hyper {
    beta_1: f32,
    rest_1: f32,
    beta_2: f32,
    rest_2: f32,
    epsilon: f32,
}

// The step of parameter i of a replica.
fn apply(i: u32, replica: u32, gradient: f32) {
    let at = params.p.x + replica * params.p.y + i;
    let first = params.s.x + replica * params.s.y + i * params.slots;
    let h = params.hyper.x + replica * params.hyper.y;
    let rate = hyper[h] * step.rate;
    let settings = Hyper(hyper[h + 1u], hyper[h + 2u], hyper[h + 3u], hyper[h + 4u], hyper[h + 5u]);
    var clipped = gradient;
    let limit = hyper[h + 9u];
    if (limit > 0.0 && abs(clipped) > limit) {
        clipped = limit * sign(clipped);
    }
    let penalised = clipped + hyper[h + 7u] * p[at] + hyper[h + 8u] * sign(p[at]);
    let decayed = p[at] - rate * hyper[h + 6u] * p[at];
    var state = vec2<f32>();
    if (STATE > 0u) {
        state.x = s[first];
    }
    if (STATE > 1u) {
        state.y = s[first + 1u];
    }
    let updated = rule(decayed, penalised, state, rate, settings);
    p[at] = updated.x;
    if (STATE > 0u) {
        s[first] = updated.y;
    }
    if (STATE > 1u) {
        s[first + 1u] = updated.z;
    }
}
