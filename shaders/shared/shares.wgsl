// The sum of element i of g[groups,stride] over the groups, in ascending order.
fn total(i: u32, replica: u32) -> f32 {
    let first = params.g.x + replica * params.g.y + i;
    var sum = 0.0;
    for (var share = 0u; share < params.groups; share++) {
        sum += g[first + share * params.stride];
    }
    return sum;
}
