"""Travel on the street network: building it, finding places on it, searching it. Arrays in, arrays out."""
