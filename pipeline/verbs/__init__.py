"""The verbs of the command line: arguments in, a stage or a tool called, nothing computed here."""
