"""Looking at the world: thin edges, each bounded in time and size. What they return is judged elsewhere."""
