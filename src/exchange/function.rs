//! Which activation a stretch of a graph computes. Exporters write the same function in many ways (gelu alone with Erf,
//! with Tanh or as a node), so a function is followed by its values at a few places and known by them, not by its form.
//! What only scales and shifts, before an activation and behind it, is told apart from it.

use std::sync::LazyLock;

use crate::math::Activation;

/// Where functions are looked at: on both sides of every kink, in the tails, and where gelu and gelu_tanh differ.
const PLACES: [f64; 19] =
    [-20.0, -8.0, -5.0, -3.0, -2.1, -1.3, -0.7, -0.3, -0.01, 0.0, 0.01, 0.2, 0.6, 1.1, 2.3, 3.4, 5.0, 9.0, 21.0];
/// Most by which a value may differ, as a part of 1 + |value|. Constants in files are f32; gelu and gelu_tanh are 1e-4
/// apart.
const TOLERANCE: f64 = 3e-6;
/// Most points from which a function is seen. gelu with Erf behind a scale needs three: z, the scaled z, and that by √2.
const MOST_VIEWS: usize = 4;

type Values = [f64; PLACES.len()];

/// A function of one number z, as its values where z, or something in between that is affine in z, is at [`PLACES`].
#[derive(Clone, Debug, PartialEq)]
pub enum Function {
    /// The same everywhere.
    Constant(f64),
    /// Seen from z itself, and from each affine stretch that it went through.
    Of(Vec<View>),
}

/// Values of a function where factor · z + shift is at [`PLACES`].
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    factor: f64,
    shift: f64,
    values: Values,
}

/// outer.0 · kind(inner.0 · z + inner.1) + outer.1. The identity has all in `inner`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    pub inner: (f64, f64),
    pub kind: Kind,
    pub outer: (f64, f64),
}

/// What a function is, but for scales and shifts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// An activation, the identity among them.
    Activation(Activation),
    /// e^z.
    Exp,
}

/// What functions are compared with: all activations but the identity, which is affine, and the exponential.
static KINDS: LazyLock<Vec<(Kind, Values)>> = LazyLock::new(|| {
    let activations = Activation::ALL.iter().filter(|&&activation| activation != Activation::Identity);
    let kinds = activations.map(|&activation| Kind::Activation(activation)).chain([Kind::Exp]);
    kinds.map(|kind| (kind, kind.values())).collect()
});

/// A scale of 1 and a shift of 0.
pub const UNCHANGED: (f64, f64) = (1.0, 0.0);

impl Function {
    /// f(z) = z.
    pub fn identity() -> Self {
        Self::Of(vec![View { factor: 1.0, shift: 0.0, values: PLACES }])
    }

    pub fn map(self, f: impl Fn(f64) -> f64) -> Self {
        match self {
            Self::Constant(value) => Self::Constant(f(value)),
            Self::Of(views) => {
                let view = |of: View| View { values: of.values.map(&f), ..of };
                Self::Of(views.into_iter().map(view).collect()).with_view_of_itself()
            }
        }
    }

    pub fn zip(self, other: Self, f: impl Fn(f64, f64) -> f64) -> Self {
        match (self, other) {
            (Self::Constant(a), other) => other.map(|b| f(a, b)),
            (a, Self::Constant(b)) => a.map(|a| f(a, b)),
            (Self::Of(views), Self::Of(others)) => {
                let both = views.into_iter().filter_map(|mut view| {
                    let other = others.iter().find(|of| (of.factor, of.shift) == (view.factor, view.shift))?;
                    view.values.iter_mut().zip(other.values).for_each(|(a, b)| *a = f(*a, b));
                    Some(view)
                });
                Self::Of(both.collect()).with_view_of_itself()
            }
        }
    }

    /// The activation of this function.
    pub fn then(self, activation: Activation) -> Self {
        self.map(|z| {
            let mut a = [z];
            activation.forward(&[z], &mut a);
            a[0]
        })
    }

    /// Whether it has this value everywhere, but for rounding.
    pub fn is(&self, value: f64) -> bool {
        match self {
            Self::Constant(found) => *found == value,
            Self::Of(views) => views.first().is_some_and(|view| is_near(&view.values, &[value; PLACES.len()])),
        }
    }

