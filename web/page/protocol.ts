// What the page and its worker say to each other. A number `run` counts the openings of experiments: words about an earlier one are dropped.
// A number `asked` is that of a change.

import type { Colour, Device } from "./api";
import type { Named } from "./files";

export interface Look {
  /** Column-major, from the drawn space to clip space; the fourth component is the distance from the eye, in units of what is looked at. */
  matrix: Float32Array;
  /** Of a token, in pixels. */
  radius: number;
  background: Float32Array;
  /** In a plane all tokens are in front. */
  flat: boolean;
}

export type ToWorker =
  | { kind: "open"; run: number; toml: string; arrays: Named[]; device: Device; sphere: boolean; playing: boolean }
  | { kind: "canvas"; canvas: OffscreenCanvas }
  | { kind: "change"; run: number; toml: string; asked: number }
  | { kind: "play"; on: boolean }
  | { kind: "step" }
  | { kind: "pace"; perSecond: number }
  | { kind: "look"; look: Look }
  | { kind: "size"; width: number; height: number }
  | { kind: "colour"; by: Colour }
  | { kind: "hidden"; on: boolean }
  | { kind: "point"; x: number; y: number }
  | { kind: "picture" }
  | { kind: "record"; on: boolean };

export interface Opened {
  kind: "opened";
  run: number;
  machine: string;
  method: string;
  count: number;
  replicas: number;
  dim: number;
  columns: string[];
}

export interface Progress {
  kind: "progress";
  run: number;
  time: number;
  steps: number;
  total: number;
  /** Layer-time for each second of the clock. */
  rate: number;
  method: string;
  ended: boolean;
}

export type FromWorker =
  | Opened
  | Progress
  | { kind: "canvas" }
  | { kind: "sample"; run: number; time: number; values: Float64Array }
  | { kind: "received"; run: number }
  | { kind: "changed"; run: number; asked: number; time: number; columns: string[] }
  | { kind: "refused"; run: number; asked: number; sentence: string }
  | { kind: "extent"; run: number; radius: number }
  | { kind: "error"; run: number; sentence: string; of: "open" | "run" | "page" }
  | { kind: "notice"; sentence: string }
  | { kind: "point"; index: number; x: number; y: number }
  | { kind: "picture"; blob: Blob }
  | { kind: "recording"; on: boolean; seconds: number }
  | { kind: "film"; blob: Blob; name: string };
