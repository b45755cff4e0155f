// The view: who drags turns it, two fingers or the wheel zoom, arrow keys do both. It tells the worker how to look.

import { Camera } from "./camera";
import { lines, type Space } from "./lines";
import type { Look } from "./protocol";

const TURNS: Record<string, [number, number]> = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] };

interface Told {
  look(look: Look): void;
  size(width: number, height: number): void;
  point(x: number, y: number): void;
}

/** Clip space ends at one. */
const NOWHERE = 9;

export class View {
  private readonly camera = new Camera();
  private readonly pointers = new Map<number, { x: number; y: number }>();
  private space: Space = "sphere";
  private count = 4096;
  private request = 0;

  constructor(
    private readonly stage: HTMLElement,
    private readonly net: HTMLCanvasElement,
    private readonly told: Told,
  ) {
    this.camera.reset(false);
    new ResizeObserver(() => this.resize()).observe(stage);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    net.addEventListener("pointerdown", (event) => this.down(event));
    net.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"] as const) net.addEventListener(end, (event) => this.pointers.delete(event.pointerId));
    net.addEventListener("pointerleave", () => this.told.point(NOWHERE, NOWHERE));
    net.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    net.addEventListener("keydown", (event) => this.key(event));
    net.addEventListener("dblclick", () => this.reset());
    this.resize();
  }

  show(space: Space, count: number): void {
    const other = space !== this.space;
    [this.space, this.count] = [space, count];
    if (other) this.reset();
    this.draw();
  }

  /** The drawn space grew, or shrank to less than half: what is seen follows. */
  extent(radius: number): void {
    const want = Math.max(radius * 1.05, 1e-6);
    const now = this.camera.extent;
    const after = want > now || want < 0.5 * now ? want : now;
    if (after === now) return;
    this.camera.extent = after;
    this.draw();
  }

  unit(): void {
    this.camera.extent = 1;
    this.draw();
  }

  reset(): void {
    this.camera.reset(this.space === "circle" || this.space === "plane");
    this.draw();
  }

  turn(x: number, y: number): void {
    this.camera.flat ? this.camera.rotate(0, 0, -x - y) : this.camera.rotate(x, y);
    this.draw();
  }

  draw(): void {
    this.request ||= requestAnimationFrame(() => this.drawNow());
  }

  /** Draws what is asked for, if anything, before the next frame. */
  flush(): void {
    if (this.request) this.drawNow();
  }

  private drawNow(): void {
    cancelAnimationFrame(this.request);
    this.request = 0;
    const style = getComputedStyle(this.stage);
    const background = style.getPropertyValue("--sky").trim();
    const { width, height } = this.net;
    this.told.look({ matrix: this.camera.matrix(width, height), radius: this.radius(), background: rgb(background), flat: this.camera.flat });
    lines(this.net, this.camera, this.space, style.getPropertyValue("--net").trim());
  }

  /** Of a token: part of the distance to the next one if all were spread evenly. */
  private radius(): number {
    const { width, height } = this.net;
    const ratio = window.devicePixelRatio || 1;
    const length = this.camera.radius(width, height);
    const apart = this.space === "sphere" || this.space === "ball" ? length * Math.sqrt((4 * Math.PI) / this.count) : Infinity;
    const most = this.space === "sphere" || this.space === "ball" ? 3.6 : 4.5;
    return Math.min(Math.max(0.36 * apart, 0.75 * ratio), most * ratio * Math.min(Math.sqrt(this.camera.zoom), 2));
  }

  /** Pixels of the style at the bottom that controls stand on. */
  private below(): number {
    const controls = this.stage.querySelector(".transport")!.getBoundingClientRect();
    return Math.max(this.stage.getBoundingClientRect().bottom - controls.top, 0);
  }

  private resize(): void {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [this.stage.clientWidth, this.stage.clientHeight].map((length) => Math.max(1, Math.round(length * ratio))) as [number, number];
    const bottom = Math.round(ratio * this.below());
    // On a phone the title has a line of its own.
    this.camera.top = this.stage.clientWidth < 600 ? Math.round(48 * ratio) : 0;
    if (this.net.width === width && this.net.height === height && this.camera.bottom === bottom) return;
    this.camera.bottom = bottom;
    [this.net.width, this.net.height] = [width, height];
    this.told.size(width, height);
    this.draw();
  }

  private at(event: PointerEvent | WheelEvent): { x: number; y: number } {
    const box = this.net.getBoundingClientRect();
    return { x: (2 * (event.clientX - box.left)) / box.width - 1, y: 1 - (2 * (event.clientY - box.top)) / box.height };
  }

  private down(event: PointerEvent): void {
    // Other buttons of a mouse open menus.
    if (event.button !== 0) return;
    const at = this.at(event);
    this.net.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, at);
    // A finger does not point before it touches.
    this.told.point(at.x, at.y);
  }

  private move(event: PointerEvent): void {
    const now = this.at(event);
    const old = this.pointers.get(event.pointerId);
    if (!old) return this.told.point(now.x, now.y);
    const apart = this.pointers.size === 2 ? this.spread() : 0;
    this.pointers.set(event.pointerId, now);
    if (apart) {
      const [a, b] = [...this.pointers.values()] as [typeof now, typeof now];
      this.camera.zoomAt(this.spread() / apart, (a.x + b.x) / 2, (a.y + b.y) / 2);
    } else this.drag(old, now);
    this.draw();
  }

  private drag(old: { x: number; y: number }, now: { x: number; y: number }): void {
    const { width, height } = this.net;
    const s = this.camera.radius(width, height);
    const up = this.camera.up(height);
    const [from, to] = [old, now].map((p) => [((p.x - this.camera.offset[0]) * width) / 2 / s, ((p.y - this.camera.offset[1] - up) * height) / 2 / s]) as [number[], number[]];
    if (this.camera.flat) this.camera.rotate(0, 0, Math.atan2(from[0]! * to[1]! - from[1]! * to[0]!, from[0]! * to[0]! + from[1]! * to[1]!));
    else this.camera.rotate(to[0]! - from[0]!, to[1]! - from[1]!);
  }

  private spread(): number {
    const [a, b] = [...this.pointers.values()] as [{ x: number; y: number }, { x: number; y: number }];
    return Math.hypot((a.x - b.x) * this.net.clientWidth, (a.y - b.y) * this.net.clientHeight);
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const { x, y } = this.at(event);
    this.camera.zoomAt(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : event.ctrlKey ? 0.01 : 0.0015)), x, y);
    this.draw();
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const turn = TURNS[event.key];
    if (turn) this.turn(...turn);
    else if (event.key === "+" || event.key === "=") this.camera.zoomAt(1.2);
    else if (event.key === "-") this.camera.zoomAt(1 / 1.2);
    else if (event.key === "0") this.reset();
    else return;
    event.preventDefault();
    this.draw();
  }
}

/** Parts of a colour #rrggbb, from 0 to 1. */
const rgb = (hex: string): Float32Array => Float32Array.from([1, 3, 5], (at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255 || 0);
