"""The array types of the invented city."""

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Bools = NDArray[np.bool_]
#: Texts or geometries.
Objects = NDArray[np.object_]
