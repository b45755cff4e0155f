"""Problems that several tests run."""

from typing import Any

PROBLEM: dict[str, Any] = {
    "name": "clusters",
    "tokens": {"count": 64, "dim": 3, "replicas": 2, "seed": 5, "initial": {"law": "uniform"}},
    "attention": {"beta": 4.0, "normalization": "softmax"},
    "time": {"scheme": "heun", "step": 0.1, "end": 2.0},
    "observe": {"every": 0.5, "quantities": ["moments", "energy", "clusters", "tokens"]},
}
TOML = """
name = "clusters"
tokens = { count = 64, dim = 3, replicas = 2, seed = 5, initial = { law = "uniform" } }
attention = { beta = 4.0, normalization = "softmax" }
time = { scheme = "heun", step = 0.1, end = 2.0 }
observe = { every = 0.5, quantities = ["moments", "energy", "clusters", "tokens"] }
"""
