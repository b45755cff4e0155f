// Live plots: columns of the samples against layer-time, and the last histogram of overlaps.

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Sample } from "./lab";
import { shown } from "./scale";

/** A column to begin with, perhaps on a logarithmic axis. */
export interface Shown {
  column: string;
  log?: boolean;
}

const LIKED = ["mean_norm", "log_energy", "clusters", "overlap_mean", "w2_dirac", "coupling_error", "effective_rank", "attention_entropy", "renyi_absorbed", "pair_overlap", "mode_1", "mode_2", "mode_3"];
const NAMES: Record<string, string> = { mean_norm: "|mean|", log_energy: "ln E", clusters: "clusters", w2_dirac: "W₂(μ, δ)" };
const REPLICAS = 8;
const HEIGHT = 116;

const css = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
/** Of a mark of the axis; logarithmic ones leave most of theirs empty. */
const tick = (v: number | null): string => (v === null ? "" : v !== 0 && (Math.abs(v) >= 1e5 || Math.abs(v) < 1e-3) ? v.toExponential(0) : String(Number(v.toPrecision(6))));
const FONT = "11px system-ui, sans-serif";

/** Of a logarithmic axis the powers of ten alone; where there are fewer than three, also twice and five times them. */
const powers: uPlot.Axis.Filter = (_u, splits) => {
  const leading = (v: number): number => Math.round(v / 10 ** Math.floor(Math.log10(v) + 1e-9));
  const few = splits.filter((v) => leading(v) === 1).length < 3;
  return splits.map((v) => ((few ? [1, 2, 5] : [1]).includes(leading(v)) ? v : null));
};

function axes(logarithmic: boolean): uPlot.Axis[] {
  const filter = logarithmic ? { filter: powers } : {};
  const both: uPlot.Axis = { stroke: () => css("--quiet"), font: FONT, grid: { stroke: () => css("--rule"), width: 1 }, ticks: { show: false }, gap: 3 };
  return [
    { ...both, size: 22, space: 46 },
    { ...both, ...filter, grid: { ...both.grid, ...filter }, size: 44, space: 26, values: (_, splits) => splits.map(tick) },
  ];
}

function make(host: HTMLElement, series: uPlot.Series[], x: uPlot.Range.Function, y: uPlot.Scale): uPlot {
  const scales: uPlot.Scales = { x: { time: false, range: x }, y };
  const options: uPlot.Options = { width: Math.max(host.clientWidth, 80), height: HEIGHT, series: [{}, ...series], axes: axes(y.distr === 3), scales, legend: { show: false }, cursor: { points: { size: 5 }, y: false }, padding: [8, 10, 0, 0] };
  const empty = Array.from({ length: series.length + 1 }, (): number[] => []);
  return new uPlot(options, empty as uPlot.AlignedData, host);
}

class Curve {
  readonly element = document.createElement("figure");
  private readonly select = document.createElement("select");
  private readonly log = document.createElement("button");
  private readonly output = document.createElement("output");
  private readonly host = document.createElement("div");
  private plot: uPlot | undefined;
  private replicas = 1;

  constructor(
    private readonly redraw: () => void,
    private readonly end: () => number,
  ) {
    const caption = document.createElement("figcaption");
    this.select.setAttribute("aria-label", "Column of this plot");
    this.select.addEventListener("change", () => this.redraw());
    [this.log.type, this.log.className, this.log.textContent, this.log.title] = ["button", "log", "log", "Logarithmic axis"];
    this.logarithmic = false;
    this.log.addEventListener("click", () => {
      this.logarithmic = !this.logarithmic;
      this.make();
      this.redraw();
    });
    this.host.className = "plot";
    this.host.setAttribute("role", "img");
    this.output.setAttribute("aria-live", "off");
    caption.append(this.select, this.log, this.output);
    this.element.append(caption, this.host);
  }

  private get logarithmic(): boolean {
    return this.log.getAttribute("aria-pressed") === "true";
  }

  private set logarithmic(on: boolean) {
    this.log.setAttribute("aria-pressed", String(on));
  }

  /** Shows a column from now on. */
  choose({ column, log = false }: Shown): void {
    this.select.replaceChildren(new Option(column, column));
    this.logarithmic = log;
  }

  /** The column stays if it is still there; else it is the `nth` that one likes to see. */
  columns(columns: string[], nth: number, replicas: number): void {
    const before = this.select.value;
    this.select.replaceChildren(...columns.map((name) => new Option(NAMES[name] ?? name.replaceAll("_", " "), name)));
    const liked = [...LIKED.filter((name) => columns.includes(name)), ...columns.filter((name) => !LIKED.includes(name))];
    this.select.value = columns.includes(before) ? before : (liked[nth] ?? columns[0] ?? "");
    this.element.hidden = nth >= columns.length;
    this.replicas = Math.min(replicas, REPLICAS);
    this.make();
  }

  private make(): void {
    this.plot?.destroy();
    const series = Array.from({ length: this.replicas }, (_, k): uPlot.Series => ({ stroke: () => css("--accent"), width: k ? 0.7 : 1.5, points: { show: (u) => (u.data[0]?.length ?? 0) < 3 } }));
    this.plot = make(this.host, series, (_u, _min, max) => [0, Math.max(this.end(), max ?? 0, 1e-9)], this.logarithmic ? { distr: 3, log: 10 } : {});
  }

  draw(samples: Sample[], columns: string[]): void {
    const k = columns.indexOf(this.select.value);
    const drawn = (v: number | undefined): number | null => (v !== undefined && Number.isFinite(v) && (v > 0 || !this.logarithmic) ? v : null);
    const data = [samples.map((s) => s.time), ...Array.from({ length: this.replicas }, (_, r) => samples.map((s) => drawn(s.values[r * columns.length + k])))];
    this.plot?.setData(data as uPlot.AlignedData);
    const last = samples[samples.length - 1]?.values[k];
    this.host.setAttribute("aria-label", `${this.select.selectedOptions[0]?.text ?? ""} against layer-time, ${samples.length} samples`);
    this.output.textContent = last === undefined ? "" : shown(last);
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
    this.plot = make(this.host, [{ paths: bars, fill: () => css("--accent"), stroke: () => css("--accent"), width: 0, points: { show: false } }], () => [-1, 1], { range: (_u, _min, max) => [0, Math.max(max, 1e-3) * 1.05] });
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
    end: () => number,
  ) {
    this.curves = [0, 1, 2].map(() => new Curve(() => this.redraw(), end));
    host.append(...this.curves.map((curve) => curve.element), this.histogram.element);
    new ResizeObserver(() => [...this.curves, this.histogram].forEach((plot) => plot.resize())).observe(host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.open(this.columns, this.replicas));
  }

  open(columns: string[], replicas: number): void {
    [this.columns, this.replicas] = [columns, replicas];
    const scalars = columns.filter((name) => !/^overlap_histogram_/.test(name));
    this.curves.forEach((curve, nth) => curve.columns(scalars, nth, replicas));
    this.histogram.columns(columns);
    this.redraw();
  }

  /** What the plots of another experiment begin with; where nothing is named, with what one likes to see. */
  choose(shown: Shown[]): void {
    this.curves.forEach((curve, nth) => curve.choose(shown[nth] ?? { column: "" }));
  }

  draw(samples: Sample[]): void {
    this.samples = samples;
    this.redraw();
  }

  private redraw(): void {
    this.request ||= requestAnimationFrame(() => {
      this.request = 0;
      this.curves.forEach((curve) => curve.draw(this.samples, this.columns));
      this.histogram.draw(this.samples);
    });
  }
}
