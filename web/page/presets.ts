// Experiments to begin with: what one should see, and by which paper.

import type { Shown } from "./plots";
import told from "./presets.json";

export interface Preset {
  id: string;
  title: string;
  /** What is set up. */
  says: string;
  /** What one should see. */
  law: string;
  /** The columns in which one sees it, where they are others than usual. */
  plots?: Shown[];
  paper: { authors: string; title: string; arxiv: string };
  toml: string;
}

const files = import.meta.glob<string>("./presets/*.toml", { query: "?raw", import: "default", eager: true });

export const PRESETS: Preset[] = told.map((one) => ({ ...one, toml: files[`./presets/${one.id}.toml`]! }));
