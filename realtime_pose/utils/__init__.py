"""General helpers without domain knowledge: arrays in, arrays out; files, time, state and tables likewise."""
