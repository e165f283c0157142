"""What git's hooks do: the shims beside this file call ``gitreg hook NAME``, and that comes here."""
