"""Hooks, optimiser wrappers, schedules, weight initialisers: what the Runner of mmengine is given beyond its own."""
from . import cpu_amp, hooks, schedules, stage_weights, weight_init  # noqa: F401
