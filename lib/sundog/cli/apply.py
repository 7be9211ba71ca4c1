"""`sundog apply`: make a configuration the cluster's; on a host where no coordinator runs, lay it down for it."""
import click

from sundog.cli.check import read
from sundog.cli.control import NoDaemon
from sundog.cli.session import EXITS, Session, json_option, pass_session
from sundog.config.install import DIRECTORY, install
from sundog.config.problems import ConfigError


@click.command(epilog=EXITS)
@click.argument("file", type=click.Path())
@click.option("--into", default=DIRECTORY, show_default=True, metavar="DIRECTORY",
              help="Where to lay it down if no coordinator runs on this host.")
@json_option
@pass_session
def command(session: Session, file: str, into: str) -> None:
    """Make FILE the configuration of the cluster.

    The files that it names go with it. A file with an error is not applied, not even in part. Where no coordinator
    runs on this host, the files are installed here only and take effect when it starts.

    \b
    Example:
      sundog apply cluster.yaml
    """
    reading = read(file)
    if reading.cluster is None:
        session.facts["problems"] = [str(problem) for problem in reading.problems]
        raise ConfigError(reading.problems)
    for problem in reading.problems:
        click.echo(str(problem), err=True)
    try:
        text, version = session.control.apply(reading.cluster.source, dict(reading.cluster.files))
    except NoDaemon as error:
        if not error.absent:
            raise
        path = install(reading.cluster.source, reading.cluster.files, into)
        session.say(f"installed {path}; no coordinator runs here, so it takes effect when that starts: "
                    "svcadm enable sundog/coordinator", {"ok": True, "installed": path, "version": None})
        return
    session.say(text or f"configuration {version} is in effect", {"ok": True, "text": text, "version": version})
