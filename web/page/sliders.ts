// Sliders of the experiment: where their numbers stand, and what changes with them.

import { get, number, set } from "./document";
import { source } from "./files";
import { observe, rescaled } from "./forms";
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

export const SLIDERS: Slider[] = [
  { id: "beta", path: "attention.beta", scale: BETA, what: "equation", set: beta },
  { id: "count", path: "tokens.count", scale: COUNT, what: "tokens", set: count, fits: (root) => source(root) === undefined },
  { id: "step-length", path: "time.step", scale: STEP, what: "equation", set: step },
  { id: "noise-intensity", path: "noise.intensity", scale: NOISE, what: "equation", zero: true, set: noise, fits: (root) => !rescaled(root) },
];

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
