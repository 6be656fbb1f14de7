"""Result folders as plain objects and as tables, for whoever makes plots of their own."""
