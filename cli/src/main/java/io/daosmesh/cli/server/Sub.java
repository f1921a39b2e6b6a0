package io.daosmesh.cli.server;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ParentCommand;

/** A group of commands below the root. Owner: the main thread. */
abstract class Sub {
    @ParentCommand
    @Nullable
    ServerRoot parent;

    final ServerRoot root() {
        return Objects.requireNonNull(parent);
    }
}
