// What is drawn above the tokens: the rim of the sphere and a faint net on its near side, or the axes of a space without a sphere.

import { EYE, type Camera } from "./camera";

export type Space = "circle" | "sphere" | "plane" | "ball";

const circle = (at: (t: number) => number[]): number[][] => Array.from({ length: 121 }, (_, i) => at((2 * Math.PI * i) / 120));

function net(): number[][][] {
  const lines: number[][][] = [];
  for (let k = -2; k <= 2; k++) {
    const [c, s] = [Math.cos((k * Math.PI) / 6), Math.sin((k * Math.PI) / 6)];
    lines.push(circle((t) => [c * Math.cos(t), c * Math.sin(t), s]));
  }
  for (let k = 0; k < 6; k++) {
    const [c, s] = [Math.cos((k * Math.PI) / 6), Math.sin((k * Math.PI) / 6)];
    lines.push(circle((t) => [c * Math.cos(t), s * Math.cos(t), Math.sin(t)]));
  }
  return lines;
}

const NET = net();
const AXES = [0, 1, 2].map((k) => [-1, 1].map((x) => [0, 1, 2].map((i) => (i === k ? x : 0))));

export function lines(canvas: HTMLCanvasElement, camera: Camera, space: Space, colour: string): void {
  const c = canvas.getContext("2d")!;
  const { width, height } = canvas;
  const ratio = window.devicePixelRatio || 1;
  const m = camera.matrix(width, height);
  const unit = space === "circle" || space === "sphere" ? 1 : camera.extent;
  const row = (k: number, p: number[]): number => unit * (m[k]! * p[0]! + m[4 + k]! * p[1]! + m[8 + k]! * p[2]!) + m[12 + k]!;
  const at = (p: number[], w: number): [number, number] => [(0.5 + (0.5 * row(0, p)) / w) * width, (0.5 - (0.5 * row(1, p)) / w) * height];
  const path = (points: number[][], near: boolean): void => {
    c.beginPath();
    let pen = false;
    for (const point of points) {
      const w = row(3, point);
      // The near side of a sphere is what lies before the plane of its rim.
      const seen = !near || w <= EYE - 1 / EYE;
      if (seen) pen ? c.lineTo(...at(point, w)) : c.moveTo(...at(point, w));
      pen = seen;
    }
    c.stroke();
  };
  c.clearRect(0, 0, width, height);
  c.strokeStyle = colour;
  c.lineWidth = ratio;
  if (space === "circle" || space === "sphere") {
    c.globalAlpha = space === "circle" ? 0.5 : 0.35;
    c.beginPath();
    c.arc(...at([0, 0, 0], EYE), camera.radius(width, height), 0, 2 * Math.PI);
    c.stroke();
    c.globalAlpha = 0.12;
    if (space === "sphere") for (const line of NET) path(line, true);
    return;
  }
  c.globalAlpha = 0.3;
  for (const axis of space === "plane" ? AXES.slice(0, 2) : AXES) path(axis, false);
}
