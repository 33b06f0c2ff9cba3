"""The command line: parse, call, print."""

from pls_ml.cli import data, models, nights
from pls_ml.cli.group import main

for command in (*data.COMMANDS, *models.COMMANDS, *nights.COMMANDS):
    main.add_command(command)
