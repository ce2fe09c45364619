"""How each framework spells the operations: a folder a framework, a file a family. Imports none of the frameworks."""
