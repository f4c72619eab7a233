"""What services reach: life circle, isochrones, what the cameras see. Arrays in, arrays out."""
