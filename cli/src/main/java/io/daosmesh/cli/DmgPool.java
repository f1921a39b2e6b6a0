package io.daosmesh.cli;

import io.daosmesh.admin.AdminCalls.TargetsOperation;
import io.daosmesh.admin.grammar.KeyValues;
import io.daosmesh.admin.grammar.RankSet;
import io.daosmesh.admin.view.PoolView;
import io.daosmesh.admin.view.PropertyView;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.PoolQueryReply;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code dmg pool}. Owner: the main thread. */
@Command(name = "pool", description = "Pools", addMethodSubcommands = false)
final class DmgPool {
    @ParentCommand
    DmgRoot root = new DmgRoot(System.out, System.err);

    @Command(name = "list", aliases = "ls", description = "All pools")
    int list(
            @Option(
                            names = {"-v", "--verbose"},
                            description = "more about each pool")
                    boolean verbose,
            @Option(
                            names = {"-n", "--no-query"},
                            description = "without asking each pool")
                    boolean noQuery) {
        return list(root, verbose, noQuery);
    }

    static int list(DmgRoot root, boolean verbose, boolean noQuery) {
        List<PoolView.Row> rows = PoolView.rows(root.calls(), noQuery);
        if (!root.json) root.err.print(PoolView.listErrors(rows));
        return root.show(
                () -> verbose ? PoolView.listVerbose(rows) : PoolView.list(rows), () -> PoolView.listJson(rows));
    }

    @Command(name = "query", description = "Health, space and rebuild of a pool")
    int query(
            @Parameters(paramLabel = "POOL", description = "label or UUID") String pool,
            @Option(
                            names = {"-e", "--show-enabled"},
                            description = "enabled ranks, too")
                    boolean enabled,
            @Option(
                            names = {"-b", "--show-disabled"},
                            hidden = true,
                            description = "always shown")
                    boolean disabled,
            @Option(
                            names = {"-t", "--health-only"},
                            description = "without space")
                    boolean healthOnly) {
        PoolQueryReply reply = root.calls().poolQuery(pool);
        PoolQueryReply shown = healthOnly ? reply.toBuilder().clearTiers().build() : reply;
        return root.show(
                () -> {
                    String text = PoolView.query(shown, enabled);
                    return healthOnly ? text.substring(0, text.indexOf("Pool space info:")) : text;
                },
                () -> PoolView.queryJson(shown));
    }

    @Command(name = "destroy", description = "Destroy a pool with all its data")
    int destroy(
            @Parameters(paramLabel = "POOL", description = "label or UUID") String pool,
            @Option(
                            names = {"-r", "--recursive"},
                            description = "with its containers")
                    boolean recursive,
            @Option(
                            names = {"-f", "--force"},
                            description = "in spite of open handles")
                    boolean force) {
        root.calls().poolDestroy(pool, recursive, force);
        return root.show(() -> "Pool-destroy command succeeded\n", () -> null);
    }

    @Command(name = "exclude", description = "Take targets out of a pool")
    int exclude(
            @Parameters(paramLabel = "POOL", description = "label or UUID") String pool,
            @Option(
                            names = {"-r", "--ranks", "--rank"},
                            required = true,
                            paramLabel = "RANKS",
                            description = "ranks")
                    String ranks,
            @Option(
                            names = {"-t", "--target-idx"},
                            paramLabel = "INDEXES",
                            description = "only these targets")
                    @Nullable
                    String targets,
            @Option(
                            names = {"-f", "--force"},
                            description = "without looking at the redundancy factor")
                    boolean force) {
        return change(pool, TargetsOperation.EXCLUDE, ranks, targets, force);
    }

    @Command(name = "reintegrate", aliases = "reint", description = "Take targets back into a pool")
    int reintegrate(
            @Parameters(paramLabel = "POOL", description = "label or UUID") String pool,
            @Option(
                            names = {"-r", "--ranks", "--rank"},
                            required = true,
                            paramLabel = "RANKS",
                            description = "ranks")
                    String ranks,
            @Option(
                            names = {"-t", "--target-idx"},
                            paramLabel = "INDEXES",
                            description = "only these targets")
                    @Nullable
                    String targets) {
        return change(pool, TargetsOperation.REINTEGRATE, ranks, targets, false);
    }

    @Command(name = "drain", description = "Move the data off targets, then take them out")
    int drain(
            @Parameters(paramLabel = "POOL", description = "label or UUID") String pool,
            @Option(
                            names = {"-r", "--ranks", "--rank"},
                            required = true,
                            paramLabel = "RANKS",
                            description = "ranks")
                    String ranks,
            @Option(
                            names = {"-t", "--target-idx"},
                            paramLabel = "INDEXES",
                            description = "only these targets")
                    @Nullable
                    String targets) {
        return change(pool, TargetsOperation.DRAIN, ranks, targets, false);
    }

    @Command(name = "extend", description = "Add ranks to a pool")
    int extend(
            @Parameters(paramLabel = "POOL", description = "label or UUID") String pool,
            @Option(
                            names = {"-r", "--ranks"},
                            required = true,
                            paramLabel = "RANKS",
                            description = "ranks")
                    String ranks) {
        return change(pool, TargetsOperation.EXTEND, ranks, null, false);
    }

    @Command(name = "set-prop", description = "Set properties of a pool")
    int setProperties(
            @Parameters(paramLabel = "POOL", description = "label or UUID") String pool,
            @Parameters(paramLabel = "KEY:VALUE[,...]", description = "e.g. self_heal:exclude;delay_rebuild")
                    String set) {
        root.calls().poolProperties(pool, KeyValues.parse(set));
        return root.show(() -> "pool set-prop succeeded\n", () -> null);
    }

    @Command(name = "get-prop", description = "Properties of a pool")
    int getProperties(
            @Parameters(paramLabel = "POOL", description = "label or UUID") String pool,
            @Parameters(paramLabel = "KEY[,...]", arity = "0..1", description = "only these") @Nullable String keys) {
        PropertyView shown = PropertyView.ofPool(root.calls().poolProperties(pool, Map.of()), DmgSystem.keys(keys));
        return root.show(() -> "Pool " + pool + " properties:\n" + shown.text(), shown::json);
    }

    private int change(String pool, TargetsOperation operation, String ranks, @Nullable String targets, boolean force) {
        List<Integer> wanted = RankSet.parse(ranks);
        if (wanted.isEmpty()) throw DmgSystem.invalid("no ranks specified");
        int version = root.calls()
                .poolTargets(pool, operation, wanted, targetIndexes(targets), force)
                .getMapVersion();
        String name = switch (operation) {
            case EXCLUDE -> "Exclude";
            case REINTEGRATE -> "Reintegration";
            case DRAIN -> "Drain";
            case EXTEND -> "Extend";
        };
        return root.show(
                () -> name + " command succeeded\n",
                () -> io.daosmesh.admin.view.Json.object("ranks", wanted, "map_version", version));
    }

    private static List<Integer> targetIndexes(@Nullable String text) {
        if (text == null || text.isBlank()) return List.of();
        return Stream.of(text.split(",", -1))
                .map(part -> {
                    if (!part.trim().matches("[0-9]{1,5}")) {
                        throw Fault.of(FaultCode.INVAL, "parsing target list: '%s' is not a number", part)
                                .asException();
                    }
                    return Integer.parseInt(part.trim());
                })
                .toList();
    }
}
