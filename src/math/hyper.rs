//! A replica's settings of the optimiser and the loss, as kernels read them.

macro_rules! hyper {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// A replica's row of the `hyper` buffer, by name. Shaders have the places as `HYPER_` and the name.
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[non_exhaustive]
        pub struct Hyper<T> {
            $($(#[$doc])* pub $name: T,)*
        }

        impl<T: Copy> Hyper<T> {
            /// The names in the order of the row.
            pub const NAMES: &[&str] = &[$(stringify!($name)),*];
            /// Values of a row.
            pub const LEN: usize = Self::NAMES.len();

            /// The settings of a row.
            pub fn of(row: &[T; HYPER_LEN]) -> Self {
                let [$($name),*] = *row;
                Self { $($name),* }
            }

            /// The row of the settings.
            pub fn row(self) -> [T; HYPER_LEN] {
                [$(self.$name),*]
            }
        }
    };
}

/// Values of a row.
pub(super) const HYPER_LEN: usize = Hyper::<f32>::LEN;

hyper! {
    /// Learning rate, before the schedule's factor.
    learning_rate,
    /// Decay of the first average.
    beta_1,
    /// 1 - beta_1, which f32 would round too coarsely.
    one_minus_beta_1,
    /// Decay of the second average.
    beta_2,
    /// 1 - beta_2.
    one_minus_beta_2,
    /// Keeps a division from 0.
    epsilon,
    /// Decoupled weight decay, in parts of the learning rate.
    weight_decay,
    /// Factor of the squared penalty's gradient, the parameter itself.
    l2,
    /// Factor of the absolute penalty's gradient, the parameter's sign.
    l1,
    /// Limit of a gradient's value; 0 for none.
    clip_value,
    /// Limit of the norm of all gradients; 0 for none.
    clip_norm,
    /// The loss's [parameter](crate::math::Loss::parameter).
    loss_parameter,
}
