package io.daosmesh.cli.dmg.upkeep;

import io.daosmesh.admin.UpkeepCalls;
import io.daosmesh.admin.UpkeepCalls.OfPool;
import io.daosmesh.admin.view.Json;
import io.daosmesh.admin.view.upkeep.UpkeepView;
import io.daosmesh.cli.dmg.screen.Screen;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.wire.PoolRebuildRequest;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code dmg system rebuild}: that of every pool. Owner: the main thread. */
@Command(name = "rebuild", description = "Stop the rebuilds of all pools, or let them go on")
public final class SystemRebuild {
    @Spec
    @Nullable
    CommandSpec spec; // set by picocli

    @Command(name = "start", description = "Rebuild in every pool what there is to rebuild")
    int start(
            @Option(
                            names = {"-v", "--verbose"},
                            description = "with the names of the pools")
                    boolean verbose) {
        return run(PoolRebuildRequest.Op.START, false, verbose);
    }

    @Command(name = "stop", description = "Stop the rebuild of every pool that has one")
    int stop(
            @Option(
                            names = {"-v", "--verbose"},
                            description = "with the names of the pools")
                    boolean verbose,
            @Option(
                            names = {"-f", "--force"},
                            description = "also while its end is being committed")
                    boolean force) {
        return run(PoolRebuildRequest.Op.STOP, force, verbose);
    }

    private int run(PoolRebuildRequest.Op op, boolean force, boolean verbose) {
        Screen root = Screen.of(Objects.requireNonNull(spec));
        String verb = op == PoolRebuildRequest.Op.START ? "start" : "stop";
        List<OfPool> results = new UpkeepCalls(root.calls()).rebuildAll(op, force);
        Optional<Fault> failure = UpkeepView.failure("pool-rebuild " + verb, results);
        String text = UpkeepView.rebuild(verb, results, verbose);
        if (failure.isEmpty()) return root.show(() -> text, () -> UpkeepView.rebuildJson(verb, results));
        if (root.isJson()) root.answer(Json.failure(UpkeepView.rebuildJson(verb, results), failure.get()));
        else root.say(text);
        return root.complain(failure.get());
    }
}
