"""What several tests share. Tests import it as `support`, since tests/ is on pytest's path."""
