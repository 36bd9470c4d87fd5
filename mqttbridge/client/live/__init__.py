"""A bucket's points as they come, for programs that show them: one connection a process, however many look on."""
