"""From captures to points, each with its evidence."""
