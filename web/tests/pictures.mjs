// How far two pictures are apart.

const BLOCK = 8;

/** Means of blocks of 8 x 8 pixels, each colour from 0 to 1. */
function blocks({ width, height, data }) {
  const [columns, rows] = [Math.floor(width / BLOCK), Math.floor(height / BLOCK)];
  const means = new Float64Array(3 * columns * rows);
  for (let y = 0; y < rows * BLOCK; y++) {
    for (let x = 0; x < columns * BLOCK; x++) {
      const block = Math.floor(y / BLOCK) * columns + Math.floor(x / BLOCK);
      for (let k = 0; k < 3; k++) means[3 * block + k] += data[4 * (y * width + x) + k] / (255 * BLOCK * BLOCK);
    }
  }
  return means;
}

/** The root mean square of the difference of blocks in which either picture shows something. */
export function apart(one, other) {
  if (one.width !== other.width || one.height !== other.height) return Infinity;
  const [a, b] = [blocks(one), blocks(other)];
  const background = a.slice(0, 3);
  const shows = (means, at) => [0, 1, 2].some((k) => Math.abs(means[at + k] - background[k]) > 0.01);
  let [sum, count] = [0, 0];
  for (let at = 0; at < a.length; at += 3) {
    if (!shows(a, at) && !shows(b, at)) continue;
    for (let k = 0; k < 3; k++) sum += (a[at + k] - b[at + k]) ** 2;
    count += 3;
  }
  return Math.sqrt(sum / Math.max(count, 1));
}
