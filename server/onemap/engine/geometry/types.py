"""Names for the arrays the engine passes around."""

import numpy as np
from numpy.typing import NDArray

type F64 = NDArray[np.float64]
type F32 = NDArray[np.float32]
type I64 = NDArray[np.int64]
type I32 = NDArray[np.int32]
type I8 = NDArray[np.int8]
type Bools = NDArray[np.bool_]
