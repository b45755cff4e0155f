// The picture of a session: painted by the engine on a GPU, or here on a canvas.

import type { Colour, Session } from "./api";
import { Painter, project, row, type Points } from "./painter";
import type { Look } from "./protocol";
import { countable } from "./scale";

const AXES_EVERY = 250;
const SPEED_EVERY = 120;

export class Picture {
  private painter: Painter | undefined;
  private points: Points;
  private by: Colour = "start";
  private fresh = { tokens: false, axes: -Infinity, colours: -Infinity };
  /** What tokens have moved away from since it was made. */
  private stale = { axes: false, colours: false };

  constructor(
    private readonly session: Session,
    private readonly canvas: OffscreenCanvas,
  ) {
    if (!session.draws) this.painter = new Painter(canvas);
    const { count, dim } = session;
    this.points = { tokens: new Float32Array(0), count, dim, axes: new Float32Array(3 * dim), colours: new Uint8Array(0) };
  }

  size(width: number, height: number): void {
    if (this.painter) [this.canvas.width, this.canvas.height] = [width, height];
    else this.session.resize(width, height);
  }

  async colour(by: Colour): Promise<void> {
    this.by = this.fits(by) ? by : "start";
    await this.session.colour(this.by);
    [this.fresh.colours, this.stale.colours] = [performance.now(), false];
    if (this.painter) this.points.colours = this.session.colours();
  }

  /** Whether colours of so many tokens are made in time. */
  fits(by: Colour): boolean {
    return by !== "cluster" || countable(this.session.count, this.session.dim);
  }

  /** Tokens have moved; at a sample their clusters may have changed. */
  async moved(sampled: boolean): Promise<void> {
    const now = performance.now();
    this.fresh.tokens = false;
    this.stale = { axes: this.session.dim > 3, colours: this.by === "speed" || this.by === "cluster" };
    if (this.stale.axes && (sampled || now - this.fresh.axes > AXES_EVERY)) await this.turn(now);
    const due = sampled || (this.by === "speed" && now - this.fresh.colours > SPEED_EVERY);
    if (this.stale.colours && due) await this.colour(this.by);
  }

  /** Axes and colours of tokens that have come to rest. */
  async refresh(): Promise<void> {
    if (this.stale.axes) await this.turn(performance.now());
    if (this.stale.colours) await this.colour(this.by);
  }

  async begin(by: Colour): Promise<void> {
    if (this.session.dim > 3) await this.turn(performance.now());
    await this.colour(by);
  }

  private async turn(now: number): Promise<void> {
    this.points.axes = await this.session.axes();
    [this.fresh.axes, this.stale.axes] = [now, false];
  }

  /** Tokens of the first replica as they are now. */
  async tokens(): Promise<Points> {
    if (!this.fresh.tokens) this.points.tokens = await this.session.tokens();
    this.fresh.tokens = true;
    return this.points;
  }

  async draw(look: Look): Promise<void> {
    if (this.painter) this.painter.paint(await this.tokens(), look);
    else this.session.draw(look.matrix, look.radius, look.background, look.flat);
  }

  async png(look: Look): Promise<Blob> {
    // Without a wait between the two: what a GPU has painted is gone after this turn of the worker.
    if (this.painter) await this.draw(look);
    else this.session.draw(look.matrix, look.radius, look.background, look.flat);
    return this.canvas.convertToBlob({ type: "image/png" });
  }

  /** The largest length of a token in the drawn space. */
  async extent(): Promise<number> {
    const points = await this.tokens();
    const p = new Float32Array(3);
    let most = 0;
    for (let i = 0; i < points.count; i++) {
      project(points, i, p);
      most = Math.max(most, Math.hypot(p[0]!, p[1]!, p[2]!));
    }
    return most;
  }

  /** The token that is seen nearest to a place of clip space, with its distance there in pixels; -1 where none is near. */
  async near(x: number, y: number, look: Look): Promise<{ index: number; x: number; y: number }> {
    const points = await this.tokens();
    const { matrix: m } = look;
    const [w, h] = [this.canvas.width / 2, this.canvas.height / 2];
    const p = new Float32Array(3);
    let best = { index: -1, x: 0, y: 0, away: Math.max(3 * look.radius, 12) };
    for (let i = 0; i < points.count; i++) {
      project(points, i, p);
      const distance = row(m, 3, p);
      const [u, v] = [row(m, 0, p) / distance, row(m, 1, p) / distance];
      // One in front before one behind.
      const away = Math.hypot((u - x) * w, (v - y) * h) + (distance > m[15]! ? 6 : 0);
      if (away < best.away) best = { index: i, x: u, y: v, away };
    }
    return { index: best.index, x: best.x, y: best.y };
  }
}
