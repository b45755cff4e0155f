// Choices of the controls, each a few keys of the experiment.

import { get, number, remove, set, word } from "./document";
import { isTable, type Table, type Value } from "./toml";

export interface Choice {
  id: string;
  label: string;
  apply(root: Table): void;
}

const dim = (root: Table): number => number(root, "tokens.dim", 3);
const head = (root: Table, ...heads: Table[]): void => {
  if (heads.length) set(root, "attention.head", heads);
  else remove(root, "attention.head");
};

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
  { id: "rotation", label: "V a rotation by 60°", apply: (root) => head(root, { value: rotation(dim(root)) }) },
  {
    id: "random",
    label: "Random, drawn once",
    apply: (root) => head(root, { "query-key": { ensemble: "goe", variance: Number((1 / dim(root)).toPrecision(4)) }, value: { "query-key": 1 } }),
  },
  {
    id: "heads",
    label: "Four random heads",
    apply: (root) =>
      head(root, { copies: 4, weight: 0.25, "query-key": { ensemble: "goe", variance: Number((1 / dim(root)).toPrecision(4)) }, value: { "query-key": 1 } }),
  },
  {
    id: "layers",
    label: "Random, fresh every step",
    apply: (root) => head(root, { value: { ensemble: "gaussian", variance: Number((1 / dim(root)).toPrecision(4)), every: 1 } }),
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
  apply(root) {
    set(root, "attention.normalization", id!);
    if (id === "sinkhorn") set(root, "attention.sinkhorn", { iterations: 100, tolerance: 1e-5 });
    else remove(root, "attention.sinkhorn");
  },
}));

export const MASKS: Choice[] = [
  { id: "none", label: "All tokens", apply: (root) => set(root, "attention.mask", "none") },
  { id: "causal", label: "Those before (causal)", apply: (root) => set(root, "attention.mask", "causal") },
];

export const PERCEPTRONS: Choice[] = [
  { id: "none", label: "None", apply: (root) => remove(root, "perceptron") },
  {
    id: "relu",
    label: "ReLU, two units",
    apply(root) {
      const unit = (x: number, y: number): number[] => [x, y, ...Array.from({ length: dim(root) - 2 }, () => 0)];
      set(root, "perceptron", { activation: "relu", gradient: { directions: [unit(1, 0), unit(-0.5, 0.8660254037844386)], weights: [0.5, 0.5] } });
    },
  },
];

/** Which choice an experiment has; undefined where it is of its own. */
export function chosen(root: Table, of: "matrices" | "weights" | "mask" | "perceptron"): string | undefined {
  if (of === "weights") return word(root, "attention.normalization", "");
  if (of === "mask") return word(root, "attention.mask", "none");
  const choices = of === "matrices" ? MATRICES : PERCEPTRONS;
  const path = of === "matrices" ? "attention.head" : "perceptron";
  const now = JSON.stringify(get(root, path) ?? null);
  return choices.find((choice) => {
    const trial = { tokens: { dim: dim(root) }, attention: {} } as Table;
    choice.apply(trial);
    return JSON.stringify(get(trial, path) ?? null) === now;
  })?.id;
}

const ENERGIES = ["energy", "dissipation", "potential_energy", "head_energies"];
// Of more tokens counting clusters takes longer than a picture may.
const COUNTED = 50_000;

/** Quantities that mean something: those of the page, which asks for the histogram, follow the equation; of others some are left out. */
export function observe(root: Table): void {
  const quantities = get(root, "observe.quantities");
  if (!Array.isArray(quantities)) return;
  const energy = !["hardmax", "relu", "sigmoid"].includes(word(root, "attention.normalization", "")) && get(root, "attention.beta") !== 0;
  const few = number(root, "tokens.count", 1) <= COUNTED;
  const ours = quantities.includes("overlap_histogram");
  const fit = (name: Value): boolean => (energy || !ENERGIES.includes(String(name))) && (few || name !== "clusters") && (name !== "potential_energy" || isTable(get(root, "perceptron")));
  const kept = quantities.filter(fit);
  const added = ["energy", "clusters"].filter((name) => ours && fit(name) && !kept.includes(name));
  set(root, "observe.quantities", [...kept.slice(0, 1), ...added, ...kept.slice(1)]);
}
