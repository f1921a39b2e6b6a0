package io.daosmesh.cli.dmg;

import io.daosmesh.admin.HostReplies;
import io.daosmesh.admin.view.HostBlocks;
import io.daosmesh.admin.view.Words;
import io.daosmesh.model.wire.Empty;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code dmg server}. Owner: the main thread. */
@Command(name = "server", aliases = "srv", description = "Servers")
final class DmgServer {
    @ParentCommand
    DmgRoot root = new DmgRoot(System.out, System.err);

    @Command(name = "set-logmasks", description = "Set log levels; without masks back to the configuration")
    int setLogmasks(
            @Parameters(paramLabel = "MASKS", arity = "0..1", description = "e.g. ERR,mgmt=DEBUG") @Nullable
                    String positional,
            @Option(
                            names = {"-m", "--masks"},
                            paramLabel = "MASKS",
                            description = "the same as an option")
                    @Nullable
                    String option,
            @Option(
                            names = "--streams",
                            paramLabel = "STREAMS",
                            description = "-d, too: streams of debug lines, e.g. md,io; all when not given")
                    @Nullable
                    String streams,
            @Option(
                            names = {"-s", "--subsystems"},
                            paramLabel = "FACILITIES",
                            description = "facilities that may debug; all when not given")
                    @Nullable
                    String subsystems) {
        if (positional != null && option != null) throw DmgSystem.invalid("masks are given twice");
        String masks = positional != null ? positional : option != null ? option : "";
        HostReplies<Empty> replies = root.calls()
                .logMasks(root.hosts(), masks, streams == null ? "" : streams, subsystems == null ? "" : subsystems);
        List<String> done = new ArrayList<>(replies.replies().keySet());
        return root.show(
                replies,
                () -> done.isEmpty()
                        ? ""
                        : "set-logmasks operation performed successfully on the following "
                                + Words.plural(done.size(), "host") + ": " + replies.display(done) + "\n",
                () -> HostBlocks.json(replies, r -> Map.of()));
    }
}
