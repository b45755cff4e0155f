// The film that is being recorded, if any. One that cannot be made does not end the run.

import { film, type Film } from "./film";
import type { FromWorker } from "./protocol";

export class Recorder {
  private film: Film | undefined;
  private started = 0;

  constructor(private readonly post: (message: FromWorker) => void) {}

  get isOn(): boolean {
    return this.film !== undefined;
  }

  async start(canvas: OffscreenCanvas): Promise<void> {
    if (this.film) return;
    try {
      this.film = await film(canvas);
      this.started = performance.now();
      this.tell(true);
    } catch (error) {
      this.failed(error);
    }
  }

  /** Takes the picture that was just drawn. */
  capture(): void {
    try {
      this.film?.frame(performance.now());
      if (this.film) this.tell(true);
    } catch (error) {
      this.failed(error);
    }
  }

  async stop(): Promise<void> {
    const film = this.film;
    this.film = undefined;
    this.tell(false);
    try {
      if (film) this.post({ kind: "film", ...(await film.end()) });
    } catch (error) {
      this.failed(error);
    }
  }

  private tell(on: boolean): void {
    this.post({ kind: "recording", on, seconds: on ? (performance.now() - this.started) / 1000 : 0 });
  }

  private failed(error: unknown): void {
    this.film = undefined;
    this.tell(false);
    this.post({ kind: "notice", sentence: error instanceof Error ? error.message : String(error) });
  }
}
