// A session in motion: one loop that opens, changes, steps, observes and draws, so that only one call of the session is ever under way.

import type { Api, Arrays, Colour, Device, Opening, Session } from "./api";
import { Pace } from "./pace";
import { Picture } from "./picture";
import type { FromWorker, Look, ToWorker } from "./protocol";
import { Recorder } from "./recorder";

type Open = Extract<ToWorker, { kind: "open" }>;
type Change = Extract<ToWorker, { kind: "change" }>;
type Waiting = { open?: Open; change?: Change; colour?: Colour; point?: { x: number; y: number }; picture?: true; step?: true; size?: true; record?: boolean };

const hasGpu = (): boolean => (navigator as { gpu?: unknown }).gpu !== undefined;
const isTrap = (error: unknown): boolean => error instanceof WebAssembly.RuntimeError;
const isLost = (error: unknown): boolean => error instanceof Error && error.name === "DeviceLost";
const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const frame = (): Promise<number> =>
  new Promise((resolve) => {
    const late = setTimeout(() => resolve(performance.now()), 250);
    if (typeof requestAnimationFrame !== "function") return void setTimeout(() => resolve(performance.now()), 16);
    requestAnimationFrame((now) => (clearTimeout(late), resolve(now)));
  });

export class Runner {
  private session: Session | undefined;
  private picture: Picture | undefined;
  private canvas: OffscreenCanvas | undefined;
  // Which kind of context the canvas has, as far as that is known.
  private context: "none" | "gpu" | "2d" | "unknown" = "none";
  /** Whether a GPU is worth asking for. */
  private gpu = hasGpu();
  /** The number of what is open, or being opened. */
  private current = 0;
  private device: Device | undefined;
  private opened: Open | undefined;
  private waiting: Waiting = {};
  private look: Look | undefined;
  private size = { width: 300, height: 150 };
  private by: Colour = "start";
  private playing = false;
  private hidden = false;
  private dirty = false;
  private observed = -1;
  /** Tokens stand, and the page shows them as they are. */
  private atRest = true;
  private ended = false;
  private losses = 0;
  private before = 0;
  private measured = 0;
  private wake: () => void = () => {};
  private arrived: (canvas: OffscreenCanvas) => void = () => {};
  private readonly recorder: Recorder;
  readonly pace = new Pace();

  constructor(
    private readonly api: Api,
    private readonly post: (message: FromWorker) => void,
  ) {
    this.recorder = new Recorder(post);
  }

  hear(message: ToWorker): void {
    switch (message.kind) {
      case "open": this.begin(message); break;
      case "canvas": this.canvas = message.canvas; this.context = "none"; this.arrived(message.canvas); break;
      case "change": this.waiting.change = message; break;
      case "play": this.play(message.on); break;
      case "step": this.waiting.step = true; break;
      case "pace": this.pace.perSecond = message.perSecond; break;
      case "look": this.look = message.look; this.dirty = true; break;
      case "size": [this.size, this.waiting.size] = [{ width: message.width, height: message.height }, true]; break;
      case "colour": this.by = this.waiting.colour = message.by; break;
      case "hidden": this.hidden = message.on; this.pace.rest(); break;
      case "point": this.waiting.point = message; break;
      case "picture": this.waiting.picture = true; break;
      case "record": this.waiting.record = message.on; break;
    }
    this.wake();
  }

  private begin(message: Open): void {
    this.waiting.open = message;
    delete this.waiting.change;
    this.losses = 0;
    this.post({ kind: "received", run: message.run });
  }

