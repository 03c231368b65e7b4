// What the kernels that apply an optimiser's rule share. The rule is the part in front; it returns p and the STATE <= slots
// values that it keeps for it. The rest is the same for every rule and comes first: the gradient is clipped by value;
// then l2 p + l1 sign(p) is added, and p -= rate weight_decay p.
// hyper[settings] has a replica's settings and, where learning rates differ, the rate of each parameter behind them: 0 leaves a parameter
// and what is kept for it as they are.

// A replica's settings that rules use. 1 - beta comes from the host: f32 would round it too coarsely here.
struct Hyper {
    beta_1: f32,
    one_minus_beta_1: f32,
    beta_2: f32,
    one_minus_beta_2: f32,
    epsilon: f32,
}

// What parameter i of a replica becomes, by its value and its gradient; steps what is kept for it.
fn updated(i: u32, replica: u32, value: f32, gradient: f32) -> f32 {
    let next = stepped(i, replica, value, gradient, kept(i, replica));
    keep_state(i, replica, next.yz);
    return next.x;
}

// What is kept for it.
fn kept(i: u32, replica: u32) -> vec2<f32> {
    let first = params.s.x + replica * params.s.y + i * params.slots;
    var state = vec2<f32>();
    if (STATE > 0u) {
        state.x = s[first];
    }
    if (STATE > 1u) {
        state.y = s[first + 1u];
    }
    return state;
}

fn keep_state(i: u32, replica: u32, state: vec2<f32>) {
    let first = params.s.x + replica * params.s.y + i * params.slots;
    if (STATE > 0u) {
        s[first] = state.x;
    }
    if (STATE > 1u) {
        s[first + 1u] = state.y;
    }
}

// What it becomes, and what is kept for it then.
fn stepped(i: u32, replica: u32, value: f32, gradient: f32, state: vec2<f32>) -> vec3<f32> {
    let h = params.hyper.x + replica * params.hyper.y;
    let differ = params.settings > HYPER_VALUES;
    let base = hyper[h + select(HYPER_LEARNING_RATE, HYPER_VALUES + i, differ)];
    if (differ && base == 0.0) {
        return vec3<f32>(value, state);
    }
    let rate = base * step.lr_factor;
    let settings = Hyper(hyper[h + HYPER_BETA_1], hyper[h + HYPER_ONE_MINUS_BETA_1], hyper[h + HYPER_BETA_2],
        hyper[h + HYPER_ONE_MINUS_BETA_2], hyper[h + HYPER_EPSILON]);
    var clipped = gradient;
    let limit = hyper[h + HYPER_CLIP_VALUE];
    if (limit > 0.0 && abs(clipped) > limit) {
        clipped = limit * sign(clipped);
    }
    let penalised = clipped + hyper[h + HYPER_L2] * value + hyper[h + HYPER_L1] * sign(value);
    let decayed = value - rate * hyper[h + HYPER_WEIGHT_DECAY] * value;
    return rule(decayed, penalised, state, rate, settings);
}
