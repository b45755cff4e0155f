//! The maximum mean discrepancy of a replica and the limit.

use super::{
    Definition, Limit, Need, Numbers, Objection, Observable, Parameter, Parametrized, Resolution, Setup, View,
    distances,
};
use crate::{
    budget::{Part, Sizes},
    observables::Reference,
    observe::Statistics,
    tokens::Tokens,
    transport::kernel,
    transport::zonal::SHARPEST,
};

/// `mmd_reference`: the maximum mean discrepancy of the kernel e^{beta (<x, y> - 1)}, pairs i = j included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MmdReference {
    /// The sharpness of the kernel.
    pub beta: f64,
}

const DEFINITION: Definition = Definition {
    word: "mmd_reference",
    documentation: "(sum_ij w_i w_j k(x_i, x_j) + int int k - 2 sum_i w_i int k(x_i, y))^{1/2}, integrals over the limit, of \
        the kernel k = e^{kernel-beta (<x, y> - 1)}, for tokens of length one",
    needs: &[Need::Tokens, Need::Reference],
    replicas_a_sample: 1,
    curve: None,
};

impl MmdReference {
    pub(super) const DEFAULT: Self = Self { beta: 4.0 };
}

impl Parametrized for MmdReference {
    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![Parameter::number("kernel-beta", &mut self.beta, "finite and greater than 0", |beta| beta > 0.0)]
    }
}

impl Observable for MmdReference {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        vec!["mmd_reference".into()]
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        let unbounded = || {
            Objection::new(
                "the kernel e^{beta (<x, y> - 1)} of mmd_reference is one of unit vectors, and grows without bound off the sphere",
                "write \"sinkhorn_reference\" or \"sliced_w2_reference\" instead",
            )
        };
        setup.objection_without_reference().or_else(|| (!setup.is_unit).then(unbounded))
    }

    fn objection_to_tokens(&self, setup: &Setup, _: &Tokens) -> Option<Objection> {
        let beta = self.beta;
        let sharp = || {
            Objection::new(
                format!(
                    "observe.kernel-beta = {beta:e} is a kernel sharper than a zonal limit resolves, which is {SHARPEST:e}"
                ),
                "write a smaller observe.kernel-beta, or reference.kind = \"particles\"",
            )
        };
        (setup.reference == Some(Reference::Zonal) && beta > SHARPEST).then(sharp)
    }

    fn memory(&self, sizes: &Sizes) -> Part {
        distances::memory(sizes)
    }

    fn measure(&self, view: &View, replica: usize, _: &Statistics) -> Numbers {
        let Some((limit, embedding)) = view.limit.and_then(|limit| Some((limit, limit.embedding.as_ref()?))) else {
            return Ok(vec![f64::NAN]);
        };
        let law = distances::sources(view, replica);
        let tokens = law.measure()?;
        let own = kernel::mean(&tokens, &tokens, self.beta)?;
        Ok(vec![kernel::discrepancy(own, embedding.square, limit.product(&tokens, self.beta)?)])
    }

    fn resolution(&self, sources: usize) -> Resolution {
        Resolution {
            pieces: 64.0 * (sources as f64).sqrt().max(self.beta.sqrt()),
            reads_moments: true,
            kernel_beta: Some(self.beta),
            ..Resolution::default()
        }
    }

    fn law_error(&self, limit: &Limit) -> Option<f64> {
        Some(limit.embedding.as_ref().map_or(0.0, |embedding| embedding.error))
    }

    fn law_nodes(&self, limit: &Limit) -> Option<usize> {
        limit.embedding.as_ref().map(|embedding| embedding.nodes)
    }
}
