"""`ordre bench`: what a request costs on this machine, in a real server, over real HTTP, beside yardsticks in the same run."""
