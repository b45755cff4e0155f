// A film of the canvas, made frame by frame as they are drawn. The library that writes the file is loaded when it is first wanted.

export interface Film {
  frame(now: number): void;
  end(): Promise<{ blob: Blob; name: string }>;
}

export async function film(canvas: OffscreenCanvas): Promise<Film> {
  const media = await import("mediabunny");
  const codecs = ["avc", "vp9", "av1", "vp8"] as const;
  const size = { width: canvas.width & ~1, height: canvas.height & ~1 };
  const codec = await media.getFirstEncodableVideoCodec([...codecs], size);
  if (!codec) throw new Error("This browser has no encoder for films.");
  const mp4 = codec === "avc";
  const target = new media.BufferTarget();
  const format = mp4 ? new media.Mp4OutputFormat() : new media.WebMOutputFormat();
  const output = new media.Output({ format, target });
  const source = new media.CanvasSource(canvas, { codec, bitrate: 12e6, keyFrameInterval: 2, sizeChangeBehavior: "contain" });
  output.addVideoTrack(source, { frameRate: 60 });
  await output.start();
  const start = performance.now();
  let [last, waiting] = [-1, false];
  let broken: Error | undefined;
  return {
    // One frame at a time: an encoder that falls behind loses frames rather than memory.
    frame(now) {
      const at = (now - start) / 1000;
      if (broken) throw broken;
      if (waiting || at - last < 1 / 61) return;
      const length = last < 0 ? 1 / 60 : at - last;
      last = at;
      waiting = true;
      const failed = (error: unknown): void => void (broken = new Error(`The film broke off: ${error instanceof Error ? error.message : String(error)}.`));
      void source.add(Math.max(at, 0), length).catch(failed).finally(() => (waiting = false));
    },
    async end() {
      await output.finalize();
      const type = mp4 ? "video/mp4" : "video/webm";
      return { blob: new Blob([target.buffer!], { type }), name: mp4 ? "mp4" : "webm" };
    },
  };
}
