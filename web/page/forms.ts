// Choices of the controls, each a few keys of the experiment.

import { get, number, remove, set, word } from "./document";
import { countable } from "./scale";
import { isTable, type Table, type Value } from "./toml";

export interface Choice {
  id: string;
  label: string;
  /** `dim` is the number of components of a token, which an experiment that reads its tokens does not name. */
  apply(root: Table, dim: number): void;
  /** Whether there is such an equation with what else the experiment has. */
  fits?(root: Table): boolean;
}

/** Tokens e^{-tV} x, whose equation is that of one head with constant V and softmax. */
export const rescaled = (root: Table): boolean => word(root, "tokens.geometry", "") === "rescaled";
const unscaled = (root: Table): boolean => !rescaled(root);

const head = (root: Table, ...heads: Table[]): void => {
  if (heads.length) set(root, "attention.head", heads);
  else remove(root, "attention.head");
};

/** Of entries whose matrix has eigenvalues of order one. */
const variance = (dim: number): number => Number((1 / dim).toPrecision(4));

/** Turns by 60 degrees in the planes of components 1 and 2, 3 and 4, .. */
function rotation(d: number): Value {
  const [c, s] = [0.5, 0.8660254037844386];
  const rows = Array.from({ length: d }, (_, i) => Array.from({ length: d }, (_, j) => (i === j ? (i === d - 1 && d % 2 ? 1 : c) : 0) as number));
  for (let k = 0; k + 1 < d; k += 2) [rows[k]![k + 1], rows[k + 1]![k]] = [-s, s];
  return { rows };
}

export const MATRICES: Choice[] = [
  { id: "identity", label: "V = I", apply: (root) => head(root) },
  { id: "minus", label: "V = −I (repulsion)", apply: (root) => head(root, { value: { scale: -1 } }) },
  { id: "rotation", label: "V a rotation by 60°", apply: (root, dim) => head(root, { value: rotation(dim) }) },
  {
    id: "random",
    label: "Random, drawn once",
    apply: (root, dim) => head(root, { "query-key": { ensemble: "goe", variance: variance(dim) }, value: { "query-key": 1 } }),
  },
  {
    id: "heads",
    label: "Four random heads",
    apply: (root, dim) => head(root, { copies: 4, weight: 0.25, "query-key": { ensemble: "goe", variance: variance(dim) }, value: { "query-key": 1 } }),
    fits: unscaled,
  },
  {
    id: "layers",
    label: "Random, fresh every step",
    apply: (root, dim) => head(root, { value: { ensemble: "gaussian", variance: variance(dim), every: 1 } }),
    fits: unscaled,
  },
];

export const WEIGHTS: Choice[] = [
  ["softmax", "Softmax"],
  ["unnormalized", "Unnormalized"],
  ["shifted", "Shifted"],
  ["hardmax", "Hardmax (β = ∞)"],
  ["sinkhorn", "Sinkhorn"],
  ["relu", "ReLU"],
  ["sigmoid", "Sigmoid"],
].map(([id, label]) => ({
  id: id!,
  label: label!,
  // Sinkhorn makes rows and columns of all pairs stochastic.
  fits: (root) => id === "softmax" || (unscaled(root) && !(id === "sinkhorn" && word(root, "attention.mask", "none") !== "none")),
  apply(root) {
    set(root, "attention.normalization", id!);
    if (id === "sinkhorn") set(root, "attention.sinkhorn", { iterations: 100, tolerance: 1e-5 });
    else remove(root, "attention.sinkhorn");
    // Hardmax is beta = infinity, and its experiments may leave beta out.
    if (id !== "hardmax" && get(root, "attention.beta") === undefined) set(root, "attention.beta", 4);
  },
}));

export const MASKS: Choice[] = [
  { id: "none", label: "All tokens", apply: (root) => set(root, "attention.mask", "none") },
  { id: "causal", label: "Itself and before (causal)", apply: (root) => set(root, "attention.mask", "causal"), fits: (root) => word(root, "attention.normalization", "") !== "sinkhorn" },
];

export const PERCEPTRONS: Choice[] = [
  { id: "none", label: "None", apply: (root) => remove(root, "perceptron") },
  {
    id: "relu",
    label: "ReLU, two units",
    fits: unscaled,
    apply(root, dim) {
      const unit = (x: number, y: number): number[] => [x, y, ...Array.from({ length: dim - 2 }, () => 0)];
      set(root, "perceptron", { activation: "relu", gradient: { directions: [unit(1, 0), unit(-0.5, 0.8660254037844386)], weights: [0.5, 0.5] } });
    },
  },
];

/** Which choice an experiment has; undefined where it is of its own. */
export function chosen(root: Table, of: "matrices" | "weights" | "mask" | "perceptron", dim: number): string | undefined {
  if (of === "weights") return word(root, "attention.normalization", "");
  if (of === "mask") return word(root, "attention.mask", "none");
  const choices = of === "matrices" ? MATRICES : PERCEPTRONS;
  const path = of === "matrices" ? "attention.head" : "perceptron";
  const now = JSON.stringify(get(root, path) ?? null);
  return choices.find((choice) => {
    const trial: Table = { attention: {} };
    choice.apply(trial, dim);
    return JSON.stringify(get(trial, path) ?? null) === now;
  })?.id;
}

const ENERGIES = ["energy", "dissipation", "potential_energy", "head_energies"];
/** Numbers of a quantity, which the engine refuses where it is not measured. */
const NUMBERS: Record<string, string[]> = { clusters: ["threshold", "largest"], renyi_centres: ["separation"], modes: ["degree"] };

/** Quantities that mean something: those of the page, which asks for the histogram, follow the equation; of others some are left out. */
export function observe(root: Table): void {
  const quantities = get(root, "observe.quantities");
  if (!Array.isArray(quantities)) return;
  const energy = !["hardmax", "relu", "sigmoid"].includes(word(root, "attention.normalization", "")) && get(root, "attention.beta") !== 0;
  const dim = number(root, "tokens.dim", Infinity);
  const ours = quantities.includes("overlap_histogram");
  const conditions: Record<string, boolean> = {
    ...Object.fromEntries(ENERGIES.map((name) => [name, energy])),
    clusters: countable(number(root, "tokens.count", 1), dim),
    renyi_centres: /causal$/.test(word(root, "attention.mask", "none")),
    modes: dim === 2 || dim === 3,
    potential_energy: energy && isTable(get(root, "perceptron")),
  };
  const fit = (name: Value): boolean => conditions[String(name)] ?? true;
  const kept = quantities.filter(fit);
  const added = ["energy", "clusters"].filter((name) => ours && fit(name) && !kept.includes(name));
  const measured = [...kept.slice(0, 1), ...added, ...kept.slice(1)];
  set(root, "observe.quantities", measured);
  for (const [name, keys] of Object.entries(NUMBERS)) if (!measured.includes(name)) for (const key of keys) remove(root, `observe.${key}`);
}
