"""The poses of one window: where joints are, and where a model sees them."""
from mmengine.structures import BaseDataElement

# Fields of a sample -> number of axes; the first two are always T and K
FIELDS = dict(gt_keypoints=3, gt_visible=2, gt_keypoints_3d=3, pred_keypoints=3, pred_scores=2, hold_keypoints=3)


class PoseDataSample(BaseDataElement):
    """The T bins of a window of events, seen by one camera.

    Keypoints are ``(x, y)``: column and row of the picture, a whole number is the middle of a pixel.

    Data fields, all tensors:

    - ``gt_keypoints``: **Shape** [T, K, 2]; ``gt_visible``: bool, **Shape** [T, K]: whether a joint is known and within
      the picture. A bin without a label has no visible joint.
    - ``gt_keypoints_3d``: World coordinates in mm, NaN where not known. **Shape** [T, K, 3].
    - ``pred_keypoints``: **Shape** [T, K, 2]; ``pred_scores``: Height of the peak. **Shape** [T, K].
    - ``hold_keypoints``: What a CNN saw at the start of the window, held: the baseline of a hybrid. **Shape**
      [T, K, 2].

    Metainfo: ``sequence`` (name of the recording), ``camera`` (its number), ``start_us`` and ``bin_us`` (start of the
    window and length of a bin), ``image_shape`` (height, width), ``projection`` (world to column and row of this
    picture, numpy [3, 4] float64, or ``None`` where the camera is not known).

    Raises:
        ValueError: A field of another shape than above, or than those already there.
    """

    def set_field(self, value, name: str, dtype=None, field_type: str = 'data') -> None:
        """As in the base, with a check of the shape."""
        if name in FIELDS:
            shape = tuple(getattr(value, 'shape', ()))
            last = {'gt_keypoints_3d': 3}.get(name, 2)
            if len(shape) != FIELDS[name] or (len(shape) == 3 and shape[2] != last):
                axes = ['T', 'K', str(last)][:FIELDS[name]]
                raise ValueError(f'PoseDataSample: {name} has the shape {list(shape)}, expected [{", ".join(axes)}]')
            for other in FIELDS:
                if other != name and other in self and tuple(self.get(other).shape[:2]) != shape[:2]:
                    raise ValueError(f'PoseDataSample: {name} has {shape[0]} bins and {shape[1]} joints, but {other} '
                                     f'has {self.get(other).shape[0]} and {self.get(other).shape[1]}')
        super().set_field(value=value, name=name, dtype=dtype, field_type=field_type)
