//! Choices that kernels make at run time: each is an enum here, and constants of the same numbers in the shader.

use bytemuck::NoUninit;

use crate::{backend::Point, model};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $constant:literal,)* })*) => { $(
        $(#[$doc])*
        #[repr(u32)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, NoUninit)]
        pub enum $name {
            $($(#[$variant_doc])* #[doc = concat!("`", $constant, "` in shaders.")] $variant),*
        }

        impl $name {
            /// The names that the shader has for the variants, and their numbers.
            pub const CODES: &'static [(&'static str, u32)] = &[$(($constant, $name::$variant as u32)),*];
        }
    )* };
}

codes! {
    /// The activation of a product.
    Activation {
        Identity = "IDENTITY",
        Relu = "RELU",
        Gelu = "GELU",
        Tanh = "TANH",
    }
    /// What becomes of a field f at x.
    FieldRule {
        /// f - x <x, f>.
        Tangent = "TANGENT",
        /// f / |f|.
        Direction = "DIRECTION",
        /// alpha (f - x <x, f>) / |f|.
        Ngpt = "NGPT",
        /// Zero, whatever f was.
        Zero = "ZERO",
    }
    /// What keeps a combination of stages where tokens live.
    Retraction {
        /// y / |y|.
        Sphere = "SPHERE",
        /// y.
        Identity = "IDENTITY",
        LayerNorm = "LAYER_NORM",
    }
    /// The point of the scheme that is written.
    Destination {
        State = "STATE",
        Stage = "STAGE",
    }
    /// How the rows of a table enter the rows of tokens.
    TableRule {
        Add = "ADD",
        /// Pairs of components turn by an angle.
        Turn = "TURN",
        /// All components are multiplied by a number of their replica.
        Scale = "SCALE",
    }
    /// The steps of a Sinkhorn iteration that follow its sums.
    SinkhornPhase {
        /// Potentials of zero, before the first iteration.
        Start = "START",
        /// After the sums over rows, and over columns.
        Rows = "ROWS",
        Columns = "COLUMNS",
        /// The potentials of the columns are kept if these were not balanced.
        End = "END",
        /// Of the last iteration nothing is kept but how far the columns are from being balanced.
        Last = "LAST",
    }
}

impl From<model::Activation> for Activation {
    fn from(activation: model::Activation) -> Activation {
        match activation {
            model::Activation::Identity => Activation::Identity,
            model::Activation::Relu => Activation::Relu,
            model::Activation::Gelu => Activation::Gelu,
            model::Activation::Tanh => Activation::Tanh,
        }
    }
}

impl From<Point> for Destination {
    fn from(point: Point) -> Destination {
        match point {
            Point::State => Destination::State,
            Point::Stage => Destination::Stage,
        }
    }
}
