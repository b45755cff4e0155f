// Tokens on a canvas without a GPU: discs are blended into an image by hand, the farthest first.

import type { Look } from "./protocol";

export interface Points {
  tokens: Float32Array;
  count: number;
  dim: number;
  /** Three rows: the directions that are drawn. */
  axes: Float32Array;
  colours: Uint8Array;
}

/** The place of a token in the drawn space. */
export function project(points: Points, i: number, out: Float32Array): void {
  const { tokens, dim, axes } = points;
  const at = i * dim;
  if (dim <= 3) {
    for (let k = 0; k < 3; k++) out[k] = k < dim ? tokens[at + k]! : 0;
    return;
  }
  for (let k = 0; k < 3; k++) {
    let sum = 0;
    for (let j = 0; j < dim; j++) sum += axes[k * dim + j]! * tokens[at + j]!;
    out[k] = sum;
  }
}

const smooth = (low: number, high: number, x: number): number => {
  const t = Math.min(Math.max((x - low) / (high - low), 0), 1);
  return t * t * (3 - 2 * t);
};

/** How much of a colour goes over into the background, `behind` units behind the centre: as where a GPU draws. */
const fade = (behind: number): number => 0.82 * smooth(-0.25, 0.5, behind);

export const row = (m: Float32Array, k: number, p: Float32Array): number => m[k]! * p[0]! + m[4 + k]! * p[1]! + m[8 + k]! * p[2]! + m[12 + k]!;

const LAYERS = 1024;

export class Painter {
  private readonly context: OffscreenCanvasRenderingContext2D;
  private image = new ImageData(1, 1);
  private words = new Uint32Array(1);
  private places = new Float32Array(0);
  private sorted = new Uint32Array(0);
  private readonly layers = new Uint32Array(LAYERS + 1);
  private readonly ink = new Float32Array(3);

  constructor(private readonly canvas: OffscreenCanvas) {
    const context = canvas.getContext("2d", { alpha: false });
    if (!context) throw new Error("This browser has no canvas to draw on.");
    this.context = context;
  }

  paint(points: Points, look: Look): void {
    const { width, height } = this.canvas;
    if (this.image.width !== width || this.image.height !== height) {
      this.image = new ImageData(width, height);
      this.words = new Uint32Array(this.image.data.buffer);
    }
    const [r, g, b] = Array.from(look.background, (x) => Math.round(255 * x));
    this.words.fill(((255 << 24) | (b! << 16) | (g! << 8) | r!) >>> 0);
    this.place(points, look.matrix, width, height);
    for (const i of this.order(points.count)) this.token(points, i, look);
    this.context.putImageData(this.image, 0, 0);
  }

  private place(points: Points, m: Float32Array, width: number, height: number): void {
    if (this.places.length !== 3 * points.count) this.places = new Float32Array(3 * points.count);
    const p = new Float32Array(3);
    for (let i = 0; i < points.count; i++) {
      project(points, i, p);
      const w = row(m, 3, p);
      this.places[3 * i] = (0.5 + (0.5 * row(m, 0, p)) / w) * width;
      this.places[3 * i + 1] = (0.5 - (0.5 * row(m, 1, p)) / w) * height;
      this.places[3 * i + 2] = w - m[15]!;
    }
  }

  /** Tokens from the farthest to the nearest, as far as a thousand layers tell them apart. */
  private order(count: number): Uint32Array {
    const { places, layers } = this;
    if (this.sorted.length !== count) this.sorted = new Uint32Array(count);
    layers.fill(0);
    const layer = (i: number): number => Math.min(Math.max(Math.floor((1.5 - places[3 * i + 2]!) * (LAYERS / 3)), 0), LAYERS - 1);
    for (let i = 0; i < count; i++) layers[layer(i) + 1]!++;
    for (let k = 0; k < LAYERS; k++) layers[k + 1]! += layers[k]!;
    for (let i = 0; i < count; i++) this.sorted[layers[layer(i)]!++] = i;
    return this.sorted;
  }

  private token({ colours }: Points, i: number, look: Look): void {
    const { places } = this;
    const gone = look.flat ? 0 : fade(places[3 * i + 2]!);
    for (let k = 0; k < 3; k++) this.ink[k] = colours[4 * i + k]! * (1 - gone) + 255 * look.background[k]! * gone;
    this.disc(places[3 * i]!, places[3 * i + 1]!, look.radius);
  }

  private disc(x: number, y: number, radius: number): void {
    const { width, height, data } = this.image;
    const [red, green, blue] = [this.ink[0]!, this.ink[1]!, this.ink[2]!];
    const [left, right] = [Math.max(Math.floor(x - radius - 0.5), 0), Math.min(Math.ceil(x + radius + 0.5), width)];
    const [top, bottom] = [Math.max(Math.floor(y - radius - 0.5), 0), Math.min(Math.ceil(y + radius + 0.5), height)];
    for (let v = top; v < bottom; v++) {
      for (let u = left; u < right; u++) {
        const square = (u + 0.5 - x) ** 2 + (v + 0.5 - y) ** 2;
        const inside = radius + 0.5 - Math.sqrt(square);
        if (inside <= 0) continue;
        const a = Math.min(inside, 1);
        // Lit from the front, like a ball.
        const light = a * (0.8 + 0.2 * Math.sqrt(Math.max(1 - square / (radius * radius), 0)));
        const at = 4 * (v * width + u);
        data[at] = (1 - a) * data[at]! + light * red;
        data[at + 1] = (1 - a) * data[at + 1]! + light * green;
        data[at + 2] = (1 - a) * data[at + 2]! + light * blue;
      }
    }
  }
}