  async run(): Promise<never> {
    for (;;) {
      try {
        await this.turn();
      } catch (error) {
        this.failed(error);
      }
      if (this.busy()) await frame();
      else await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  private moving(): boolean {
    return this.session !== undefined && this.playing && !this.hidden && !this.ended;
  }

  private busy(): boolean {
    return this.moving() || !this.atRest || Object.keys(this.waiting).length > 0 || (this.dirty && !this.hidden && this.session !== undefined) || this.recorder.isOn;
  }

  private take<K extends keyof Waiting>(key: K): Waiting[K] {
    const value = this.waiting[key];
    delete this.waiting[key];
    return value;
  }

  private async turn(): Promise<void> {
    const now = performance.now();
    const open = this.take("open");
    if (open) await this.open(open);
    const { session, picture } = this;
    const record = this.take("record");
    if (record === true && session && this.canvas) await this.recorder.start(this.canvas);
    else if (record !== undefined) await this.recorder.stop();
    if (!session || !picture) return void (this.waiting = this.waiting.open ? { open: this.waiting.open } : {});
    if (this.take("size")) {
      picture.size(this.size.width, this.size.height);
      this.dirty = true;
    }
    const change = this.take("change");
    if (change !== undefined) await this.change(session, picture, change);
    const colour = this.take("colour");
    if (colour) await this.recolour(picture, colour);
    if (this.take("step")) await this.advance(session, picture, 1);
    else if (this.moving()) await this.steps(session, picture, now);
    this.before = now;
    if (!this.atRest && !this.moving()) await this.rest(session, picture);
    await this.show(picture);
  }

  /** While tokens move the page is told now and then; where they stop it must not stay at a step before. */
  private async rest(session: Session, picture: Picture): Promise<void> {
    this.atRest = true;
    await picture.refresh();
    this.dirty = true;
    await this.tell(session, true);
  }

  private async show(picture: Picture): Promise<void> {
    if (!this.look) return;
    if (this.take("picture")) this.post({ kind: "picture", blob: await picture.png(this.look) });
    const drawn = this.dirty || this.recorder.isOn;
    this.dirty = false;
    if (drawn) await picture.draw(this.look);
    if (drawn) this.recorder.capture();
    const point = this.take("point");
    if (point) this.post({ kind: "point", ...(await picture.near(point.x, point.y, this.look)) });
  }

  private async open(open: Open): Promise<void> {
    this.session?.free();
    [this.session, this.picture, this.atRest] = [undefined, undefined, true];
    [this.current, this.playing] = [open.run, open.playing];
    let session: Session;
    try {
      const wrong = this.check(open.toml, open);
      if (wrong !== undefined) throw new Error(wrong);
      session = await this.start(open);
    } catch (error) {
      if (isTrap(error)) throw error;
      return this.post({ kind: "error", run: open.run, sentence: sentence(error), of: "open" });
    }
    const canvas = await this.fit(session.draws ? "gpu" : "2d");
    [this.session, this.opened, this.ended, this.observed] = [session, open, false, -1];
    this.pace.restart();
    this.picture = new Picture(session, canvas);
    this.picture.size(this.size.width, this.size.height);
    const { machine, method, count, replicas, dim, columns } = session;
    this.post({ kind: "opened", run: open.run, machine, method, count, replicas, dim, columns: [...columns] });
    await this.picture.begin(this.by);
    // Who sees the first sample looks at the tokens from where they fit.
    await this.tell(session, true);
    await this.observe(session);
    this.dirty = true;
  }

  private check(toml: string, open: Open): string | undefined {
    const arrays = this.arrays(open);
    try {
      return this.api.check(toml, arrays);
    } finally {
      arrays.free();
    }
  }

  private arrays(open: Open): Arrays {
    const arrays = new this.api.Arrays();
    for (const { name, shape, values } of open.arrays) arrays.insert(name, Uint32Array.from(shape), values);
    return arrays;
  }

  private async start(open: Open): Promise<Session> {
    const onCpu = async (device: Device): Promise<Session> => (await this.api.Opening.begin(open.toml, device, undefined, this.arrays(open))).finish();
    // Another choice of the machine is a reason to look again.
    if (open.device !== this.device) this.gpu = hasGpu();
    this.device = open.device;
    if (open.device.startsWith("cpu")) return onCpu(open.device);
    if (!this.gpu) {
      this.withoutGpu();
      return onCpu("cpu");
    }
    const canvas = await this.fit("gpu");
    const before = this.context;
    this.context = "unknown";
    try {
      const opening = await this.api.Opening.begin(open.toml, open.device, canvas, this.arrays(open));
      await this.preview(opening);
      const session = await opening.finish();
      this.context = session.draws ? "gpu" : before;
      this.gpu = session.draws;
      if (!session.draws) this.withoutGpu();
      return session;
    } catch (error) {
      if (isTrap(error)) throw error;
      const session = await onCpu("cpu");
      this.post({ kind: "notice", sentence: `WebGPU did not start, so the CPU computes, and slower: ${sentence(error)}` });
      return session;
    }
  }

  private withoutGpu(): void {
    this.post({ kind: "notice", sentence: `This browser has no ${hasGpu() ? "graphics device for " : ""}WebGPU: the CPU computes, and slower.` });
  }

  /** Shows where tokens start, and leaves the browser the time to do so, before kernels are compiled. */
  private async preview(opening: Opening): Promise<void> {
    if (!opening.draws || !this.look) return;
    opening.resize(this.size.width, this.size.height);
    opening.draw(this.look.matrix, this.look.radius, this.look.background, this.look.flat);
    await opening.drawn();
    await frame();
  }

  /** The canvas, or a fresh one where it has a context of another kind: it never gets a second one. */
  private async fit(kind: "gpu" | "2d"): Promise<OffscreenCanvas> {
    const fits = this.canvas !== undefined && (this.context === "none" || this.context === kind);
    const canvas = fits ? this.canvas! : await this.another();
    if (kind === "2d") this.context = "2d";
    return canvas;
  }

  private async another(): Promise<OffscreenCanvas> {
    // A film records one canvas.
    if (this.recorder.isOn) await this.recorder.stop();
    return new Promise((resolve) => {
      this.arrived = resolve;
      this.post({ kind: "canvas" });
    });
  }

  private async change(session: Session, picture: Picture, { toml, asked }: Change): Promise<void> {
    const run = this.current;
    const wrong = this.check(toml, this.opened!);
    if (wrong !== undefined) return this.post({ kind: "refused", run, asked, sentence: wrong });
    // A GPU that is lost on the way opens the new one.
    const before = this.opened!;
    this.opened = { ...before, toml };
    try {
      await session.change(toml);
    } catch (error) {
      if (isTrap(error) || isLost(error)) throw error;
      this.opened = before;
      return this.post({ kind: "refused", run, asked, sentence: sentence(error) });
    }
    // Steps of another length have other numbers.
    this.observed = -1;
    this.ended = session.ended;
    this.post({ kind: "changed", run, asked, time: session.time, columns: [...session.columns] });
    // Under another equation tokens have other speeds, and so other colours.
    await picture.moved(true);
    this.dirty = true;
    await this.tell(session, true);
  }

  private async recolour(picture: Picture, by: Colour): Promise<void> {
    this.by = by;
    await picture.colour(by);
    if (!picture.fits(by)) this.post({ kind: "notice", sentence: "Clusters of so many tokens take too long for a picture: tokens have the colours of their start." });
    this.dirty = true;
  }

  private async steps(session: Session, picture: Picture, now: number): Promise<void> {
    const most = this.pace.steps(now - this.before);
    if (most > 0) await this.advance(session, picture, most);
    else await this.tell(session, false);
  }

  private async advance(session: Session, picture: Picture, most: number): Promise<void> {
    let left = most;
    const until = performance.now() + 14;
    while (left > 0 && !this.ended && this.session === session) {
      const [at, time] = [performance.now(), session.time];
      const taken = await session.advance(left);
      this.pace.took(taken, performance.now() - at, session.time - time);
      left -= taken;
      this.ended = taken === 0 || session.ended;
      const sampled = session.is_sampled || this.ended;
      if (taken > 0) this.atRest = false;
      if (taken > 0) await picture.moved(sampled);
      if (sampled) await this.observe(session);
      if (taken > 0) this.dirty = true;
      if (performance.now() > until) break;
    }
    if (this.ended) this.playing = false;
    await this.tell(session, this.ended);
  }

  private async observe(session: Session): Promise<void> {
    if (this.observed === session.steps) return;
    this.observed = session.steps;
    this.post({ kind: "sample", run: this.opened!.run, time: session.time, values: await session.observe() });
    this.ended ||= session.ended;
  }

  private async tell(session: Session, surely: boolean): Promise<void> {
    const now = performance.now();
    const rate = this.pace.rate(now, session.time);
    if (!surely && now - this.measured < 50) return;
    this.measured = now;
    const { time, steps, total_steps: total, method } = session;
    if (this.picture && !this.opened!.sphere) this.post({ kind: "extent", run: this.opened!.run, radius: await this.picture.extent() });
    this.post({ kind: "progress", run: this.opened!.run, time, steps, total, rate, method, ended: this.ended });
  }

  private play(on: boolean): void {
    this.playing = on;
    if (this.waiting.open) this.waiting.open.playing = on;
    this.pace.rest();
  }

  private failed(error: unknown): void {
    this.atRest = true;
    if (isLost(error) && this.opened && this.losses < 3) return this.again(this.opened);
    this.playing = false;
    const trap = isTrap(error);
    const text = sentence(error);
    // After a trap nothing of the engine can be used.
    this.post({ kind: "error", run: trap ? 0 : this.current, sentence: trap ? `The engine stopped: ${text}.` : text, of: trap ? "page" : "run" });
  }

  /** On a GPU that came back, unless something else is to be opened anyway. */
  private again(opened: Open): void {
    this.losses += 1;
    this.post({ kind: "notice", sentence: "The GPU was lost; the run starts again." });
    this.waiting.open ??= { ...opened, playing: this.playing };
    this.session?.free();
    this.session = undefined;
  }
}
