package io.daosmesh.cli.dmg;

import io.daosmesh.admin.view.Json;
import io.daosmesh.cli.ToolVersion;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

/** {@code dmg version}. Owner: the main thread. */
@Command(name = "version", description = "Release of this tool")
final class DmgVersion implements Callable<Integer> {
    @ParentCommand
    DmgRoot root = new DmgRoot(System.out, System.err);

    @Override
    public Integer call() {
        String version = ToolVersion.VERSION;
        return root.show(() -> "dmg version " + version + "\n", () -> Json.object("name", "dmg", "version", version));
    }
}
