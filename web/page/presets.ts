// Experiments to begin with: what one should see, and by which paper.

import causal from "./presets/causal.toml?raw";
import clusters from "./presets/clusters.toml?raw";
import commonNoise from "./presets/common-noise.toml?raw";
import hardmax from "./presets/hardmax.toml?raw";
import hemisphere from "./presets/hemisphere.toml?raw";
import metastable from "./presets/metastable.toml?raw";
import noise from "./presets/noise.toml?raw";
import perceptron from "./presets/perceptron.toml?raw";
import polytope from "./presets/polytope.toml?raw";
import repulsion from "./presets/repulsion.toml?raw";
import selectedMode from "./presets/selected-mode.toml?raw";
import sinkhorn from "./presets/sinkhorn.toml?raw";
import spectral from "./presets/spectral.toml?raw";
import wordsOfText from "./presets/words.toml?raw";

export interface Preset {
  id: string;
  title: string;
  /** What is set up. */
  says: string;
  /** What one should see. */
  law: string;
  paper: { authors: string; title: string; arxiv: string };
  toml: string;
}

const paper = (authors: string, title: string, arxiv: string): Preset["paper"] => ({ authors, title, arxiv });

export const PRESETS: Preset[] = [
  {
    id: "clusters",
    title: "Clusters on the sphere",
    says: "Uniform tokens on the sphere attend to each other at inverse temperature 16.",
    law: "They gather into a few metastable clusters, which then merge pair by pair.",
    paper: paper("Rigollet", "The Mean-Field Dynamics of Transformers", "2512.01868"),
    toml: clusters,
  },
  {
    id: "metastable",
    title: "Metastable clusters on the circle",
    says: "512 uniform tokens on the circle.",
    law: "Clusters form fast and last long; two with the overlap u merge after about e^(β(1 − u)) / (2β(1 − u²)), and the energy rises in steps.",
    paper: paper("Geshkovski, Koubbi, Polyanskiy, Rigollet", "Dynamic metastability in the self-attention model", "2410.06833"),
    toml: metastable,
  },
  {
    id: "selected-mode",
    title: "The fastest mode",
    says: "A nearly uniform circle, perturbed equally in six Fourier modes.",
    law: "Mode k grows at the rate k² I_k(β) / (β I_0(β)), and as many clusters emerge as the fastest has maxima: 2, 3, 4 at β = 2, 5, 8.",
    paper: paper("Bruno, Pasqualotto, Agazzi", "Emergence of meta-stable clustering in mean-field transformer models", "2410.23228"),
    toml: selectedMode,
  },
  {
    id: "hemisphere",
    title: "Collapse in high dimension",
    says: "32 tokens in R^64, seen along their three principal directions.",
    law: "At most d uniform tokens lie in an open hemisphere: they end in one point, and distances fall like e^(−t).",
    paper: paper("Rigollet", "The Mean-Field Dynamics of Transformers", "2512.01868"),
    toml: hemisphere,
  },
  {
    id: "causal",
    title: "Causal attention",
    says: "Each token attends to those before it, at inverse temperature 64.",
    law: "Tokens far from all before them, strong Rényi centres, hardly move for a long time, and most others gather about them.",
    paper: paper("Karagodin, Polyanskiy, Rigollet", "Clustering in causal attention masking", "2411.04990"),
    toml: causal,
  },
  {
    id: "repulsion",
    title: "Repelling tokens",
    says: "V = −I, and all tokens start in a cap.",
    law: "The energy descends to that of the uniform measure, its only minimiser.",
    paper: paper("Álvarez-López, Geshkovski, Ruiz-Balet", "Perceptrons and localization of attention's mean-field landscape", "2601.21366"),
    toml: repulsion,
  },
  {
    id: "perceptron",
    title: "A perceptron localises",
    says: "Repelling attention against a ReLU perceptron of two units.",
    law: "Every stationary measure has finitely many atoms: tokens collect in a few points, as many for more tokens.",
    paper: paper("Álvarez-López, Geshkovski, Ruiz-Balet", "Perceptrons and localization of attention's mean-field landscape", "2601.21366"),
    toml: perceptron,
  },
  {
    id: "noise",
    title: "Order against noise",
    says: "Unnormalized attention of strength 2.04 against independent noise.",
    law: "Above the threshold, 1.359 at β = 1 on the sphere, the mean grows until most tokens are on one side; below it, it dies out.",
    paper: paper("Mun, Rosenzweig", "Phase transitions for the noisy transformer model in arbitrary dimension", "2606.05140"),
    toml: noise,
  },
  {
    id: "common-noise",
    title: "Synchronised by noise",
    says: "No attention: random perceptrons, fresh at every instant and the same for all tokens.",
    law: "Close tokens come together: one minus their overlap has the exponent −1 under ReLU, in every dimension.",
    paper: paper("Agazzi, Bruno, Mosig García, Saviozzi, Romito", "Stochastic Scaling Limits and Synchronization by Noise in Deep Transformer Models", "2604.26898"),
    toml: commonNoise,
  },
  {
    id: "sinkhorn",
    title: "Sinkhorn attention",
    says: "Rows and columns of the attention matrix have sums of one.",
    law: "Mode k grows at the rate k² I_k / (β (I_0 + I_k)): for small k and large β half as fast as under softmax.",
    paper: paper("Sander, Ablin, Blondel, Peyré", "Sinkformers: Transformers with Doubly Stochastic Attention", "2110.11773"),
    toml: sinkhorn,
  },
  {
    id: "hardmax",
    title: "Hardmax and Voronoi cells",
    says: "β = ∞ in the plane: each token steps towards the one of the largest score.",
    law: "Vertices of the hull stay, and inner tokens move straight to the vertex of their cell.",
    paper: paper("Alcalde, Geshkovski, Ruiz-Balet", "Attention's forward pass and Frank-Wolfe", "2508.09628"),
    toml: hardmax,
  },
  {
    id: "spectral",
    title: "Spectral selection",
    says: "Q^T K = V = diag(3, 2, −2.5), tokens in a hemisphere.",
    law: "All go to the eigenvector of the dominant eigenvalue; the component along the second vanishes last.",
    paper: paper("Kuehn, Yoon", "Spectral Selection in Symmetric Self-Attention Dynamics", "2604.26085"),
    toml: spectral,
  },
  {
    id: "polytope",
    title: "Corners of a polytope",
    says: "Tokens of the plane under V = I, divided by their growth e^t.",
    law: "The attention matrix becomes Boolean, and tokens go to corners of a polytope at the rate 1.",
    paper: paper("Geshkovski, Letrouit, Polyanskiy, Rigollet", "The emergence of clusters in self-attention dynamics", "2305.05465"),
    toml: polytope,
  },
  {
    id: "words",
    title: "Words of a real text",
    says: "256 tokens of a text where all-MiniLM-L6-v2 has them before its first layer, in R^384. Point at one to read its word.",
    law: "At β = 16 they stand in many clusters that no longer move; at β = 8 nearly all gather in one.",
    paper: paper("Geshkovski, Letrouit, Polyanskiy, Rigollet", "A mathematical perspective on Transformers", "2312.10794"),
    toml: wordsOfText,
  },
];
