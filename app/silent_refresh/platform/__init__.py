"""What the library needs of the place where it runs.

| ports.py    | each thing as a protocol, for type checkers |
| values.py   | what goes through these ports               |
| platform.py | ``Platform``: one world, whole              |
| current.py  | finds the browser                           |
"""
