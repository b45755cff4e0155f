//! How fast tokens move: whether they have come to rest.

use super::{
    Among, Definition, Need, Numbers, Objection, Observable, Parameter, Parametrized, Setup, View, equation::Equation,
};
use crate::{
    budget::{DOUBLE, Part, Sizes},
    model::Geometry,
    observe::Statistics,
    vector::norm,
};

/// `velocity_largest` = max_i |dx_i/dt| and `velocity_rms` = (sum_i w_i |dx_i/dt|^2)^{1/2} over tokens that are not
/// passive, or over passive ones, each as heavy as another; dx/dt being
/// the field as the geometry lets it move a token ([`Field::Tangent`](crate::model::Field::Tangent)), without noise, in the precision of the
/// backend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Velocity {
    /// Over which tokens.
    pub of: Among,
}

const DEFINITION: Definition = Definition {
    word: "velocity",
    documentation: "velocity_largest = max_i |dx_i/dt| and velocity_rms = (sum_i w_i |dx_i/dt|^2)^{1/2} over tokens that are \
        not passive, or over passive ones (`of`), of weight 1/m each, without the noise; time.stop = \"velocity_largest < 1e-6\" ends a run where nothing moves; one \
        more evaluation of the field for each sample; not for layer-norm",
    needs: &[Need::Velocities],
    replicas_a_sample: 1,
    curve: None,
};

impl Velocity {
    pub(super) const DEFAULT: Self = Self { of: Among::Sources };
}

impl Parametrized for Velocity {
    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![Parameter::among(&mut self.of)]
    }
}

impl Observable for Velocity {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        vec!["velocity_largest".into(), "velocity_rms".into()]
    }

    fn objection(&self, _: &Setup) -> Option<Objection> {
        None
    }

    fn objection_to_problem(&self, equation: &Equation) -> Option<Objection> {
        let is_layer_norm = matches!(equation.model.geometry, Geometry::LayerNorm { .. });
        let other = || {
            Objection::new(
                "velocity is that of tokens in continuous time, and layer norms move them at once",
                "leave \"velocity\" out, or write another tokens.geometry",
            )
        };
        is_layer_norm.then(other).or_else(|| self.of.objection(equation.tokens.shape))
    }

    fn memory(&self, sizes: &Sizes) -> Part {
        Part::new("velocities that are read back", DOUBLE, &sizes.shape())
    }

    fn measure(&self, view: &View, replica: usize, _: &Statistics) -> Numbers {
        let tokens = view.equation.tokens;
        let among = self.of.range(tokens.shape);
        let velocities = &view.velocities(replica)[among.start * tokens.shape.dim..];
        let speeds = among.clone().zip(velocities.chunks_exact(tokens.shape.dim).map(norm));
        let (mut largest, mut square) = (0.0f64, 0.0);
        for (token, speed) in speeds {
            // What is not a number is not forgotten.
            if speed.is_nan() || speed > largest {
                largest = speed;
            }
            let weight = match self.of {
                Among::Sources => tokens.weight(replica, token),
                Among::Passive => 1.0 / among.len() as f64,
            };
            square += weight * speed * speed;
        }
        Ok(vec![largest, square.sqrt()])
    }
}
