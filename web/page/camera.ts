// From the drawn space to the screen: an orthographic look at the unit ball, turned, zoomed and shifted.

export type Turn = readonly number[];

const UNIT: Turn = [1, 0, 0, 0, 1, 0, 0, 0, 1];

const times = (m: Turn, k: Turn): Turn => UNIT.map((_, i) => [0, 1, 2].reduce((sum, j) => sum + m[3 * Math.floor(i / 3) + j]! * k[3 * j + (i % 3)]!, 0));

/** Rows of a rotation about the axes of the screen: to the right by `x`, up by `y`, and in its plane by `z`. */
function rotation(x: number, y: number, z = 0): Turn {
  const [a, b, c] = [Math.cos(x), Math.cos(y), Math.cos(z)];
  const [s, t, u] = [Math.sin(x), Math.sin(y), Math.sin(z)];
  return times(times([1, 0, 0, 0, b, t, 0, -t, b], [a, 0, s, 0, 1, 0, -s, 0, a]), [c, -u, 0, u, c, 0, 0, 0, 1]);
}

export class Camera {
  turn: Turn = UNIT;
  zoom = 1;
  offset: [number, number] = [0, 0];
  /** Length of the drawn space that fills the view. */
  extent = 1;
  flat = false;

  /** The first look: the third axis up, from above the equator; planes as they are. */
  reset(flat: boolean): void {
    this.flat = flat;
    this.turn = flat ? UNIT : times(rotation(0, -0.35), [-0.5, 0.866, 0, 0, 0, 1, 0.866, 0.5, 0]);
    [this.zoom, this.offset] = [1, [0, 0]];
  }

  rotate(x: number, y: number, z = 0): void {
    this.turn = times(this.flat ? rotation(0, 0, z) : rotation(x, y, z), this.turn);
  }

  /** Zoom by a factor about a point of clip space. */
  zoomAt(factor: number, x = 0, y = 0): void {
    const after = Math.min(Math.max(this.zoom * factor, 0.5), 60);
    const by = after / this.zoom;
    this.offset = after <= 1 ? [0, 0] : [x + (this.offset[0] - x) * by, y + (this.offset[1] - y) * by];
    this.zoom = after;
  }

  /** Pixels of a unit of the drawn space. */
  scale(width: number, height: number): number {
    return (0.44 * Math.min(width, height) * this.zoom) / this.extent;
  }

  matrix(width: number, height: number): Float32Array {
    const s = this.scale(width, height);
    const [sx, sy, sz] = [(2 * s) / width, (2 * s) / height, -0.45 / this.extent];
    const t = this.turn as number[];
    const out = new Float32Array(16);
    for (let column = 0; column < 3; column++) {
      out[4 * column] = sx * t[column]!;
      out[4 * column + 1] = sy * t[3 + column]!;
      out[4 * column + 2] = sz * t[6 + column]!;
    }
    [out[12], out[13], out[14], out[15]] = [this.offset[0], this.offset[1], 0.5, 1];
    return out;
  }
}
