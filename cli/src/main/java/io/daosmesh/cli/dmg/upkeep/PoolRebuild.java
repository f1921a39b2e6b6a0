package io.daosmesh.cli.dmg.upkeep;

import io.daosmesh.admin.UpkeepCalls;
import io.daosmesh.cli.dmg.screen.Screen;
import io.daosmesh.model.wire.PoolRebuildRequest;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code dmg pool rebuild}. Owner: the main thread. */
@Command(name = "rebuild", description = "Stop the rebuild of a pool, or let it go on")
public final class PoolRebuild {
    @Spec
    @Nullable
    CommandSpec spec; // set by picocli

    @Command(name = "start", description = "Rebuild what there is to rebuild, whatever self_heal says")
    int start(@Parameters(paramLabel = "POOL", description = "label or UUID") String pool) {
        return run(pool, PoolRebuildRequest.Op.START, false);
    }

    @Command(name = "stop", description = "Stop it until it is started or the pool map changes again")
    int stop(
            @Parameters(paramLabel = "POOL", description = "label or UUID") String pool,
            @Option(
                            names = {"-f", "--force"},
                            description = "also while its end is being committed")
                    boolean force) {
        return run(pool, PoolRebuildRequest.Op.STOP, force);
    }

    private int run(String pool, PoolRebuildRequest.Op op, boolean force) {
        Screen root = Screen.of(Objects.requireNonNull(spec));
        new UpkeepCalls(root.calls()).rebuild(pool, op, force);
        String verb = op == PoolRebuildRequest.Op.START ? "start" : "stop";
        return root.show(() -> "Pool-rebuild " + verb + " request succeeded\n", () -> null);
    }
}
