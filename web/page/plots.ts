// Live plots: columns of the samples against layer-time, and the last histogram of overlaps.

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Sample } from "./lab";
import { shown } from "./scale";

const LIKED = ["mean_norm", "log_energy", "clusters", "overlap_mean", "w2_dirac", "coupling_error", "effective_rank", "attention_entropy", "renyi_absorbed", "pair_overlap", "mode_1", "mode_2", "mode_3"];
const NAMES: Record<string, string> = { mean_norm: "|mean|", log_energy: "ln E", clusters: "clusters" };
const REPLICAS = 8;
const HEIGHT = 116;

const css = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const FONT = "11px system-ui, sans-serif";

function axes(): uPlot.Axis[] {
  const both: uPlot.Axis = { stroke: () => css("--quiet"), font: FONT, grid: { stroke: () => css("--rule"), width: 1 }, ticks: { show: false }, gap: 3 };
  return [
    { ...both, size: 22, space: 46 },
    { ...both, size: 44, space: 26, values: (_, splits) => splits.map((v) => (Math.abs(v) >= 1e5 ? v.toExponential(0) : String(Number(v.toPrecision(6))))) },
  ];
}

function make(host: HTMLElement, series: uPlot.Series[], x: uPlot.Range.Function, y: uPlot.Range.Function | undefined): uPlot {
  const scales: uPlot.Scales = { x: { time: false, range: x }, y: y ? { range: y } : {} };
  const options: uPlot.Options = { width: Math.max(host.clientWidth, 80), height: HEIGHT, series: [{}, ...series], axes: axes(), scales, legend: { show: false }, cursor: { points: { size: 5 }, y: false }, padding: [8, 10, 0, 0] };
  const empty = Array.from({ length: series.length + 1 }, (): number[] => []);
  return new uPlot(options, empty as uPlot.AlignedData, host);
}

class Curve {
  readonly element = document.createElement("figure");
  private readonly select = document.createElement("select");
  private readonly output = document.createElement("output");
  private readonly host = document.createElement("div");
  private plot: uPlot | undefined;

  constructor(private readonly redraw: () => void) {
    const caption = document.createElement("figcaption");
    this.select.setAttribute("aria-label", "Column of this plot");
    this.select.addEventListener("change", () => this.redraw());
    this.host.className = "plot";
    this.host.setAttribute("role", "img");
    this.output.setAttribute("aria-live", "off");
    caption.append(this.select, this.output);
    this.element.append(caption, this.host);
  }

  columns(columns: string[], nth: number, replicas: number, end: () => number): void {
    const before = this.select.value;
    this.select.replaceChildren(...columns.map((name) => new Option(NAMES[name] ?? name.replaceAll("_", " "), name)));
    const liked = [...LIKED.filter((name) => columns.includes(name)), ...columns.filter((name) => !LIKED.includes(name))];
    this.select.value = columns.includes(before) ? before : (liked[nth] ?? columns[0] ?? "");
    this.element.hidden = nth >= columns.length;
    this.plot?.destroy();
    const series = Array.from({ length: Math.min(replicas, REPLICAS) }, (_, k): uPlot.Series => ({ stroke: () => css("--accent"), width: k ? 0.7 : 1.5, points: { show: (u) => (u.data[0]?.length ?? 0) < 3 } }));
    this.plot = make(this.host, series, (_u, _min, max) => [0, Math.max(end(), max ?? 0, 1e-9)], undefined);
  }

  draw(samples: Sample[], columns: string[], replicas: number): void {
    const k = columns.indexOf(this.select.value);
    const shownReplicas = Math.min(replicas, REPLICAS);
    const finite = (v: number | undefined): number | null => (v !== undefined && Number.isFinite(v) ? v : null);
    const data = [samples.map((s) => s.time), ...Array.from({ length: shownReplicas }, (_, r) => samples.map((s) => finite(s.values[r * columns.length + k])))];
    this.plot?.setData(data as uPlot.AlignedData);
    const last = samples[samples.length - 1]?.values[k];
    this.host.setAttribute("aria-label", `${this.select.selectedOptions[0]?.text ?? ""} against layer-time, ${samples.length} samples`);
    this.output.textContent = last === undefined ? "" : Number.isFinite(last) ? String(Number(last.toPrecision(4))) : "–";
  }

  resize(): void {
    if (this.host.clientWidth > 0) this.plot?.setSize({ width: this.host.clientWidth, height: HEIGHT });
  }
}

class Histogram {
  readonly element = document.createElement("figure");
  private readonly host = document.createElement("div");
  private plot: uPlot | undefined;
  private bins: number[] = [];

  constructor() {
    const caption = document.createElement("figcaption");
    caption.textContent = "overlaps of pairs";
    this.host.className = "plot";
    this.host.setAttribute("role", "img");
    this.element.append(caption, this.host);
  }

  columns(columns: string[]): void {
    this.bins = columns.flatMap((name, k) => (/^overlap_histogram_\d+$/.test(name) ? [k] : []));
    this.element.hidden = this.bins.length === 0;
    this.plot?.destroy();
    const bars = uPlot.paths.bars!({ size: [0.9, 40], align: 1 });
    this.plot = make(this.host, [{ paths: bars, fill: () => css("--accent"), stroke: () => css("--accent"), width: 0, points: { show: false } }], () => [-1, 1], (_u, _min, max) => [0, Math.max(max, 1e-3) * 1.05]);
  }

  draw(samples: Sample[]): void {
    const last = samples[samples.length - 1];
    if (!last || !this.bins.length || !this.plot) return;
    const n = this.bins.length;
    const most = this.bins.reduce((best, k) => (last.values[k]! > last.values[best]! ? k : best)) - this.bins[0]!;
    this.host.setAttribute("aria-label", `Histogram of overlaps, most between ${shown(-1 + (2 * most) / n)} and ${shown(-1 + (2 * (most + 1)) / n)}`);
    this.plot.setData([[...this.bins.keys()].map((k) => -1 + (2 * k) / n), this.bins.map((k) => last.values[k]!)]);
  }

  resize(): void {
    if (this.host.clientWidth > 0) this.plot?.setSize({ width: this.host.clientWidth, height: HEIGHT });
  }
}

export class Plots {
  private readonly curves: Curve[];
  private readonly histogram = new Histogram();
  private columns: string[] = [];
  private replicas = 1;
  private samples: Sample[] = [];
  private request = 0;

  /** `end` is the layer-time at which the run will end. */
  constructor(
    host: HTMLElement,
    private readonly end: () => number,
  ) {
    this.curves = [0, 1, 2].map(() => new Curve(() => this.redraw()));
    host.append(...this.curves.map((curve) => curve.element), this.histogram.element);
    new ResizeObserver(() => [...this.curves, this.histogram].forEach((plot) => plot.resize())).observe(host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.open(this.columns, this.replicas));
  }

  open(columns: string[], replicas: number): void {
    [this.columns, this.replicas] = [columns, replicas];
    const scalars = columns.filter((name) => !/^overlap_histogram_/.test(name));
    this.curves.forEach((curve, nth) => curve.columns(scalars, nth, replicas, this.end));
    this.histogram.columns(columns);
    this.redraw();
  }

  draw(samples: Sample[]): void {
    this.samples = samples;
    this.redraw();
  }

  private redraw(): void {
    this.request ||= requestAnimationFrame(() => {
      this.request = 0;
      this.curves.forEach((curve) => curve.draw(this.samples, this.columns, this.replicas));
      this.histogram.draw(this.samples);
    });
  }
}
