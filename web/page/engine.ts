// The page's end of the worker. A worker that broke down is replaced at the next opening of an experiment, and so is one that a long sum keeps
// from receiving it.

import type { FromWorker, ToWorker } from "./protocol";

type Open = Extract<ToWorker, { kind: "open" }>;

/** Milliseconds after which a worker that has not received an experiment is replaced. */
const PATIENCE = 2000;

export class Engine {
  /** Whether the worker has answered so far: at first it may still be loading. */
  private answered = false;
  /** The experiment that the worker has not received yet. */
  private pending: Open | undefined;
  private timer = 0;
  private worker: Worker | undefined;
  private canvas: HTMLCanvasElement | undefined;
  private size = { width: 300, height: 150 };
  private standing: Partial<Record<ToWorker["kind"], ToWorker>> = {};

  constructor(
    private readonly screen: HTMLElement,
    private readonly hear: (message: FromWorker) => void,
  ) {}

  send(message: ToWorker): void {
    if (["look", "size", "pace", "colour", "hidden"].includes(message.kind)) this.standing[message.kind] = message;
    if (message.kind === "size") this.size = { width: message.width, height: message.height };
    if (message.kind === "open") return this.open(message);
    if (message.kind === "play" && this.pending) this.pending.playing = message.on;
    this.worker?.postMessage(message);
  }

  private open(message: Open): void {
    clearTimeout(this.timer);
    if (!this.worker) this.start();
    else if (this.answered) this.timer = window.setTimeout(() => this.replace(message), PATIENCE);
    this.pending = message;
    this.worker!.postMessage(message);
  }

  private replace(message: Open): void {
    this.stop();
    this.open(message);
  }

  private received(run: number): void {
    if (run !== this.pending?.run) return;
    clearTimeout(this.timer);
    this.pending = undefined;
  }

  private start(): void {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    this.worker = worker;
    worker.addEventListener("message", (event: MessageEvent<FromWorker>) => {
      if (this.worker !== worker) return;
      this.answered = true;
      if (event.data.kind === "received") return this.received(event.data.run);
      if (event.data.kind === "canvas") return this.give();
      this.hear(event.data);
      if (event.data.kind === "error" && event.data.of === "page") this.stop();
    });
    worker.addEventListener("error", (event) => {
      if (this.worker !== worker) return;
      this.hear({ kind: "error", run: 0, sentence: `The worker stopped: ${event.message || "it could not be loaded"}.`, of: "page" });
      this.stop();
    });
    this.give();
    for (const message of Object.values(this.standing)) worker.postMessage(message);
  }

  private stop(): void {
    this.worker?.terminate();
    [this.worker, this.answered, this.pending] = [undefined, false, undefined];
    clearTimeout(this.timer);
    this.hear({ kind: "recording", on: false, seconds: 0 });
  }

  /** A fresh canvas for the worker: one that had a context of one kind never gets another. */
  private give(): void {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [this.size.width, this.size.height];
    const offscreen = canvas.transferControlToOffscreen();
    if (this.canvas) this.canvas.replaceWith(canvas);
    else this.screen.append(canvas);
    this.canvas = canvas;
    this.worker!.postMessage({ kind: "canvas", canvas: offscreen } satisfies ToWorker, [offscreen]);
  }
}
