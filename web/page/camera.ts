// From the drawn space to the screen: a look at the unit ball from some way off, turned, zoomed and shifted.

export type Turn = readonly number[];

const UNIT: Turn = [1, 0, 0, 0, 1, 0, 0, 0, 1];

const times = (m: Turn, k: Turn): Turn => UNIT.map((_, i) => [0, 1, 2].reduce((sum, j) => sum + m[3 * Math.floor(i / 3) + j]! * k[3 * j + (i % 3)]!, 0));

/** Rows of a rotation about the axes of the screen: to the right by `x`, up by `y`, and in its plane by `z`. */
function rotation(x: number, y: number, z = 0): Turn {
  const [a, b, c] = [Math.cos(x), Math.cos(y), Math.cos(z)];
  const [s, t, u] = [Math.sin(x), Math.sin(y), Math.sin(z)];
  return times(times([1, 0, 0, 0, b, t, 0, -t, b], [a, 0, s, 0, 1, 0, -s, 0, a]), [c, -u, 0, u, c, 0, 0, 0, 1]);
}

/** From the eye to the centre, in units of what is looked at. The fourth component of clip space is the distance from the eye. */
export const EYE = 4;
const NEAR = EYE - 1.5;
const FAR = EYE + 1.5;

export class Camera {
  turn: Turn = UNIT;
  zoom = 1;
  offset: [number, number] = [0, 0];
  /** Length of the drawn space that fills the view. */
  extent = 1;
  flat = false;
  /** Pixels at the bottom that something else stands on. */
  bottom = 0;
  /** Those at the top. */
  top = 0;

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

  /** Pixels of the radius at which the ball is seen. */
  radius(width: number, height: number): number {
    return 0.46 * Math.max(Math.min(width, height - this.bottom - this.top), 16) * this.zoom;
  }

  /** How far the middle of the free part is above that of the picture, in clip space. */
  up(height: number): number {
    return (this.bottom - this.top) / height;
  }

  /** Column-major, to clip space with depths from 0 to 1. */
  matrix(width: number, height: number): Float32Array {
    // A sphere of radius 1 is seen under the angle asin(1 / EYE), a plane through its centre as it is.
    const seen = this.radius(width, height) * (this.flat ? EYE : Math.sqrt(EYE * EYE - 1));
    const [sx, sy, e] = [(2 * seen) / width, (2 * seen) / height, 1 / this.extent];
    const deep = FAR / (FAR - NEAR);
    const t = this.turn as number[];
    const out = new Float32Array(16);
    for (let column = 0; column < 4; column++) {
      const [x, y, z] = column < 3 ? [e * t[column]!, e * t[3 + column]!, e * t[6 + column]!] : [0, 0, 0];
      const w = (column < 3 ? 0 : EYE) - z;
      out[4 * column] = sx * x + this.offset[0] * w;
      out[4 * column + 1] = sy * y + (this.offset[1] + this.up(height)) * w;
      out[4 * column + 2] = deep * (w - (column < 3 ? 0 : NEAR));
      out[4 * column + 3] = w;
    }
    return out;
  }
}
