// A stand-in for the engine with the same interface, for work on the page without Rust: tokens move towards averages over a few others, which
// looks like the real thing and is not it.

import type { Api, Colour, Device, Opening as Before, Session as Face } from "../page/api";
import type { Arrays as Names } from "../page/api";
import { get, number, word } from "../page/document";
import { parse, type Table } from "../page/toml";

const KEYS = 192;

export default async function init(): Promise<void> {}

export class Arrays implements Names {
  readonly all = new Map<string, { shape: Uint32Array; values: Float64Array }>();
  insert(name: string, shape: Uint32Array, values: Float64Array): void {
    this.all.set(name, { shape, values });
  }
  free(): void {}
}

export function check(toml: string, _arrays: Arrays): string | undefined {
  try {
    const root = parse(toml);
    if (get(root, "tokens.initial") === undefined) return "tokens.initial is missing: say where tokens start, such as { law = \"uniform\" }.";
    const beta = get(root, "attention.beta");
    if (typeof beta === "number" && beta < 0) return `attention.beta is ${beta}: it has to be at least 0.`;
    if (number(root, "tokens.count", 1) < 1) return "tokens.count is 0: there has to be a token at least.";
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const hue = (t: number): number[] => [0, 2, 4].map((k) => Math.round(150 + 90 * Math.cos(2 * Math.PI * (t - k / 6))));
const random = (seed: number) => () => ((seed = (seed * 1664525 + 1013904223) >>> 0) / 2 ** 32);

export class Session implements Face {
  readonly machine: string;
  readonly draws = false;
  readonly replicas = 1;
  readonly method = "direct";
  readonly columns: string[];
  readonly count: number;
  readonly dim: number;
  steps = 0;
  private root: Table;
  private x: Float32Array;
  private start: Float32Array;
  private by: Colour = "start";
  private next: () => number;

  constructor(root: Table, device: Device, arrays: Arrays) {
    this.machine = device.startsWith("cpu") ? "CPU in WebAssembly" : "WebGPU: stand-in";
    this.root = root;
    const array = arrays.all.get(word(root, "tokens.initial.path", ""));
    this.count = array ? array.shape[0]! : number(root, "tokens.count", 100);
    this.dim = array ? array.shape[1]! : number(root, "tokens.dim", 3);
    this.next = random(number(root, "tokens.seed", 0) + 17);
    const normal = () => Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
    this.x = Float32Array.from({ length: this.count * this.dim }, (_, k) => (array ? array.values[k]! : normal()));
    for (let i = 0; i < this.count; i++) this.retract(i);
    this.start = this.x.slice();
    const quantities = (get(root, "observe.quantities") as string[] | undefined) ?? ["moments", "energy"];
    this.columns = quantities.flatMap((q) => (q === "moments" ? ["mean_norm"] : q === "energy" ? ["log_energy"] : q === "overlap_histogram" ? Array.from({ length: 32 }, (_, k) => `overlap_histogram_${k}`) : [q]));
  }

  private get round(): boolean {
    return word(this.root, "tokens.geometry", "sphere") === "sphere";
  }

  private retract(i: number): void {
    if (!this.round) return;
    const row = this.x.subarray(i * this.dim, (i + 1) * this.dim);
    const length = Math.hypot(...row) || 1;
    row.forEach((v, k) => (row[k] = v / length));
  }

  private get h(): number {
    return number(this.root, "time.step", 0.1);
  }

  get total_steps(): number {
    return Math.round(number(this.root, "time.end", 10) / this.h);
  }

  get time(): number {
    return Number((this.steps * this.h).toPrecision(12));
  }

  private get every(): number {
    return Math.max(1, Math.round(number(this.root, "observe.every", 1) / this.h));
  }

  get is_sampled(): boolean {
    return this.steps % this.every === 0 || this.steps === this.total_steps;
  }

  get ended(): boolean {
    return this.steps >= this.total_steps;
  }

  async advance(most: number): Promise<number> {
    const left = Math.min(most, this.total_steps - this.steps, this.every - (this.steps % this.every));
    for (let k = 0; k < left; k++) this.move();
    return Math.max(left, 0);
  }

  private move(): void {
    const { x, dim, count } = this;
    const beta = number(this.root, "attention.beta", 30);
    const sign = number(this.root, "attention.head.0.value.scale", 1);
    const keys = Array.from({ length: Math.min(KEYS, count) }, () => Math.floor(this.next() * count) * dim);
    const before = x.slice();
    const mean = new Float64Array(dim);
    for (let i = 0; i < count; i++) {
      let sum = 0;
      mean.fill(0);
      for (const j of keys) {
        let dot = 0;
        for (let k = 0; k < dim; k++) dot += before[i * dim + k]! * before[j + k]!;
        const a = Math.exp(beta * (dot - 1));
        sum += a;
        for (let k = 0; k < dim; k++) mean[k] = mean[k]! + a * before[j + k]!;
      }
      for (let k = 0; k < dim; k++) x[i * dim + k] = x[i * dim + k]! + (sign * this.h * mean[k]!) / Math.max(sum, 1e-30);
      this.retract(i);
    }
    this.steps += 1;
  }

  async observe(): Promise<Float64Array> {
    const mean = new Float64Array(this.dim);
    this.x.forEach((v, k) => (mean[k % this.dim] = mean[k % this.dim]! + v / this.count));
    const norm = Math.hypot(...mean);
    const bins = new Float64Array(32);
    for (let p = 0; p < 4000; p++) {
      const [i, j] = [Math.floor(this.next() * this.count), Math.floor(this.next() * this.count)];
      let dot = 0;
      for (let k = 0; k < this.dim; k++) dot += this.x[i * this.dim + k]! * this.x[j * this.dim + k]!;
      const bin = Math.min(Math.max(Math.floor(16 * (1 + dot)), 0), 31);
      bins[bin] = bins[bin]! + 1 / 4000;
    }
    const one = (name: string): number => {
      const bin = /^overlap_histogram_(\d+)$/.exec(name);
      return bin ? bins[Number(bin[1])]! : name === "mean_norm" ? norm : name === "log_energy" ? 10 * norm ** 2 - 2 : name === "clusters" ? Math.round(1 + this.count / (1 + this.steps ** 2)) : norm;
    };
    return Float64Array.from(this.columns, one);
  }

  async tokens(): Promise<Float32Array> {
    return this.x.slice();
  }

  async change(toml: string): Promise<void> {
    this.root = parse(toml);
  }

  async colour(by: Colour): Promise<void> {
    this.by = by;
  }

  colours(): Uint8Array {
    const from = this.by === "start" ? this.start : this.x;
    return Uint8Array.from({ length: 4 * this.count }, (_, k) => {
      if (k % 4 === 3) return 255;
      const at = Math.floor(k / 4) * this.dim;
      return hue(Math.atan2(from[at + 1] ?? 0, from[at]!) / (2 * Math.PI))[k % 4]!;
    });
  }

  async axes(): Promise<Float32Array> {
    return Float32Array.from({ length: 3 * this.dim }, (_, k) => (k % this.dim === Math.floor(k / this.dim) ? 1 : 0));
  }

  resize(): void {}

  draw(): void {}

  free(): void {}
}

export class Opening implements Before {
  readonly draws = false;

  private constructor(private readonly session: Session) {}

  static async begin(toml: string, device: Device, _canvas: OffscreenCanvas | undefined, arrays: Arrays): Promise<Opening> {
    return new Opening(new Session(parse(toml), device, arrays));
  }

  resize(): void {}

  draw(): void {}

  async drawn(): Promise<void> {}

  async finish(): Promise<Session> {
    return this.session;
  }
}

({ default: init, Arrays, check, Opening }) satisfies { [Key in keyof Api]: unknown };
