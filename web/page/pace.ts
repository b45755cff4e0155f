// How many steps a frame takes: as many as fit a part of 1/60 s, and no more than the pace asks for. The length of a step never changes.

const BUDGET = 11;
const MOST = 4096;

export class Pace {
  /** Layer-time a second; Infinity for as fast as it goes. */
  perSecond = Infinity;
  private cost = 0;
  private length = 0;
  private credit = 0;
  private rates: { at: number; time: number }[] = [];

  restart(): void {
    [this.cost, this.length, this.credit, this.rates] = [0, 0, 1, []];
  }

  /** Steps that may be taken after `elapsed` milliseconds since the last frame. */
  steps(elapsed: number): number {
    const fit = this.cost > 0 ? Math.min(Math.max(Math.floor(BUDGET / this.cost), 1), MOST) : 1;
    if (!Number.isFinite(this.perSecond) || this.length <= 0) return fit;
    const owed = (Math.min(elapsed, 100) / 1000) * (this.perSecond / this.length);
    this.credit = Math.min(this.credit + owed, fit + 1);
    return Math.min(Math.floor(this.credit), fit);
  }

  /** Steps were taken: `milliseconds` for all of them, over `time` of layer-time. */
  took(steps: number, milliseconds: number, time: number): void {
    if (steps < 1) return;
    const cost = Math.max(milliseconds / steps, 1e-3);
    this.cost = this.cost > 0 ? 0.7 * this.cost + 0.3 * cost : cost;
    this.length = time / steps;
    this.credit = Math.max(this.credit - steps, 0);
  }

  /** Layer-time a second over the last second. */
  rate(now: number, time: number): number {
    this.rates.push({ at: now, time });
    while (this.rates.length > 2 && now - this.rates[0]!.at > 1000) this.rates.shift();
    const first = this.rates[0]!;
    return now > first.at ? ((time - first.time) / (now - first.at)) * 1000 : 0;
  }

  rest(): void {
    this.rates = [];
    this.credit = Math.max(this.credit, 1);
  }
}
