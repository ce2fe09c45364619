"""How each framework spells the operations: a file a framework, and what they have in common. Imports none of them."""
