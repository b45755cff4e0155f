//! Which vector instructions this processor has, chosen once at run time.

use super::exp2::Exp2;

/// A piece of work written once for every instruction set.
pub(crate) trait Kernel {
    type Output;

    fn run<S: Exp2>(self, simd: S) -> Self::Output;
}

/// The widest instruction set of this processor that the kernels are compiled for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Instructions {
    #[cfg(target_arch = "x86_64")]
    Avx512(pulp::x86::V4),
    #[cfg(target_arch = "x86_64")]
    Avx2(pulp::x86::V3),
    #[cfg(target_arch = "aarch64")]
    Neon(pulp::aarch64::Neon),
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    Simd128(pulp::wasm::Simd128),
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    Portable,
}

impl Instructions {
    pub(crate) fn detect() -> Self {
        Self::available()[0]
    }

    /// Every instruction set that runs here, the widest first.
    pub(crate) fn available() -> Vec<Self> {
        let mut sets = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            sets.extend(pulp::x86::V4::try_new().map(Self::Avx512));
            sets.extend(pulp::x86::V3::try_new().map(Self::Avx2));
        }
        #[cfg(target_arch = "aarch64")]
        sets.extend(pulp::aarch64::Neon::try_new().map(Self::Neon));
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        sets.extend(pulp::wasm::Simd128::try_new().map(Self::Simd128));
        #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
        sets.extend([Self::Portable]);
        sets
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => "AVX-512",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => "AVX2",
            #[cfg(target_arch = "aarch64")]
            Self::Neon(_) => "NEON",
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Simd128(_) => "SIMD128",
            #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
            Self::Portable => "portable",
        }
    }

    pub(crate) fn vector_bytes(self) -> Option<usize> {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => Some(64),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => Some(32),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(_) => Some(16),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Simd128(_) => Some(16),
            #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
            Self::Portable => None,
        }
    }

    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(simd) => simd.vectorize(Bound { simd, kernel }),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(simd) => simd.vectorize(Bound { simd, kernel }),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(simd) => simd.vectorize(Bound { simd, kernel }),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Simd128(simd) => simd.vectorize(Bound { simd, kernel }),
            #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
            Self::Portable => kernel.run(pulp::Scalar256b),
        }
    }
}

/// A kernel with the instruction set it is about to run on, inlined under that set's target features.
struct Bound<S, K> {
    simd: S,
    kernel: K,
}

impl<S: Exp2, K: Kernel> pulp::NullaryFnOnce for Bound<S, K> {
    type Output = K::Output;

    #[inline(always)]
    fn call(self) -> Self::Output {
        self.kernel.run(self.simd)
    }
}
