"""One file a subcommand: its options and `run`. Some files hold what several subcommands share.

Nothing outside of this package imports them; the command line does by name, when a subcommand is asked for.
"""
