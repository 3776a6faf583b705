"""`ordre completion`."""

from collections.abc import Callable
from typing import Literal

from cyclopts import App

Shell = Literal["bash", "zsh", "fish"]


def completion_of(app: App) -> Callable[[Shell], None]:
    """Return the command that prints the script which completes the commands and flags of an app."""

    def completion(shell: Shell, /) -> None:
        """Print the script that completes commands and flags in a shell.

        To try it: source <(ordre completion bash)

        Args:
            shell: bash, zsh or fish. `ordre --install-completion` puts the script where the shell finds it, for good.
        """
        print(app.generate_completion(shell=shell), end="")

    return completion
