"""Which code runs a neuron: the contract of a back end, and the choice between them.

A back end is a module with two functions, both free of autograd::

    forward(x, v, w, settings) -> (out, v_final)
    backward(grad_out, grad_v, x, v, w, settings) -> (grad_x, grad_v0, grad_w | None)

- ``x`` [T, ...]: fp32, fp16, bf16 or float64, any strides. ``out`` and ``grad_x`` have its dtype and memory order
  (``torch.empty_like`` of a dense ``x``): time folded into the batch and channels-last both stay as they are.
- ``v`` [...]: membrane before the first step, in the dtype of the state (float64 for float64 input, else fp32), any
  strides: it may be one number expanded (all strides 0). ``v_final`` and ``grad_v0``: that dtype, memory order of a step.
- ``w``: for ``kind='plif'`` the parameter with ``1 / tau = sigmoid(w)``, in the dtype of the state, of a shape that
  broadcasts to ``v``: 0-dimensional, or [C, 1, ...] for steps [B, C, ...]. Otherwise ``None``. ``grad_w`` has its shape.
- ``grad_out`` [T, ...]: dtype of ``x``, any strides (expanded too); ``grad_v`` [...]: dtype of ``v``, any strides.
- ``settings``: :class:`NeuronSettings`.

Nothing is kept between the two: backward recomputes the membrane from ``x`` and ``v``. The order of the arithmetic is
that of :mod:`mmspike.neurons.reference`, operation by operation, so that the spikes are the same to the last tie.
"""