    pub fn is_identity(&self) -> bool {
        matches!(self, Self::Of(views) if views.first().is_some_and(|view| view.values == PLACES))
    }

    /// Whether f leaves all its values as they are.
    pub fn is_kept_by(&self, f: impl Fn(f64) -> f64) -> bool {
        match self {
            Self::Constant(value) => f(*value) == *value,
            Self::Of(views) => views.iter().flat_map(|view| view.values).all(|value| f(value) == value),
        }
    }

    pub fn known(&self) -> Option<Known> {
        if let Some(inner) = self.affine() {
            return Some(Known { inner, kind: Kind::Activation(Activation::Identity), outer: UNCHANGED });
        }
        let Self::Of(views) = self else { return None };
        let as_it_is = views.iter().find_map(|view| {
            let (kind, _) = KINDS.iter().find(|(_, values)| is_near(&view.values, values))?;
            Some(Known { inner: (view.factor, view.shift), kind: *kind, outer: UNCHANGED })
        });
        let of = |view: &View| {
            let scaled = |&(kind, values): &(Kind, Values)| {
                let outer = scaled(&view.values, &values).filter(|_| kind != Kind::Exp)?;
                Some(Known { inner: (view.factor, view.shift), kind, outer })
            };
            KINDS.iter().find_map(scaled)
        };
        as_it_is.or_else(|| views.iter().find_map(of))
    }

    /// Factor and shift of z · factor + shift, which may be as small as they like.
    fn affine(&self) -> Option<(f64, f64)> {
        let Self::Of(views) = self else { return None };
        let values = &views.first()?.values;
        let zero = PLACES.iter().position(|&z| z == 0.0)?;
        let (last, shift) = (PLACES.len() - 1, values[zero]);
        let factor = (values[last] - shift) / PLACES[last];
        let size = factor.abs() + shift.abs();
        let is_near = |(z, value): (f64, &f64)| (factor * z + shift - value).abs() <= 1e-12 * size * (1.0 + z.abs());
        let is_affine = factor != 0.0 && size.is_finite() && PLACES.into_iter().zip(values).all(is_near);
        is_affine.then_some((factor, shift))
    }

    /// An affine function is what an activation may come behind: from there on it is seen from there, too.
    fn with_view_of_itself(mut self) -> Self {
        let affine = self.affine();
        if let (Self::Of(views), Some((factor, shift))) = (&mut self, affine)
            && !views.iter().any(|view| (view.factor, view.shift) == (factor, shift))
        {
            if views.len() == MOST_VIEWS {
                views.remove(1);
            }
            views.push(View { factor, shift, values: PLACES });
        }
        self
    }
}

impl Kind {
    fn values(self) -> Values {
        match self {
            Self::Exp => PLACES.map(f64::exp),
            Self::Activation(activation) => {
                let mut values = PLACES;
                activation.forward(&PLACES, &mut values);
                values
            }
        }
    }
}

/// Whether both have the same values, but for rounding.
fn is_near(found: &Values, expected: &Values) -> bool {
    // Not `>`: a NaN differs.
    found.iter().zip(expected).all(|(&a, &b)| a == b || (a - b).abs() <= TOLERANCE * (1.0 + b.abs()))
}

/// Scale and shift that make the expected values what was found, if any do.
fn scaled(found: &Values, expected: &Values) -> Option<(f64, f64)> {
    let places = 0..PLACES.len();
    let low = places.clone().min_by(|&a, &b| expected[a].total_cmp(&expected[b]))?;
    let high = places.max_by(|&a, &b| expected[a].total_cmp(&expected[b]))?;
    let scale = (found[high] - found[low]) / (expected[high] - expected[low]);
    let shift = found[low] - scale * expected[low];
    let limit = |value: f64| TOLERANCE * scale.abs() * (1.0 + value.abs()) + 1e-12 * shift.abs();
    let is_near = |(&a, &b): (&f64, &f64)| (scale * b + shift - a).abs() <= limit(b);
    let is_scaled = scale != 0.0 && scale.is_finite() && shift.is_finite() && found.iter().zip(expected).all(is_near);
    is_scaled.then_some((scale, shift))
}
