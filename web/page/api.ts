// The engine as wasm-bindgen exports it: `web/pkg/tokenfield_web.js`, or the stand-in of the tests.

export type Colour = "start" | "cluster" | "speed" | "place";
export type Device = "auto" | "gpu" | "cpu" | "cpu-double";

/** What can be drawn before the first step, while kernels are compiled. */
export interface Opening {
  readonly draws: boolean;
  resize(width: number, height: number): void;
  draw(matrix: Float32Array, radius: number, background: Float32Array, flat: boolean): void;
  drawn(): Promise<unknown>;
  /** Takes the opening. */
  finish(): Promise<Session>;
}

export interface Session {
  readonly machine: string;
  readonly draws: boolean;
  readonly count: number;
  readonly replicas: number;
  readonly dim: number;
  readonly steps: number;
  readonly total_steps: number;
  readonly time: number;
  readonly method: string;
  readonly columns: string[];
  readonly is_sampled: boolean;
  readonly ended: boolean;
  advance(most: number): Promise<number>;
  observe(): Promise<Float64Array>;
  tokens(): Promise<Float32Array>;
  change(toml: string): Promise<void>;
  colour(by: Colour): Promise<void>;
  colours(): Uint8Array;
  axes(): Promise<Float32Array>;
  resize(width: number, height: number): void;
  draw(matrix: Float32Array, radius: number, background: Float32Array, flat: boolean): void;
  free(): void;
}

/** Arrays by the names that experiments have in place of a path; opening a session takes them. */
export interface Arrays {
  insert(name: string, shape: Uint32Array, values: Float64Array): void;
  free(): void;
}

export interface Api {
  default(input?: unknown): Promise<unknown>;
  Arrays: new () => Arrays;
  check(toml: string, arrays: Arrays): string | undefined;
  Opening: { begin(toml: string, device: Device, canvas: OffscreenCanvas | undefined, arrays: Arrays): Promise<Opening> };
}
