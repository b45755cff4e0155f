// Arrays of NumPy: little-endian f32 and f64, row-major.

export interface Numbers {
  shape: number[];
  values: Float64Array;
}

/** The array of a .npy file; an Error with a sentence for what is none that the engine takes. */
export function numbers(name: string, buffer: ArrayBuffer): Numbers {
  const bytes = new Uint8Array(buffer);
  if (String.fromCharCode(...bytes.slice(1, 6)) !== "NUMPY") throw new Error(`${name} is no .npy file.`);
  const view = new DataView(buffer);
  const long = bytes[6]! >= 2;
  const start = long ? 12 : 10;
  const length = long ? view.getUint32(8, true) : view.getUint16(8, true);
  const header = new TextDecoder().decode(bytes.slice(start, start + length));
  const kind = /'descr':\s*'([^']+)'/.exec(header)?.[1];
  const shape = (/'shape':\s*\(([^)]*)\)/.exec(header)?.[1] ?? "").split(",").filter((part) => part.trim()).map(Number);
  if (kind !== "<f4" && kind !== "<f8") throw new Error(`${name} has numbers of the type ${kind}; save it as float32 or float64.`);
  if (/'fortran_order':\s*True/.test(header)) throw new Error(`${name} is in Fortran's order; save np.ascontiguousarray of it.`);
  const size = shape.reduce((product, side) => product * side, 1);
  const width = kind === "<f4" ? 4 : 8;
  const body = buffer.slice(start + length);
  if (body.byteLength < size * width) throw new Error(`${name} is cut off: ${size} numbers are announced, ${Math.floor(body.byteLength / width)} are there.`);
  return { shape, values: kind === "<f4" ? Float64Array.from(new Float32Array(body, 0, size)) : new Float64Array(body, 0, size) };
}
