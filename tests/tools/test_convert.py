"""tools/model_converters/convert.py, from a published checkpoint to a file that our model loads."""
import subprocess
import sys

import torch
from golden_cases import load_case


def run(root, *args):
    return subprocess.run([sys.executable, str(root / 'tools/model_converters/convert.py'), *map(str, args)],
                          capture_output=True, text=True)


def test_published_checkpoint_to_logits(golden, root, tmp_path):
    from mmspike.apis import init_model
    case, state_dict = load_case(golden / 'cases/respike_r18_s4_ds_k15.pt')
    torch.save(state_dict, tmp_path / 'published.pth')
    done = run(root, 'respike', tmp_path / 'published.pth', tmp_path / 'deep/ours.pth')
    assert done.returncode == 0 and '352 tensors' in done.stdout, done.stderr
    model = init_model(root / 'configs/respike/respike_r18_kinetics400.py', tmp_path / 'deep/ours.pth',
                       cfg_options={'model.head.num_classes': 15, 'model.backbone.stride': 4})
    with torch.no_grad():
        logits = model.double()(case['inputs']['clip'].double(), mode='tensor')
    torch.testing.assert_close(logits, case['outputs']['logits'], rtol=0, atol=1e-9)


def test_another_model_is_refused(root, tmp_path):
    torch.save({'state_dict': {'conv.weight': torch.zeros(1)}}, tmp_path / 'other.pth')
    done = run(root, 'respike', tmp_path / 'other.pth', tmp_path / 'ours.pth')
    assert done.returncode == 1 and "'conv.weight' is no name of a ReSpike checkpoint" in done.stderr
    assert not (tmp_path / 'ours.pth').exists()
