"""The main job, run once on real input and told as a story: `make demo`."""
