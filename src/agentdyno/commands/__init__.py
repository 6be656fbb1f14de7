"""One file a subcommand: its options and `run`. Nothing else imports them."""
