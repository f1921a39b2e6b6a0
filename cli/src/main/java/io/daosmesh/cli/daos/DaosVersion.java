package io.daosmesh.cli.daos;

import io.daosmesh.cli.ToolVersion;
import picocli.CommandLine.Command;

@Command(name = "version", description = "Prints the version.", mixinStandardHelpOptions = true)
final class DaosVersion extends DaosCommand {
    @Override
    Answer run() {
        String version = ToolVersion.VERSION;
        return new Answer("daos version " + version + "\n", object("name", "daos", "version", version));
    }
}
