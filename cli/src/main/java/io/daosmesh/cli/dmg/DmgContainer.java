package io.daosmesh.cli.dmg;

import io.daosmesh.cli.AclFiles;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code dmg container}. Owner: the main thread. */
@Command(name = "container", aliases = "cont", description = "Containers", addMethodSubcommands = false)
final class DmgContainer {
    @ParentCommand
    DmgRoot root = new DmgRoot(System.out, System.err);

    @Command(name = "set-owner", description = "Give a container to another user or group")
    int setOwner(
            @Parameters(index = "0", paramLabel = "POOL", description = "label or UUID") String pool,
            @Parameters(index = "1", paramLabel = "CONT", description = "label or UUID") String container,
            @Option(
                            names = {"-u", "--user"},
                            paramLabel = "USER",
                            description = "new owner")
                    @Nullable
                    String user,
            @Option(
                            names = {"-g", "--group"},
                            paramLabel = "GROUP",
                            description = "new owning group")
                    @Nullable
                    String group) {
        if (user == null && group == null)
            throw DmgSystem.invalid("at least one of --user or --group must be supplied");
        root.calls().containerOwner(pool, container, AclFiles.name(user), AclFiles.name(group));
        return root.show(() -> "Container-set-owner command succeeded\n", () -> null);
    }
}
