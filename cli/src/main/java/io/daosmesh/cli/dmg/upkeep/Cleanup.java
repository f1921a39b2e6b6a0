package io.daosmesh.cli.dmg.upkeep;

import io.daosmesh.admin.UpkeepCalls;
import io.daosmesh.admin.UpkeepCalls.OfPool;
import io.daosmesh.admin.view.Json;
import io.daosmesh.admin.view.upkeep.UpkeepView;
import io.daosmesh.cli.dmg.screen.Screen;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code dmg system cleanup}. Owner: the main thread. */
@Command(name = "cleanup", description = "End all handles of a client machine, in every pool")
public final class Cleanup implements Callable<Integer> {
    /** Of a name in the domain name system. */
    private static final int MACHINE_MAX = 255;

    @Spec
    @Nullable
    CommandSpec spec; // set by picocli

    @Parameters(paramLabel = "MACHINE", description = "name of the machine, as its agent gives it")
    String machine = "";

    @Option(
            names = {"-v", "--verbose"},
            description = "how many in each pool")
    boolean verbose;

    @Override
    public Integer call() {
        Screen root = Screen.of(Objects.requireNonNull(spec));
        // an empty name would mean every machine
        if (machine.isBlank() || machine.length() > MACHINE_MAX)
            throw Fault.of(FaultCode.INVAL, "the name of a machine has 1 to %d characters", MACHINE_MAX)
                    .asException();
        List<OfPool> results = new UpkeepCalls(root.calls()).cleanup(machine);
        Optional<Fault> failure = UpkeepView.failure("cleanup", results);
        String text = UpkeepView.cleanup(results, verbose);
        if (failure.isEmpty()) return root.show(() -> text, () -> UpkeepView.cleanupJson(machine, results));
        if (root.isJson()) root.answer(Json.failure(UpkeepView.cleanupJson(machine, results), failure.get()));
        else root.say(text);
        return root.complain(failure.get());
    }
}
