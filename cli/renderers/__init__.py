"""The answers of a search in every form that can leave the program."""
