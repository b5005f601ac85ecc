"""3D scans as a data set: rendered at the papers' poses, with the scan itself as the truth of every picture."""
