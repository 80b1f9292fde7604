"""Hooks, optimiser wrappers, weight initialisers: what the Runner of mmengine is given beyond its own."""
from . import cpu_amp, hooks, weight_init  # noqa: F401
