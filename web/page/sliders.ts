// Sliders and fields of the experiment: where their numbers stand, and what changes with them.

import { get, number, set } from "./document";
import { source } from "./files";
import { chosen, MATRICES, observe, PERCEPTRONS, rescaled } from "./forms";
import { BETA, COUNT, NOISE, STEP, whole, type Scale } from "./scale";
import { isTable, type Table } from "./toml";

export interface Slider {
  id: string;
  path: string;
  scale: Scale;
  what: "equation" | "tokens";
  /** Zero is at the left end. */
  zero?: boolean;
  set(root: Table, value: number): void;
  /** Whether an experiment has a number there that may change. */
  fits?(root: Table): boolean;
}

const isDrawn = (root: Table): boolean => source(root) === undefined;

export const SLIDERS: Slider[] = [
  { id: "beta", path: "attention.beta", scale: BETA, what: "equation", set: beta },
  { id: "count", path: "tokens.count", scale: COUNT, what: "tokens", set: count, fits: isDrawn },
  { id: "step-length", path: "time.step", scale: STEP, what: "equation", set: step },
  { id: "noise-intensity", path: "noise.intensity", scale: NOISE, what: "equation", zero: true, set: noise, fits: (root) => !rescaled(root) },
];

export interface Field {
  id: string;
  path: string;
  what: "equation" | "tokens";
  /** `dim` is the number of components of a token so far. */
  set(root: Table, value: number, dim: number): void;
  fits?(root: Table): boolean;
}

export const FIELDS: Field[] = [
  { id: "seed", path: "tokens.seed", what: "tokens", set: (root, value) => set(root, "tokens.seed", Math.max(0, Math.round(value))) },
  { id: "dim", path: "tokens.dim", what: "tokens", set: dimension, fits: isDrawn },
  { id: "end", path: "time.end", what: "equation", set: (root, value) => set(root, "time.end", value) },
];

/** Matrices and directions that were chosen here are made again, for tokens of the new dimension. */
function dimension(root: Table, value: number, before: number): void {
  const dim = Math.max(1, Math.round(value));
  const again = [
    MATRICES.find(({ id }) => id === chosen(root, "matrices", before)),
    PERCEPTRONS.find(({ id }) => id === chosen(root, "perceptron", before)),
  ];
  set(root, "tokens.dim", dim);
  for (const choice of again) choice?.apply(root, dim);
  observe(root);
}

function beta(root: Table, value: number): void {
  set(root, "attention.beta", value);
  observe(root);
}

function count(root: Table, value: number): void {
  set(root, "tokens.count", value);
  observe(root);
}

/** A step of another length: the end and the samples stay whole numbers of it. */
function step(root: Table, value: number): void {
  set(root, "time.step", value);
  for (const path of ["observe.every", "time.end"]) {
    const time = get(root, path);
    if (typeof time === "number") set(root, path, whole(time, value));
  }
  const every = get(root, "observe.every");
  if (typeof every === "number" && number(root, "time.end", every) < every) set(root, "observe.every", number(root, "time.end", every));
}

/** Of the field that the experiment has, and independent where it has none. */
function noise(root: Table, value: number): void {
  if (isTable(get(root, "noise"))) return set(root, "noise.intensity", value);
  if (value === 0) return;
  const scheme = get(root, "time.scheme") === "euler" ? "euler" : "heun";
  set(root, "time.scheme", scheme);
  set(root, "noise", { field: "independent", intensity: value, calculus: scheme === "euler" ? "ito" : "stratonovich" });
}
