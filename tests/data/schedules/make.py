"""Writes the rates of other libraries' schedules, which ours are compared with.

Run `pip install torch timm transformers` in an environment of its own, then

    python tests/data/schedules/make.py

It writes torch.json, timm.json and transformers.json beside this file. Each has the version of the
library and, for each schedule, its arguments and its rates, one a step from step 0. All start from
a rate of 0.1 and a momentum of 0.9.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import timm.scheduler
import torch
import transformers
from torch.optim import lr_scheduler

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
STEPS = 60
LR0, MOMENTUM = 0.1, 0.9
LOSSES = [
    40.0, 30.0, 29.9, 29.95, 29.8, 29.7995, 29.799, 29.7985, 29.798, 25.0, 25.1, 25.2, 25.3, 24.0,
    24.5, 24.5, 23.0, 23.0, 23.0, 23.0, 23.0, 23.0, 23.0, 22.0, 21.9999, 21.9998, 21.0, 20.0, 20.0,
]  # fmt: skip


def new_optimizer() -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], LR0, momentum=MOMENTUM)


def record(
    optimizer: torch.optim.Optimizer, advance: Callable[[int], None], steps: int
) -> dict[str, list[float]]:
    """The rate and the momentum of every step; `advance` goes to the next, whose number it gets."""
    found: dict[str, list[float]] = {"rates": [], "momentum": []}
    for step in range(steps):
        found["rates"].append(float(optimizer.param_groups[0]["lr"]))
        found["momentum"].append(float(optimizer.param_groups[0]["momentum"]))
        optimizer.step()
        if step + 1 < steps:
            advance(step + 1)
    if set(found["momentum"]) == {MOMENTUM}:
        del found["momentum"]
    return found


def of_torch(name: str, **arguments: Any) -> dict[str, Any]:
    optimizer = new_optimizer()
    scheduler = getattr(lr_scheduler, name)(optimizer, **arguments)
    found = record(optimizer, lambda _: scheduler.step(), arguments.get("total_steps", STEPS))
    return {"name": name, "arguments": arguments} | found


def torch_plateau(**arguments: Any) -> dict[str, Any]:
    optimizer = new_optimizer()
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, **arguments)
    found = record(optimizer, lambda epoch: scheduler.step(LOSSES[epoch - 1]), len(LOSSES) + 1)
    return {"name": "ReduceLROnPlateau", "arguments": arguments, "losses": LOSSES} | found


def torch_sequence(start_factor: float, warmup: int, t_max: int) -> dict[str, Any]:
    """A linear warmup, then a cosine."""
    optimizer = new_optimizer()
    parts: list[lr_scheduler.LRScheduler] = [
        lr_scheduler.LinearLR(optimizer, start_factor, total_iters=warmup),
        lr_scheduler.CosineAnnealingLR(optimizer, t_max),
    ]
    scheduler = lr_scheduler.SequentialLR(optimizer, parts, milestones=[warmup])
    arguments = {"start_factor": start_factor, "warmup": warmup, "t_max": t_max}
    found = record(optimizer, lambda _: scheduler.step(), STEPS)
    return {"name": "SequentialLR", "arguments": arguments} | found


def of_timm(name: str, **arguments: Any) -> dict[str, Any]:
    optimizer = new_optimizer()
    scheduler = getattr(timm.scheduler, name)(optimizer, **arguments)
    return {"name": name, "arguments": arguments} | record(optimizer, scheduler.step, STEPS)


def timm_plateau(**arguments: Any) -> dict[str, Any]:
    optimizer = new_optimizer()
    scheduler = timm.scheduler.PlateauLRScheduler(optimizer, **arguments)
    found = record(
        optimizer, lambda epoch: scheduler.step(epoch, LOSSES[epoch - 1]), len(LOSSES) + 1
    )
    return {"name": "PlateauLRScheduler", "arguments": arguments, "losses": LOSSES} | found


def of_transformers(name: str, **arguments: Any) -> dict[str, Any]:
    optimizer = new_optimizer()
    scheduler = getattr(transformers.optimization, name)(optimizer, **arguments)
    found = record(optimizer, lambda _: scheduler.step(), STEPS)
    return {"name": name, "arguments": arguments} | found


def save(library: Any, cases: dict[str, dict[str, Any]]) -> None:
    # CPU builds have "+cpu" after the version.
    version = library.__version__.partition("+")[0]
    content = {"library": library.__name__, "version": version, "lr0": LR0, "momentum": MOMENTUM}
    text = json.dumps(content)[:-1] + ',\n "cases": {\n'
    text += ",\n".join(f"  {json.dumps(name)}: {json.dumps(case)}" for name, case in cases.items())
    (HERE / f"{library.__name__}.json").write_text(text + "\n}}\n")


def torch_cases() -> dict[str, dict[str, Any]]:
    cycle = {"base_lr": 0.02, "max_lr": LR0, "step_size_up": 8, "cycle_momentum": False}
    one_cycle = {"max_lr": LR0, "total_steps": 60, "div_factor": 10.0, "final_div_factor": 50.0,
                 "base_momentum": 0.6, "max_momentum": MOMENTUM}  # fmt: skip
    return {
        "step": of_torch("StepLR", step_size=7, gamma=0.5),
        "multi_step": of_torch("MultiStepLR", milestones=[10, 25, 40], gamma=0.3),
        "exponential": of_torch("ExponentialLR", gamma=0.9),
        "polynomial": of_torch("PolynomialLR", total_iters=50, power=2.0),
        "linear": of_torch("LinearLR", start_factor=1.0, end_factor=0.1, total_iters=50),
        "cosine": of_torch("CosineAnnealingLR", T_max=59, eta_min=0.01),
        "restarts": of_torch("CosineAnnealingWarmRestarts", T_0=10, T_mult=2, eta_min=0.01),
        "even restarts": of_torch("CosineAnnealingWarmRestarts", T_0=7),
        "triangular": of_torch("CyclicLR", mode="triangular", **cycle),
        "triangular2": of_torch("CyclicLR", mode="triangular2", **cycle),
        "exp_range": of_torch("CyclicLR", mode="exp_range", gamma=0.97, **cycle),
        "one_cycle": of_torch("OneCycleLR", pct_start=0.3, **one_cycle),
        "one_cycle linear": of_torch(
            "OneCycleLR", pct_start=0.4, anneal_strategy="linear", **one_cycle
        ),
        "plateau": torch_plateau(factor=0.5, patience=2),
        "plateau absolute": torch_plateau(
            factor=0.5, patience=2, threshold=1e-4, threshold_mode="abs"
        ),
        "warmup": torch_sequence(0.1, 10, 50),
    }


def timm_cases() -> dict[str, dict[str, Any]]:
    return {
        "cosine": of_timm("CosineLRScheduler", t_initial=50, lr_min=0.01),
        "cosine warmup": of_timm(
            "CosineLRScheduler", t_initial=50, warmup_t=10, warmup_lr_init=0.01, warmup_prefix=True
        ),
        "restarts": of_timm(
            "CosineLRScheduler", t_initial=8, cycle_mul=2.0, cycle_decay=0.5, cycle_limit=9
        ),
        "tanh": of_timm("TanhLRScheduler", t_initial=60, lb=-6.0, ub=3.0, lr_min=0.0),
        "step": of_timm("StepLRScheduler", decay_t=7, decay_rate=0.5),
        "multi_step": of_timm("MultiStepLRScheduler", decay_t=[10, 25, 40], decay_rate=0.3),
        "polynomial": of_timm("PolyLRScheduler", t_initial=50, power=0.5, lr_min=0.01),
        "wsd": of_timm("WSDLRScheduler", t_initial=45, decay_t=15, warmup_t=10),
        "plateau": timm_plateau(decay_rate=0.5, patience_t=2, mode="min"),
    }


def transformers_cases() -> dict[str, dict[str, Any]]:
    warmed = {"num_warmup_steps": 10, "num_training_steps": 50}
    return {
        "constant": of_transformers("get_constant_schedule_with_warmup", num_warmup_steps=10),
        "linear": of_transformers("get_linear_schedule_with_warmup", **warmed),
        "cosine": of_transformers("get_cosine_schedule_with_warmup", **warmed),
        "cosine to a minimum": of_transformers(
            "get_cosine_with_min_lr_schedule_with_warmup", min_lr_rate=0.1, **warmed
        ),
        "restarts": of_transformers(
            "get_cosine_with_hard_restarts_schedule_with_warmup", num_cycles=4, **warmed
        ),
        "polynomial": of_transformers(
            "get_polynomial_decay_schedule_with_warmup", lr_end=0.01, power=2.0, **warmed
        ),
        "inverse_sqrt": of_transformers("get_inverse_sqrt_schedule", num_warmup_steps=10),
        "inverse_sqrt timescale": of_transformers(
            "get_inverse_sqrt_schedule", num_warmup_steps=10, timescale=30
        ),
        **{f"wsd {shape}": of_transformers(
            "get_wsd_schedule", num_warmup_steps=10, num_stable_steps=25, num_decay_steps=15,
            decay_type=shape,
        ) for shape in ("linear", "cosine", "1-sqrt")},
    }  # fmt: skip


def main() -> None:
    # Stepping a scheduler before its optimizer, as timm does, and timm's plateau being deprecated.
    warnings.simplefilter("ignore")
    save(torch, torch_cases())
    save(timm, timm_cases())
    save(transformers, transformers_cases())


if __name__ == "__main__":
    main()
