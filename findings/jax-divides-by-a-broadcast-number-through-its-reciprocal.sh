#!/usr/bin/env bash
# JAX 0.10.2 on a CPU, outside jit: x / d rounds once where d has the shape of x, and twice where d is broadcast, as a
# multiplication by its reciprocal. So an array divided by its own maximum can lack the number 1, and the same two numbers
# have two quotients. NumPy's are one and the same. Seen on x86-64.
#
# Output seen:
#     of 1000 numbers divided by themselves, 1 does not come: broadcast 135, same shape 0, NumPy 0
#     41 / 41 is 0.99999994 broadcast, 1.0 in one shape
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet jax==0.10.2 jaxlib==0.10.2 numpy==2.4.6

JAX_PLATFORMS=cpu "$folder/venv/bin/python" - <<'PYTHON'
import jax.numpy as jnp
import numpy as np

numbers = [np.float32(n) for n in range(1, 1001)]
broadcast = [float((jnp.full(4, n) / jnp.asarray(n))[0]) for n in numbers]
same_shape = [float((jnp.full(4, n) / jnp.full(4, n))[0]) for n in numbers]
numpys = [float((np.full(4, n) / n)[0]) for n in numbers]


def lacking(quotients):
    return sum(q != 1 for q in quotients)


told = lacking(broadcast), lacking(same_shape), lacking(numpys)
print("of 1000 numbers divided by themselves, 1 does not come: broadcast {}, same shape {}, NumPy {}".format(*told))
print(f"41 / 41 is {np.float32(broadcast[40])!s} broadcast, {same_shape[40]} in one shape")
assert told == (135, 0, 0), "another number of quotients"
assert broadcast[40] == 1 - 2**-24, "41 / 41 has changed"
PYTHON
