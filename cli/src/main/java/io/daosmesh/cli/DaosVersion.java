package io.daosmesh.cli;

import picocli.CommandLine.Command;

@Command(name = "version", description = "Prints the version.", mixinStandardHelpOptions = true)
final class DaosVersion extends DaosCommand {
    static final String VERSION = "0.1.0-SNAPSHOT";

    @Override
    Answer run() {
        return new Answer("daos version " + VERSION + "\n", object("name", "daos", "version", VERSION));
    }
}
