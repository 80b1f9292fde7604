"""What the hybrid models' papers compare with: their own artificial part, on every frame or bin."""
import json
from dataclasses import replace
from pathlib import Path

from torch import nn

from mmspike.analysis.energy.account import Account

FILE = Path(__file__).with_suffix('.json')


def paper_comparisons(model: nn.Module, account: Account) -> dict[str, Account]:
    """Name -> what the comparison would do on the same samples; empty for models without one.

    ``paper_comparisons.json`` says of which class which part counts how many times: the value of an attribute, or the
    time steps. Norms, and what else is no product of a layer, are left out.
    """
    found = {}
    for entry in json.loads(FILE.read_text(encoding='utf-8')):
        for path, module in model.named_modules():
            if type(module).__name__ != entry['of'] or getattr(module, entry['part'], None) is None:
                continue
            prefix = '.'.join(filter(None, (path, entry['part']))) + '.'
            times = getattr(module, entry['times']) if entry['times'] else account.steps
            part = Account(account.samples, {name: layer for name, layer in account.layers.items()
                                             if name.startswith(prefix)})
            found[entry['name']] = replace(part.part(account.samples * times), samples=account.samples)
    return found
