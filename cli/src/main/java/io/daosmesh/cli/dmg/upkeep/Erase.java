package io.daosmesh.cli.dmg.upkeep;

import io.daosmesh.admin.UpkeepCalls;
import io.daosmesh.admin.view.upkeep.UpkeepView;
import io.daosmesh.cli.dmg.screen.Screen;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.SystemEraseReply;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code dmg system erase}. Owner: the main thread. */
@Command(
        name = "erase",
        description = "End the system: all pools are lost, the storage awaits a format; stop all ranks first")
public final class Erase implements Callable<Integer> {
    private static final String QUESTION =
            "The system is going to be erased, with all its pools and their data. Are you sure?";

    @Spec
    @Nullable
    CommandSpec spec; // set by picocli

    @Option(
            names = {"-f", "--force"},
            description = "without asking")
    boolean force;

    @Override
    public Integer call() {
        Screen root = Screen.of(Objects.requireNonNull(spec));
        UpkeepCalls calls = new UpkeepCalls(root.calls());
        if (calls.isUnformatted(root.hosts())) {
            SystemEraseReply none = SystemEraseReply.getDefaultInstance();
            return root.show(
                    () -> "There is no system: all storage awaits its format\n", () -> UpkeepView.erasedJson(none));
        }
        if (!force && !root.isConfirmed(QUESTION))
            throw Fault.of(FaultCode.CANCELED, "consent not given")
                    .remedy("answer yes, or use --force")
                    .asException();
        SystemEraseReply reply = calls.erase();
        return root.show(() -> UpkeepView.erased(reply), () -> UpkeepView.erasedJson(reply));
    }
}
