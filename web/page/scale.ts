// Sliders whose places are logarithms.

export interface Scale {
  from: number;
  to: number;
  /** Digits that are kept. */
  digits: number;
  whole?: boolean;
}

export const BETA: Scale = { from: 0.1, to: 1000, digits: 3 };
export const COUNT: Scale = { from: 64, to: 1e6, digits: 2, whole: true };
export const STEP: Scale = { from: 0.001, to: 1, digits: 1 };
export const NOISE: Scale = { from: 0.01, to: 10, digits: 2 };
export const PACE: Scale = { from: 0.05, to: 500, digits: 2 };

/** The value at a place from 0 to 1000. */
export function at(scale: Scale, place: number): number {
  const value = scale.from * (scale.to / scale.from) ** (place / 1000);
  const rounded = Number(value.toPrecision(scale.digits));
  const inside = Math.min(Math.max(rounded, scale.from), scale.to);
  return scale.whole ? Math.round(inside) : inside;
}

export const placeOf = (scale: Scale, value: number): number =>
  Math.round(1000 * Math.min(Math.max(Math.log(value / scale.from) / Math.log(scale.to / scale.from), 0), 1));

/** Whether clusters of so many tokens are counted in less than a tenth of a second: on the circle and the sphere of more than elsewhere. */
export const countable = (count: number, dim: number): boolean => count <= (dim <= 3 ? 200_000 : 50_000);

/** The whole number of steps, at least one, that is nearest to a time. */
export const whole = (time: number, step: number): number => Number((Math.max(Math.round(time / step), 1) * step).toPrecision(12));

/** A number as a person would write it. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "–" : value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  const text = Number.isInteger(value) && size < 1e7 ? value.toLocaleString("en").replaceAll(",", "\u2009") : size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
  return text.replace("-", "−");
}
