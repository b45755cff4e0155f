// The engine as wasm-bindgen exports it: `web/pkg/tokenfield_web.js`, or the stand-in of the tests.

export type Colour = "start" | "cluster" | "speed" | "place";
export type Device = "auto" | "gpu" | "cpu";

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
  advance(most: number): Promise<number>;
  observe(): Promise<Float64Array>;
  tokens(): Promise<Float32Array>;
  change(toml: string): Promise<void>;
  colour(by: Colour): Promise<void>;
  colours(): Uint8Array;
  axes(): Promise<Float32Array>;
  resize(width: number, height: number): void;
  draw(matrix: Float32Array, radius: number, background: Float32Array): void;
  free(): void;
}

export interface Api {
  default(input?: unknown): Promise<unknown>;
  check(toml: string): string | undefined;
  written(toml: string): string;
  Session: { open(toml: string, device: Device, canvas?: OffscreenCanvas): Promise<Session> };
}
