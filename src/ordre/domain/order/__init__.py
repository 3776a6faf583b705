"""An order: its facts, what they add up to, and the rules that decide which facts a command makes."""
